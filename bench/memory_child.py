"""Scan a folder of small pictures with a network, and print this process's peak memory in MB while it scanned."""

import resource
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

import layerscope as ls
from bench.memory import SIDE, TINY
from bench.scan_files import scan_stage
from bench.subjects import Subject
from layerscope.models import load
from layerscope.sources import open_source


def small(name: str) -> Subject:
    """A network of torchvision that sees pictures of 64 x 64 px, or the tiny one."""
    if name == TINY:
        return tiny()
    loaded = load(f"torchvision:{name}/none")
    assert isinstance(loaded.model, nn.Module) and loaded.input is not None
    return _traced(loaded.model.eval(), replace(loaded.input, height=SIDE, width=SIDE))


def tiny() -> Subject:
    """Three convolutions with seeded random weights."""
    torch.manual_seed(0)
    modules: list[nn.Module] = []
    for channels, units in ((3, 16), (16, 32), (32, 64)):
        modules += [nn.Conv2d(channels, units, 3, stride=2, padding=1), nn.ReLU()]
    return _traced(nn.Sequential(*modules).eval(), ls.Input(channels=3, height=SIDE, width=SIDE))


def _traced(model: nn.Module, input: ls.Input) -> Subject:
    network = ls.trace(model, input)
    return Subject(model, network, tuple(layer for layer in network.layers if layer.auto))


def forget_peak() -> None:
    """Begin anew with the most memory held: reading a network takes more than scanning with it. Linux alone can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_megabytes() -> float:
    """The most memory this process has held."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux hands ru_maxrss on from the process that started this one, so there it would be the parent's peak.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 1024)


def main(folder: str, name: str) -> None:
    network = small(name)
    forget_peak()
    with tempfile.TemporaryDirectory() as scratch:
        scan_stage(open_source(folder), network, Path(scratch, "scan.atlas"))
    print(f"{peak_megabytes():.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
