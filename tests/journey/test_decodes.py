"""Each picture is decoded twice at most: when the source is opened or an earlier stage let go of it, and once more."""

import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import layerscope as ls
from layerscope.atlas.compare import content_digest
from layerscope.pipeline import build as building
from layerscope.sources import ImageCache
from layerscope.sources import image as one_image
from tests.helpers.building import INPUT, LAYERS, K, Log

COUNT = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    for image in range(COUNT):
        Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8)).resize((320, 240)).save(folder / f"{image:02}.jpg")
    return folder


def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[bytes]:
    """From now on, how often each file's bytes are decoded."""
    found, plain = Counter[bytes](), one_image.decode

    def decode(data: bytes, **options):
        found[data] += 1
        return plain(data, **options)

    monkeypatch.setattr(one_image, "decode", decode)
    return found


def with_room_for(images: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds keep so many images."""
    each = INPUT.height * INPUT.width * 3 + 160 * 160 * 3
    monkeypatch.setattr(
        building, "ImageCache", lambda input, pictures: ImageCache(input, pictures=pictures, most=round(images * each))
    )


@pytest.mark.parametrize("kind", ["folder", pytest.param("tar", marks=pytest.mark.wide)])
def test_no_picture_is_decoded_more_than_twice(kind: str, folder, net, tmp_path, monkeypatch) -> None:
    """In all stages together, opening included; most of them once."""
    images = folder
    if kind == "tar":
        images = tmp_path / "all.tar"
        with tarfile.open(images, "w") as tar:
            for path in sorted(folder.iterdir()):
                tar.add(path, path.name)
    decodes = counted(monkeypatch)
    ls.build(net, images, out=tmp_path / "a.atlas", layers=LAYERS, k=K, progress=False).close()
    assert len(decodes) == COUNT and max(decodes.values()) <= 2
    assert sum(decodes.values()) == COUNT + 1, "only the first is decoded when the source is opened"


@pytest.mark.parametrize("room", [7, *(pytest.param(room, marks=pytest.mark.wide) for room in (0, 1000))])
def test_whatever_there_is_room_for_the_atlas_is_the_same(room: int, folder, net, tmp_path, monkeypatch) -> None:
    """With room for no image, some or all: the same rows; what is kept only saves decodes."""
    ls.build(net, folder, out=tmp_path / "whole.atlas", layers=LAYERS, k=K, progress=False).close()
    with_room_for(room, monkeypatch)
    decodes = counted(monkeypatch)
    ls.build(net, folder, out=tmp_path / "a.atlas", layers=LAYERS, k=K, progress=Log()).close()
    assert content_digest(tmp_path / "a.atlas") == content_digest(tmp_path / "whole.atlas")
    assert (sum(decodes.values()) == COUNT + 1) == (room >= COUNT)
