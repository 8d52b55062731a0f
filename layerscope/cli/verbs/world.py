"""`layerscope world`: write pictures whose content is known, with a mask for every concept in them."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from layerscope.api.bars import Bars
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.world import CLASSES, CONCEPTS, write_world


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Write the world, or what is missing of it."""
    out, started = Path(arguments.out).expanduser(), time.monotonic()
    bars = None if output.quiet else Bars()
    try:
        told = _told(bars, arguments.count) if bars else lambda done: None
        there = write_world(out, arguments.count, arguments.seed, arguments.size, arguments.shards, told)
    finally:
        if bars:
            bars.close()
    seconds = time.monotonic() - started
    data = {
        "out": str(out),
        "pictures": arguments.count,
        "written": arguments.count - there,
        "classes": len(CLASSES),
        "concepts": len(CONCEPTS),
        "seconds": round(seconds, 3),
    }
    pictures = words.counted(arguments.count, "picture")
    new = f"{data['written']:,} of them new, " if there else ""
    what = f"{len(CLASSES)} classes, masks of {len(CONCEPTS)} concepts"
    output.result(data, f"{words.printable(out)}: {pictures} ({new}{what}, {words.duration(seconds)})")
    return 0


def _told(bars: Bars, count: int) -> Callable[[int], None]:
    """What shows progress: it is told first how many pictures were there, then how many are done."""
    before: list[int] = []

    def told(done: int) -> None:
        if not before:
            bars.start("pictures", count, done)
        elif done > before[-1]:
            bars.step(done - before[-1])
        before[:] = [done]

    return told
