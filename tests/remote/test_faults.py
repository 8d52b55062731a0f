"""Stores that fail: what helps is tried again, what does not is said once, and no secret is told to anybody."""

import gzip
import logging
from pathlib import Path

import pytest

import layerscope as ls
from layerscope.atlas.compare import content_digest
from layerscope.core.errors import ImageError, LayerscopeError, UsageError
from layerscope.core.records import Input
from layerscope.remote import storage
from layerscope.remote.answers import ATTEMPTS
from layerscope.sources import open_source
from layerscope.testing.atlases import same_rows
from layerscope.testing.watching import Log
from tests.helpers.building import pictures_as_files
from tests.remote.stores import CONTENTS, DENIED, KEY, SECRET, SLOW_DOWN, Proxied, Put, packed, picture, proxied

INPUT = Input(height=16, width=16)
NAMES = ("ant/0.jpg", "ant/1.jpg", "bee/2.png", "bee/3.jpg")


@pytest.fixture
def plain(bucket: Put) -> Put:
    """Four sound pictures in the bucket."""
    for name in NAMES:
        bucket(f"p/{name}", CONTENTS[name])
    return bucket


def reads(s3: Proxied, name: str) -> int:
    return sum(path.endswith(name) for _, path in s3.asked)


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("status", {"status": 503, "body": SLOW_DOWN}), ("status", {"status": 500}), ("status", {"status": 429}),
        ("short", {}), ("cut", {}),
    ],
)  # fmt: skip
def test_what_passes_is_tried_again_and_what_stays_is_left_out(plain: Put, s3: Proxied, kind: str, how: dict) -> None:
    """Throttled, failing, short and broken answers: a few are no matter; for good they cost the one image."""
    source = open_source("s3://photos/p")
    s3.asked.clear()
    s3.fail(kind, "1.jpg", times=ATTEMPTS - 1, **how)
    records = source.load(range(4), INPUT).records
    assert [record.skipped for record in records] == [None] * 4 and reads(s3, "1.jpg") == ATTEMPTS
    s3.asked.clear()
    s3.faults.clear()
    s3.fail(kind, "1.jpg", **how)
    records = source.load(range(4), INPUT).records
    assert [record.skipped is None for record in records] == [True, False, True, True]
    assert "unreadable: " in (records[1].skipped or "")
    assert sum(path.endswith("1.jpg") and method == "GET" for method, path in s3.asked) == ATTEMPTS


def test_a_store_that_falls_silent_stops_the_run_and_leaves_nothing_out(plain: Put, s3: Proxied) -> None:
    """An hour without a network says nothing of the images of that hour."""
    source = open_source("s3://photos/p")
    source.load([0], INPUT)
    s3.fail("status", status=503, body=SLOW_DOWN)
    with pytest.raises(
        ImageError, match=r"cannot be read just now \(status 503, 5 times\).*run the same command again"
    ):
        source.load([1], INPUT)
    assert not source.skipped
    s3.faults.clear()
    assert source.load([1], INPUT).records[0].skipped is None


@pytest.mark.parametrize("at", ["listing", "reading"])
def test_what_is_forbidden_is_said_at_once(plain: Put, s3: Proxied, at: str) -> None:
    """One question, one sentence that says where credentials come from, and nothing of what the store said."""
    if at == "reading":
        source = open_source("s3://photos/p")
    s3.fail("status", "", method="", status=403, body=DENIED)
    s3.asked.clear()
    with pytest.raises(ImageError, match="may not be read with the credentials of this machine") as raised:
        open_source("s3://photos/p") if at == "listing" else source.load([1], INPUT)
    assert "AWS_ACCESS_KEY_ID" in str(raised.value) and KEY not in str(raised.value)
    assert len(s3.asked) <= 2


