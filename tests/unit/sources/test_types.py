"""The types of images say what the table of kinds takes: whatever is of one opens, and whatever is not is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from beartype.door import is_bearable
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, Subset
from torchvision.datasets import ImageFolder

from layerscope.core.errors import LayerscopeError
from layerscope.sources import open_source
from layerscope.sources.types import ImageFiles, Images

PICTURE = Image.new("RGB", (8, 6), "red")


class Mine:
    """A Dataset that is made from no class of torch."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return PICTURE, index


class Stream(IterableDataset):
    def __iter__(self):
        yield PICTURE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("types")
    for label in ("ant", "bee"):
        (made / label).mkdir()
        PICTURE.save(made / label / "0.png")
    return made


def files(folder: Path) -> list[Any]:
    """Each way to name files."""
    first = folder / "ant" / "0.png"
    return [
        str(folder),
        folder,
        f"{folder}/*/*.png",
        first,
        [str(first), folder / "bee" / "0.png"],
        open_source(folder),
    ]


def datasets(folder: Path) -> list[Any]:
    """Each way to hand pictures over."""
    return [
        ImageFolder(str(folder)), Subset(ImageFolder(str(folder)), [1]), Mine(), [PICTURE], (np.asarray(PICTURE),),
        [torch.zeros(3, 6, 8, dtype=torch.uint8)], np.zeros((2, 6, 8, 3), np.uint8),
    ]  # fmt: skip


def test_what_is_of_the_type_opens(folder: Path) -> None:
    """Files are of both types, Datasets of the wider one alone; all of them open."""
    for images in (*files(folder), *datasets(folder)):
        assert is_bearable(images, Images), images
        assert len(open_source(images)) > 0
    assert all(is_bearable(images, ImageFiles) for images in files(folder))
    assert not any(is_bearable(images, ImageFiles) for images in datasets(folder))


NOT_OF_THE_TYPE = [7, None, iter([PICTURE]), Stream(), DataLoader(Mine())]


@pytest.mark.parametrize("images", NOT_OF_THE_TYPE, ids=lambda images: type(images).__name__)
def test_what_is_not_of_the_type_is_refused(images: Any) -> None:
    """What cannot be read by number, or has no end that is known."""
    assert not is_bearable(images, Images)
    with pytest.raises(LayerscopeError):
        open_source(images)
