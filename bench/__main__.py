"""`python -m bench`: measure, keep all of it in a bundle, and print a Markdown table; or make the table of bundles."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench import (
    ablating,
    beside,
    building,
    forwards,
    layers,
    memory,
    merging,
    photographs,
    projections,
    proposing,
    reading,
    request,
    residual,
    scanning,
    sharing,
)
from bench.against import differences, fallen
from bench.bundle import Bundle, BundleError, BundleWriter, pictures_hash, read_bundle
from bench.machine import load, machine, sources, versions
from bench.page import with_tables
from bench.pictures import write_pictures
from bench.report import LeftOut, Line
from bench.sizes import FULL, QUICK, Sizes
from bench.subjects import OPENED
from bench.workshop import Workshop
from layerscope.pipeline.settings import weights_hash

LINES: dict[str, Callable[[Workshop], Iterator[Line]]] = {
    "forwards": forwards.measure,
    "scan": scanning.measure,
    "request": request.measure,
    "projections": projections.measure,
    "build": building.measure,
    "beside": beside.measure,
    "stages": residual.measure,
    "proposing": proposing.measure,
    "ablating": ablating.measure,
    "sharing": sharing.measure,
    "photographs": photographs.measure,
    "memory": memory.measure,
    "merging": merging.measure,
    "layers": layers.measure,
    "reading": reading.measure,
}
BUNDLES = Path("build/bench")


def parser() -> argparse.ArgumentParser:
    """The options, held by tests to what this page says of them."""
    made = argparse.ArgumentParser(prog="python -m bench", description="Speed and memory beside what users run today.")
    made.add_argument("--quick", action="store_true", help="smaller sizes and fewer lines: a check of a change")
    made.add_argument("--only", choices=LINES, action="append", metavar="NAME", help=f"only these: {', '.join(LINES)}")
    made.add_argument("--images", type=Path, metavar="FOLDER", help="photographs to use in place of drawn pictures")
    made.add_argument("--old", type=Path, metavar="FOLDER", help="another checkout, whose whole builds take turns")
    made.add_argument("--out", type=Path, metavar="FILE", help=f"the bundle; without it a new one in {BUNDLES}")
    made.add_argument("--against", type=Path, metavar="FILE", help="an earlier bundle: say which lines fell, exit 1")
    instead = made.add_mutually_exclusive_group()
    instead.add_argument("--table", type=Path, nargs="+", metavar="FILE", help="measure nothing: tables of bundles")
    instead.add_argument("--page", type=Path, metavar="FILE", help="measure nothing: make a page's tables anew")
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what is asked for; the table goes to stdout, progress to stderr."""
    given = parser().parse_args(arguments)
    try:
        if given.table:
            print("\n\n".join(read_bundle(path).markdown() for path in given.table))
        elif given.page:
            given.page.write_text(with_tables(given.page), encoding="utf-8")
        else:
            earlier = read_bundle(given.against) if given.against else None
            made = read_bundle(_measured(given))
            print(made.markdown())
            if earlier:
                _compare(made, earlier)
    except BundleError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")


def _measured(given: argparse.Namespace) -> Path:
    """Measure what is asked for; the file that holds it."""
    sizes: Sizes = QUICK if given.quick else FULL
    if given.old and not (given.old / "layerscope").is_dir():
        sys.exit(f"{given.old} is no checkout of layerscope")
    with tempfile.TemporaryDirectory() as folder:
        paths = _pictures(given.images, Path(folder), sizes)
        workshop = Workshop(folder=Path(folder), paths=paths, sizes=sizes, old=given.old and given.old.resolve())
        out = given.out or BUNDLES / f"{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
        pictures = {"of": "photographs" if given.images else "drawn pictures", "count": len(paths)}
        head = {"sizes": asdict(sizes), "machine": machine(), "versions": versions(), "sources": sources()}
        writer = BundleWriter(out, {**head, "pictures": {**pictures, "sha256": pictures_hash(paths)}})
        for name in given.only or sizes.measured:
            measure(name, workshop, writer)
        writer.note("machine", "load at the end", load())
        writer.finish()
    print(f"kept in {out}", file=sys.stderr)
    return out


def measure(name: str, workshop: Workshop, writer: BundleWriter) -> None:
    """One measurement; its lines are kept one by one."""
    started = time.perf_counter()
    try:
        for line in LINES[name](workshop):
            writer.add(line)
    except LeftOut as why:
        writer.note("left out", name, str(why))
    for network, opened in OPENED.items():
        writer.note("networks", network, weights_hash(opened.network.program))
    seconds = time.perf_counter() - started
    writer.note("seconds", name, round(seconds, 1))
    print(f"{name}: {seconds:.0f} s", file=sys.stderr)


def _pictures(images: Path | None, folder: Path, sizes: Sizes) -> list[Path]:
    if images is None:
        return write_pictures(folder / "pictures", sizes.pictures)
    found = sorted(path for path in images.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if len(found) < sizes.pictures:
        sys.exit(f"{images} holds {len(found)} JPEG files; {sizes.pictures} are needed")
    return found[: sizes.pictures]


def _compare(new: Bundle, old: Bundle) -> None:
    """Say what fell; exit status 1 where something did."""
    found = fallen(new, old)
    for difference in differences(new, old):
        print(f"not the same in the earlier run: {difference}", file=sys.stderr)
    if found:
        sys.exit("\n".join(("lines that fell by more than the spread:", *found)))
    print("no line fell by more than the spread", file=sys.stderr)


if __name__ == "__main__":
    main()
