"""A small network with classes, its atlas over drawn pictures, and an engine over both."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import layerscope as ls
from layerscope.atlas.read import AtlasFile
from layerscope.live.engine import InferenceEngine
from layerscope.live.opening import open_engine
from layerscope.sources import Source
from tests.helpers.building import LAYERS, pictures_as_files

# A network as users name it: a file with a function, here always with the same weights.
NETWORK = """
from tests.helpers.building import INPUT, Small
from tests.helpers.networks import randomise
import torch

def small():
    example = torch.randn(4, *INPUT.shape, generator=torch.Generator().manual_seed(0))
    return randomise(Small(), 0, example)

def another():
    return randomise(Small(), 1)
"""


@dataclass(frozen=True)
class Made:
    """net: the traced network. spec: of it. source: the atlas's images. atlas: the file. engine: over both."""

    net: ls.Network
    spec: str
    source: Source
    atlas: Path
    engine: InferenceEngine

    def encoded(self, image: int) -> bytes:
        """The file of one image of the atlas."""
        with AtlasFile(self.atlas) as file:
            return (self.atlas.parent / "photos" / file.image(image).source).read_bytes()

    def prepared(self, image: int) -> np.ndarray:
        """The network's input of the same image, as the source gives it."""
        return self.source.load([image], self.net.input).pixels


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Sixteen pictures, all layers with a map and the hidden dense one; tiles are kept exactly."""
    folder = tmp_path_factory.mktemp("live")
    network = folder / "net.py"
    network.write_text(NETWORK)
    spec = f"{network}:small"
    photos = pictures_as_files(folder / "photos", 16)
    source, net = ls.images(photos), ls.trace(spec)
    ls.build(net, source, folder / "small.atlas", layers=LAYERS, codec="png", progress=False, dense=True).close()
    engine = open_engine(AtlasFile(folder / "small.atlas"), spec)
    return Made(net, spec, source, folder / "small.atlas", engine)


@pytest.fixture(scope="session")
def decoded() -> Callable[[bytes], np.ndarray]:
    """The px of an encoded picture, as it says them: gray or colours."""
    return lambda encoded: np.asarray(Image.open(io.BytesIO(encoded)))
