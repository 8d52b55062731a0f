"""`python -m bench`: measure, and print one Markdown table."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import building, forwards, layers, memory, photographs, projections, reading, scan_files, scan_tensors
from bench.pictures import write_pictures
from bench.report import Line, as_json, machine, markdown
from bench.sizes import FULL, QUICK, Sizes
from bench.workshop import Workshop

LINES: dict[str, Callable[[Workshop], list[Line]]] = {
    "forwards": forwards.measure,
    "scan": scan_tensors.measure,
    "files": scan_files.measure,
    "projections": projections.measure,
    "build": building.measure,
    "photographs": photographs.measure,
    "memory": memory.measure,
    "layers": layers.measure,
    "reading": reading.measure,
}


def parser() -> argparse.ArgumentParser:
    """The options, held by tests to what this page says of them."""
    made = argparse.ArgumentParser(prog="python -m bench", description="Speed and memory beside what users run today.")
    made.add_argument("--quick", action="store_true", help="small sizes, once each: only to see that it runs")
    made.add_argument("--only", choices=LINES, action="append", metavar="NAME", help=f"only these: {', '.join(LINES)}")
    made.add_argument("--images", type=Path, metavar="FOLDER", help="photographs to use in place of drawn pictures")
    made.add_argument("--json", type=Path, metavar="FILE", help="keep machine and numbers in this file too")
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for; the table goes to stdout, progress to stderr."""
    given = parser().parse_args(arguments)
    sizes, started = QUICK if given.quick else FULL, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(folder=Path(folder), paths=_pictures(given.images, Path(folder), sizes), sizes=sizes)
        lines = [line for name in given.only or LINES for line in _measured(name, workshop)]
    print(markdown(lines))
    print("\n" + ", ".join(f"{key}: {value}" for key, value in machine().items()))
    print(f"alternating repeats: {sizes.repeats}; {time.perf_counter() - started:.0f} s in all")
    if given.json:
        given.json.write_text(json.dumps(as_json(lines), indent=1) + "\n")


def _pictures(images: Path | None, folder: Path, sizes: Sizes) -> list[Path]:
    if images is None:
        return write_pictures(folder / "pictures", sizes.pictures)
    found = sorted(path for path in images.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if len(found) < sizes.pictures:
        sys.exit(f"{images} holds {len(found)} JPEG files; {sizes.pictures} are needed")
    return found[: sizes.pictures]


def _measured(name: str, workshop: Workshop) -> list[Line]:
    started = time.perf_counter()
    lines = LINES[name](workshop)
    print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    return lines


if __name__ == "__main__":
    main()