def test_without_credentials_it_is_said(
    plain: Put, s3: Proxied, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before anything is asked."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ImageError, match="may not be read with the credentials of this machine, or there are none"):
        open_source("s3://photos/p")


def test_what_changed_since_it_was_listed_is_said(plain: Put, s3: Proxied) -> None:
    """A file of another size, an archive of another version; what is gone is left out with its reason."""
    source = open_source("s3://photos/p")
    plain("p/ant/1.jpg", picture(9))
    with pytest.raises(
        ImageError, match=r'"s3://photos/p/ant/1\.jpg" has changed since it was listed \(1,823 bytes then'
    ):
        source.load([1], INPUT)
    for ending, mode in (("tar", "w"), ("tgz", "w:gz")):
        plain(f"all.{ending}", packed(CONTENTS, mode))
        archive = open_source(f"s3://photos/all.{ending}")
        plain(f"all.{ending}", packed(dict(reversed(CONTENTS.items())), mode))
        storage._LOOKED_AT.clear()  # as another process would
        with pytest.raises(ImageError, match=rf"all\.{ending}. has changed since it was listed"):
            archive.load([1], INPUT)


def test_a_web_server_that_fails_is_not_said_to_miss_a_file(tmp_path: Path, photos: Path, web: str) -> None:
    """fsspec calls whatever a web server fails with a missing file."""
    state, server = proxied(web)
    try:
        state.fail("status", "photos/", method="", status=503, times=2)
        assert len(open_source(f"{state.address}/photos/")) == 6
        state.fail("status", "photos/", method="", status=503)
        with pytest.raises(ImageError, match="cannot be listed: status 503"):
            open_source(f"{state.address}/photos/")
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def drawn(bucket: Put, tmp_path: Path) -> Path:
    """A folder of 40 pictures, and the same in the bucket."""
    folder = pictures_as_files(tmp_path / "drawn", 40)
    for path in sorted(folder.rglob("*.png")):
        bucket(f"drawn/{path.relative_to(folder).as_posix()}", path.read_bytes())
    return folder


def built(net, images, out: Path, **options) -> Log:
    log = Log()
    ls.build(net, images, out, layers=[net.layers[0].name], k=3, codec="png", progress=log, **options).close()
    return log


def test_rows_are_those_of_the_folder_and_the_second_run_lists_nothing(
    net, drawn: Path, s3: Proxied, tmp_path: Path
) -> None:
    """All tables but those of the making; with faults on the way; by the manifest, which names no credential."""
    built(net, drawn, tmp_path / "here.atlas")
    out = tmp_path / "there.atlas"
    s3.fail("status", "drawn/", status=503, body=SLOW_DOWN, times=1)
    built(net, "s3://photos/drawn", out)
    expected = content_digest(tmp_path / "here.atlas")
    same_rows(out, expected)
    manifest = tmp_path / "there.atlas.manifest"
    told = gzip.decompress(manifest.read_bytes())
    for held in (out.read_bytes(), told):
        assert SECRET.encode() not in held and KEY.encode() not in held
    s3.asked.clear()
    built(net, "s3://photos/drawn", out)
    assert not [path for _, path in s3.asked if "list-type" in path]
    before = manifest.stat().st_mtime_ns
    built(net, "s3://photos/drawn", out, overwrite=True)
    assert [path for _, path in s3.asked if "list-type" in path] and manifest.stat().st_mtime_ns > before
    same_rows(out, expected)


def test_another_listing_does_not_go_on(net, drawn: Path, bucket: Put, s3: Proxied, tmp_path: Path) -> None:
    """Where the manifest is lost, or broken, the store is listed, and what is there now is not what was there."""
    out = tmp_path / "there.atlas"
    built(net, "s3://photos/drawn", out)
    manifest = tmp_path / "there.atlas.manifest"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    built(net, "s3://photos/drawn", out)
    bucket("drawn/more.jpg", picture(1))
    built(net, "s3://photos/drawn", out)  # it does not know of it
    manifest.unlink()
    with pytest.raises(LayerscopeError, match="images"):
        built(net, "s3://photos/drawn", out)


def test_no_secret_of_an_address_is_told(photos: Path, web: str, net, tmp_path: Path, caplog, capsys) -> None:
    """A signed link is used, and neither shown nor stored; a password is refused."""
    caplog.set_level(logging.INFO)
    out = tmp_path / "web.atlas"
    link = f"{web}/photos/ant/0.jpg?X-Amz-Signature={SECRET}"
    source = open_source(link)
    assert SECRET not in f"{source.name} {source!r} {source.listing()}"
    assert source.listing() == [("0.jpg", len(CONTENTS["ant/0.jpg"]))]
    log = built(net, [link, f"{web}/photos/ant/1.jpg?sig={SECRET}"], out)
    assert SECRET.encode() not in out.read_bytes() and not out.with_name("web.atlas.manifest").exists()
    said = [str(log.__dict__)]
    for wrong in (
        f"{web}/none.jpg?sig={SECRET}",
        f"az://me:{SECRET}@b/x",
        f"s3://k:{SECRET}@photos/p",
        f"zip://a::{link}",
    ):
        with pytest.raises((ImageError, UsageError)) as raised:
            open_source(wrong)
        said.append(str(raised.value))
    assert SECRET not in " ".join(said) + caplog.text + "".join(capsys.readouterr())
