"""What a run was made on and with: the machine, the versions of all that computes, and the state of the sources.

No name of a host and no path: a bundle is published.
"""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from PIL import features

from layerscope import __version__

ROOT = Path(__file__).parents[1]
PACKAGES = ("torch", "torchvision", "numpy", "pillow", "captum")


def machine() -> dict[str, Any]:
    """The machine, as plain values."""
    return {
        "processor": _processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory, GB": _gigabytes(),
        "torch threads": torch.get_num_threads(),
        "load": load(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def load() -> float | None:
    """How many processes wanted to compute in the last minute, on average: on a quiet machine at most this run's."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def versions() -> dict[str, str | None]:
    """The versions of all that computes; None for what is not there."""
    found = {"layerscope": __version__, "python": platform.python_version()}
    libraries = {"oneDNN": _onednn(), "libjpeg-turbo": features.version("libjpeg_turbo")}
    return {**found, **{name: _installed(name) for name in PACKAGES}, **libraries}


def sources(root: Path = ROOT) -> dict[str, Any]:
    """The commit of a checkout, and whether its files are those of the commit; None where git does not say."""
    commit, changed = (_git(root, *words) for words in (("rev-parse", "HEAD"), ("status", "--porcelain")))
    return {"commit": commit, "clean": None if changed is None else not changed}


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _onednn() -> str | None:
    found = re.search(r"MKL-DNN v(\S+)", torch.__config__.show())
    return found and found[1]


def _processor() -> str:
    """The processor's name; on Linux the platform module does not know it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _gigabytes() -> int | None:
    if not hasattr(os, "sysconf"):
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
