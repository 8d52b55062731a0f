"""What a browser feels of the pages: the first paint, long frames, keys, requests; and what the server needs."""

from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import Browser, Page

from bench.viewer.browser import SHORTEST_FRAME_MS, SHORTEST_KEY_MS, browsing, fresh_page
from bench.viewer.budget import Budget
from bench.viewer.server import started
from bench.viewer.wide import UNITS, write_wide

SETTLED_MS, FRAME_MS = 800, 16
WHEEL_TURNS, WHEEL_PX = 60, 700
KEYS = ("j", "j", "ArrowRight", "ArrowDown", "ArrowDown", "PageDown", "ArrowLeft", "ArrowUp")
# Further pages, by their address below the atlas's.
OTHERS = {
    "lesson": "",
    "answers of a search": "search?q=17&format=html",
    "what changed": "changed?a=other",
    "unit in columns": "l/layer4.2/u/17",
}
# From asking for the end of the page until the browser has drawn a frame there.
JUMP = """() => new Promise((done) => {
  const begun = performance.now();
  scrollTo(0, document.documentElement.scrollHeight);
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
})"""


def measure(folder: Path, repeats: int) -> list[Budget]:
    """The server's start and memory, then a layer of 2,048 units in a browser."""
    atlas, other = write_wide(folder / "wide.atlas"), write_wide(folder / "other.atlas", units=64)
    size = f"atlas of {atlas.stat().st_size / 2**20:.0f} MiB"
    announced, answered, paints, memory = [], [], [], []
    found: dict[str, list[float]] = {}
    others: dict[str, list[tuple[float, float]]] = {name: [] for name in OTHERS}
    with browsing() as browser:
        for _ in range(repeats):
            with started("serve", str(atlas)) as server:
                announced.append(server.announced)
                answered.append(server.answered)
                paints.append(_first_paint(browser, f"{server.origin}/"))
                for name, value in wide_layer(browser, f"{server.origin}/wide/l/layer4.2").items():
                    found.setdefault(name, []).append(value)
                memory.append(server.megabytes())
            # A second atlas is what changes are shown from; a server of one alone leads to its lesson at once.
            with started("serve", str(atlas), str(other)) as server:
                for name, address in OTHERS.items():
                    address = f"{server.origin}/wide/{address}"
                    html = len(urlopen(address).read()) / 1024
                    others[name].append((_first_paint(browser, address), html))
    layer = f"layer of {UNITS:,} units"
    return [
        Budget(what=f"server: start to the line with its address, {size}", limit=1.0, found=announced, unit="s"),
        Budget(what="server: start to the first page answered", limit=1.0, found=answered, unit="s"),
        Budget(what="server: most memory, after these pages", limit=120, found=memory, unit="MiB"),
        Budget(what="first page: largest paint", limit=1.0, found=paints, unit="s"),
        *(
            Budget(what=f"{name}: largest paint", limit=1.0, found=[paint for paint, _ in turns], unit="s")
            for name, turns in others.items()
        ),
        *(
            Budget(what=f"{name}: HTML", limit=400, found=[size for _, size in turns], unit="KiB")
            for name, turns in others.items()
        ),
        Budget(what=f"{layer}: largest paint", limit=1.0, found=found["paint"], unit="s"),
        _frames(f"{layer}: longest frame at load", 200, found["load"]),
        _frames(f"{layer}: longest frame while scrolling", 100, found["scroll"]),
        Budget(what="key to paint, the slowest", limit=100, found=found["keys"], unit="ms", below=SHORTEST_KEY_MS),
        Budget(what=f"{layer}: jump to the end, painted", limit=300, found=found["jump"], unit="ms"),
        Budget(what=f"{layer}: requests before scrolling", limit=20, found=found["requests"], unit=""),
        Budget(what=f"{layer}: HTML", limit=400, found=found["html"], unit="KiB"),
    ]


def _frames(what: str, limit: float, found: list[float]) -> Budget:
    return Budget(what=what, limit=limit, found=found, unit="ms", below=SHORTEST_FRAME_MS)


def _first_paint(browser: Browser, address: str) -> float:
    """Seconds from asking for a page until its largest part is painted, with nothing cached."""
    with fresh_page(browser) as page:
        page.goto(address, wait_until="load")
        page.wait_for_timeout(SETTLED_MS)
        return page.evaluate("measured.paint") / 1000


def wide_layer(browser: Browser, address: str) -> dict[str, float]:
    """A page with many units from opening to its end: s, ms, a number of requests, KiB."""
    requests: list[str] = []
    with fresh_page(browser) as page:
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address, wait_until="load")
        page.wait_for_timeout(SETTLED_MS)
        opened = {
            "paint": page.evaluate("measured.paint") / 1000,
            "load": page.evaluate("Math.max(0, ...measured.frames)"),
            "requests": len(requests),
            "html": len(urlopen(address).read()) / 1024,
        }
        scroll = _longest_frame(page, _scroll)
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(SETTLED_MS)
        return {**opened, "scroll": scroll, "keys": _slowest_key(page), "jump": _jump(page)}


def _longest_frame(page: Page, act: Callable[[Page], None]) -> float:
    page.evaluate("measured.frames = []")
    act(page)
    page.wait_for_timeout(SETTLED_MS)
    return page.evaluate("Math.max(0, ...measured.frames)")


def _scroll(page: Page) -> None:
    """Down by the wheel, as fast as a hand turns it."""
    page.mouse.move(640, 400)
    for _ in range(WHEEL_TURNS):
        page.mouse.wheel(0, WHEEL_PX)
        page.wait_for_timeout(FRAME_MS)


def _slowest_key(page: Page) -> float:
    page.evaluate("measured.keys = []")
    for key in KEYS:
        page.keyboard.press(key)
        page.wait_for_timeout(60)
    page.wait_for_timeout(SETTLED_MS)
    return page.evaluate("Math.max(0, ...measured.keys)")


def _jump(page: Page) -> float:
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(SETTLED_MS)
    return page.evaluate(JUMP)
