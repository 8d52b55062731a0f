"""A listing that is compared with the one that was kept reads no archive again that has not changed."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from layerscope.remote import opening
from layerscope.sources import open_source

pytest.importorskip("fsspec")


def packed(colours: list[str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for number, colour in enumerate(colours):
            picture = io.BytesIO()
            Image.new("RGB", (8, 8), colour).save(picture, "bmp")
            member = tarfile.TarInfo(f"{number}.bmp")
            member.size = picture.tell()
            picture.seek(0)
            tar.addfile(member, picture)
    return out.getvalue()


def put(path: Path, *shards: bytes) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for number, shard in enumerate(shards):
            file.writestr(f"shards/{number}.tar", shard)


def test_archives_that_are_the_same_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what their store says of them; of others, and without a manifest, the members are listed anew. Nothing is
    written: the next build goes on with what it listed."""
    read: list[int] = []
    in_tars = opening.in_tars

    def counted(paths, *args, **how):
        read.append(len(paths))
        return in_tars(paths, *args, **how)

    monkeypatch.setattr(opening, "in_tars", counted)
    address, manifest = f"zip://shards/*.tar::{tmp_path / 'all.zip'}", tmp_path / "a.atlas.manifest"
    first, second, other = packed(["red", "blue"]), packed(["green"]), packed(["green", "white"])
    put(tmp_path / "all.zip", first, second)
    assert len(open_source(address, manifest=manifest, compared=True)) == 3 and not manifest.exists()
    listed = list(open_source(address, manifest=manifest).entries)
    kept = manifest.read_bytes()
    assert list(open_source(address, manifest=manifest, compared=True).entries) == listed and read == [2, 2]
    put(tmp_path / "all.zip", first, other)
    assert len(open_source(address, manifest=manifest, compared=True)) == 4 and read == [2, 2, 2]
    assert manifest.read_bytes() == kept
