"""Scan a folder of small pictures with a tiny network, and print this process's peak memory in MB."""

import resource
import sys
import tempfile
from pathlib import Path

import torch
from torch import nn

import layerscope as ls
from bench.scan_files import scan_stage
from bench.subjects import Subject
from layerscope.sources import open_source

SIDE = 64


def tiny() -> Subject:
    """Three convolutions with seeded random weights."""
    torch.manual_seed(0)
    modules: list[nn.Module] = []
    for channels, units in ((3, 16), (16, 32), (32, 64)):
        modules += [nn.Conv2d(channels, units, 3, stride=2, padding=1), nn.ReLU()]
    model = nn.Sequential(*modules).eval()
    network = ls.trace(model, ls.Input(channels=3, height=SIDE, width=SIDE))
    return Subject(model, network, tuple(layer for layer in network.layers if layer.auto))


def peak_megabytes() -> float:
    """The most memory this process has held."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux hands ru_maxrss on from the process that started this one, so there it would be the parent's peak.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 1024)


def main(folder: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        scan_stage(open_source(folder), tiny(), Path(scratch, "scan.atlas"))
    print(f"{peak_megabytes():.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
