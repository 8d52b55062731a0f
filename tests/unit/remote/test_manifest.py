"""A manifest gives back the listing that was kept, of these addresses alone, and never half of it."""

import gzip
import json
from pathlib import Path

import pytest

from layerscope.core.addresses import manifest_of
from layerscope.remote import manifest
from layerscope.remote.manifest import Listed
from layerscope.sources.clutter import OURS, role
from layerscope.sources.entries import SHORT
from layerscope.sources.listing import Entry, FileListing

ASKED = ["s3://bucket/p"]


def listed(count: int) -> Listed:
    entries = [
        Entry(
            identity=f"a/\N{SNOWMAN}{n}.jpg", size=None if n == 1 else n, label=None if n == 2 else "a", path=f"p/{n}"
        )
        for n in range(count)
    ]
    found = FileListing(entries=entries, everything=[], said=["one", "two"], of_classes=["two"])
    return Listed(found=found, name="s3://bucket/p", counted="file", versions={"p/x.tar": (7, "etag")})


@pytest.mark.parametrize("count", [5, SHORT + 5])
def test_what_was_kept_comes_back(tmp_path: Path, count: int) -> None:
    """Every entry in its place, remarks, versions; twice the same bytes; long lists without being held."""
    path, kept = manifest_of(tmp_path / "x.atlas"), listed(count)
    manifest.write(path, ASKED, kept)
    first = path.read_bytes()
    found = manifest.read(path, ASKED)
    assert found is not None and list(found.found.entries) == kept.found.entries and found.versions == kept.versions
    assert (found.name, found.counted, found.found.said) == (kept.name, kept.counted, kept.found.said)
    manifest.write(path, ASKED, kept)
    assert path.read_bytes() == first and path.name == "x.atlas.manifest"
    assert role(path.name, lambda: first) == OURS


def test_of_others_broken_or_newer_it_is_none(tmp_path: Path) -> None:
    """Then the store is listed."""
    path = tmp_path / "x.atlas.manifest"
    assert manifest.read(path, ASKED) is None
    manifest.write(path, ASKED, listed(9))
    whole = path.read_bytes()
    assert manifest.read(path, ["s3://bucket/q"]) is None
    for keep in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:keep])
        assert manifest.read(path, ASKED) is None
    lines = gzip.decompress(whole).splitlines(keepends=True)
    newer = json.dumps(json.loads(lines[0]) | {"format": manifest.FORMAT + 1}).encode() + b"\n"
    for content in (lines[:-1], [newer, *lines[1:]], [b"[]\n"], [lines[0], b"[1]\n" * 9]):
        path.write_bytes(gzip.compress(b"".join(content)))
        assert manifest.read(path, ASKED) is None
