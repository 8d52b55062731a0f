"""A build by the engine `ray` that is killed: `python -m tests.ray.killed ATLAS IMAGES STAGE STEPS ADDRESS`."""

import sys
from pathlib import Path

from layerscope.testing.atlases import Subject
from layerscope.testing.watching import Hook, die
from tests.helpers.building import small_network

if __name__ == "__main__":
    out, images, stage, after, address = sys.argv[1:]
    options = {"k": 3, "methods": ("deconvnet",), "workers": 1}
    subject = Subject(small_network(), images, ("relu1", "relu3"), options)
    hook = Hook(stage_name=stage, after=int(after), do=die)
    subject.build(Path(out), progress=hook, engine="ray", address=address, processes=2)
