"""`python -m bench.viewer`: measure the viewer's budgets, and print one Markdown table."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.machine import machine
from bench.viewer import files, large_pages, live, pages
from bench.viewer.browser import browsing
from bench.viewer.budget import Budget, head, markdown

REPEATS, SECONDS = 3, 12.0
PARTS: dict[str, Callable[[Path, int, float], list[Budget]]] = {
    "pages": lambda folder, repeats, seconds: pages.measure(folder, repeats),
    "large": lambda folder, repeats, seconds: large_pages.measure(folder, repeats),
    "files": lambda folder, repeats, seconds: files.measure(folder, repeats),
    "live": lambda folder, repeats, seconds: live.measure(folder, seconds),
}


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(prog="python -m bench.viewer", description="The viewer's budgets.")
    made.add_argument("--quick", action="store_true", help="once each and shortly: only to see that it runs")
    made.add_argument("--only", choices=PARTS, action="append", metavar="NAME", help=f"only these: {', '.join(PARTS)}")
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for; the table goes to stdout as it grows, progress to stderr."""
    given = parser().parse_args(arguments)
    repeats, seconds = (1, 4.0) if given.quick else (REPEATS, SECONDS)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    print(head(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in given.only or PARTS:
            started = time.perf_counter()
            print(markdown(PARTS[name](Path(folder), repeats, seconds)), flush=True)
            print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    with browsing() as browser:
        found = {**machine(), "Chromium": browser.version, "load before": "unknown" if load is None else f"{load:.1f}"}
    print("\n" + ", ".join(f"{key}: {value}" for key, value in found.items()) + f", repeats: {repeats}")


if __name__ == "__main__":
    main()
