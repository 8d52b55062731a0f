"""Small pictures, as files and as bytes."""

import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Draw = Callable[..., Image.Image]
Encode = Callable[..., bytes]


def _draw(seed: int, height: int = 24, width: int = 32, mode: str = "RGB") -> Image.Image:
    colours = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(colours).convert(mode)


def _encode(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format=format, **options)
    return file.getvalue()


@pytest.fixture(scope="session")
def draw() -> Draw:
    """A picture of seeded noise."""
    return _draw


@pytest.fixture(scope="session")
def encode() -> Encode:
    """The bytes of a picture's file."""
    return _encode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures of two classes and one at the root, among files that are no pictures, and one duplicate."""
    root = tmp_path / "photos"
    good = _encode(_draw(0), "JPEG")
    contents = {
        "a/1.jpg": good,
        "a/broken.png": _encode(_draw(1))[:300],
        "b/2.png": _encode(_draw(2, 40, 20)),
        "b/again.jpg": good,
        "b/deep/3.webp": _encode(_draw(3), "WEBP", lossless=True),
        "empty.jpg": b"",
        "notes.txt": b"not a picture",
        "z.gif": _encode(_draw(4), "GIF"),
        ".hidden.jpg": good,
        "b/Thumbs.db": b"thumbs",
    }
    for name, content in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


@pytest.fixture(scope="session")
def pack() -> Callable[[Path, Mapping[str, bytes]], Path]:
    """Write a .tar of these members, in this order."""

    def write(path: Path, members: Mapping[str, bytes]) -> Path:
        with tarfile.open(path, "w") as archive:
            for name, content in members.items():
                header = tarfile.TarInfo(name)
                header.size = len(content)
                archive.addfile(header, io.BytesIO(content))
        return path

    return write
