"""A build by the engine `ray` in which somebody is killed, behind so many steps of a stage:
`python -m tests.ray.killed ATLAS IMAGES STAGE STEPS writer|actor ADDRESS`."""

import os
import signal
import sys
import time
from pathlib import Path

import ray

from layerscope.testing.atlases import Subject
from layerscope.testing.watching import Hook, die
from tests.helpers.building import small_network


def actors() -> list[int]:
    """The processes of all actors that make pieces for the cluster that this process is connected to, and no other's:
    each is a child of its machine's raylet, which was told the cluster's address."""
    ours, found = ray.get_runtime_context().gcs_address.encode(), []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().startswith(b"ray::PieceMaker"):
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                if b"=" + ours + b"\0" in Path("/proc", parent, "cmdline").read_bytes():
                    found.append(int(entry.name))
        except OSError:
            continue
    return found


def gone() -> bool:
    """Whether no actor is left: they end soon after they were told to."""
    until = time.monotonic() + 20
    while actors() and time.monotonic() < until:
        time.sleep(0.1)
    return not actors()


def kill_an_actor() -> None:
    """Any of them."""
    os.kill(actors()[0], signal.SIGKILL)


if __name__ == "__main__":
    out, images, stage, after, whom, address = sys.argv[1:]
    options = {"k": 3, "methods": ("deconvnet",), "workers": 1}
    subject = Subject(small_network(), images, ("relu1", "relu3"), options)
    hook = Hook(stage_name=stage, after=int(after), do=die if whom == "writer" else kill_an_actor)
    subject.build(Path(out), progress=hook, engine="ray", address=address, processes=2)
