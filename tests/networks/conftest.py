"""Networks made by other people's packages, from random weights, as those packages write them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a lying and an upright picture."""
    folder, random = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for name, size in {"a.png": (160, 120), "b.png": (100, 140), "odd.png": (101, 140)}.items():
        soft = Image.fromarray(random.integers(0, 256, (7, 9, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
        soft.save(folder / name)
    return folder
