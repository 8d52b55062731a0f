"""`layerscope layers` of a network that it meets for the first time, and of one that it has seen: processor seconds."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from bench.report import Aim, Line
from bench.timing import alternate
from bench.workshop import Workshop

# Of a whole command: imports, building, exporting, replaying, printing.
AIM = Aim(shown="at most 0.3", at_most=0.3)


def measure(workshop: Workshop) -> Iterator[Line]:
    """The second over the first, each in a process of its own; before every first one the cache is deleted."""
    folder = workshop.folder / "cache"

    def first() -> float:
        shutil.rmtree(folder, ignore_errors=True)
        return processor_seconds(workshop.sizes.listed, str(folder))

    turns = {"first": first, "second": lambda: processor_seconds(workshop.sizes.listed, str(folder))}
    found = alternate(turns, repeats=workshop.sizes.repeats)
    yield Line(
        name="layers",
        what=f"layerscope layers {workshop.sizes.listed}, processor time: the second time / the first",
        samples=found,
        above=("second",),
        below=("first",),
        aim=AIM,
    )


def processor_seconds(network: str, cache: str) -> float:
    """What one command takes of all cores together, user and system."""
    before = os.times()
    command = [sys.executable, "-m", "layerscope.cli", "layers", network, "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "LAYERSCOPE_CACHE": cache})
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
