"""Debian's Chromium before the viewer, and what the browser itself measures of a page."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

# Runs before a page's own scripts. Browsers tell only of frames of 50 ms and more, and of keys of 16 ms and more.
OBSERVERS = """
window.measured = { paint: 0, frames: [], keys: [] };
const observe = (type, take, options) => new PerformanceObserver(
  (list) => list.getEntries().forEach(take)).observe({ type, buffered: true, ...options });
observe("largest-contentful-paint", (entry) => { window.measured.paint = entry.startTime; });
observe("long-animation-frame", (entry) => window.measured.frames.push(entry.duration));
observe("event", (entry) => { if (entry.name.startsWith("key")) window.measured.keys.push(entry.duration); },
  { durationThreshold: 16 });
"""
SHORTEST_FRAME_MS, SHORTEST_KEY_MS = 50, 16
# What a reader has, and the same without all that only its window needs: a new page opens in half the time.
WHOLE, SHELL = "chromium", "chromium-headless-shell"
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def launched(playwright: Playwright, *flags: str, names: Sequence[str] = (WHOLE,)) -> Browser:
    """The first of these on the PATH, without a window. It draws text alike everywhere; as root it has no sandbox to go
    into."""
    path = next(filter(None, map(shutil.which, names)), None)
    assert path, f"there is no {' and no '.join(names)} on the PATH; .ci/chromium installs it where it can"
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    drawn = ["--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb", "--disable-gpu"]
    return playwright.chromium.launch(executable_path=path, args=[*root, *drawn, *flags])


@contextmanager
def browsing(*flags: str) -> Iterator[Browser]:
    """A browser of its own until the end of the block."""
    with sync_playwright() as playwright:
        browser = launched(playwright, *flags)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def fresh_page(browser: Browser) -> Iterator[Page]:
    """A page in a context without a cache, that is measured."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script(OBSERVERS)
    try:
        yield context.new_page()
    finally:
        context.close()


def camera_of(frames: Sequence[bytes], path: Path) -> tuple[str, ...]:
    """Flags for a browser whose camera shows these JPEGs over and over; the film goes to a file. Asking is granted."""
    path.write_bytes(b"".join(frames))
    return (*CAMERA, f"--use-file-for-fake-video-capture={path.resolve()}")
