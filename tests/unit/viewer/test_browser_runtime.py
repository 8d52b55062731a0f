"""Of ONNX Runtime Web one version is taken, byte by byte; anything else is a sentence that says how to get that."""

import bz2
import gzip
import lzma
import zlib
from pathlib import Path

import numpy as np
import pytest

from layerscope.core.errors import UsageError
from layerscope.viewer.export.browser_runtime import HOW, PACKAGE, PINNED, VERSION, browser_runtime
from tests.docs.pages import DOCS
from tests.helpers.browser_runtime import FAKE, fetched, package, pinned_to_fake


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned_to_fake(monkeypatch)


def test_npms_file_and_its_folders_are_read(tmp_path: Path) -> None:
    """The file; the folder of node_modules; the folder that was unpacked; its dist."""
    found = [browser_runtime(package(tmp_path / "it.tgz"))]
    for folder in ("node/dist", "unpacked/package/dist", "plain"):
        (tmp_path / folder).mkdir(parents=True)
        for name, content in FAKE.items():
            (tmp_path / folder / name).write_bytes(content)
    found += [browser_runtime(tmp_path / name) for name in ("node", "unpacked", "plain")]
    assert {(one.script, one.glue, one.binary) for one in found} == {tuple(FAKE.values())}


def test_anything_else_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """No file, no package, one that lacks a file, and one of another version."""
    (tmp_path / "text.tgz").write_text("no package")
    package(tmp_path / "less.tgz", {name: FAKE[name] for name in list(FAKE)[:2]})
    package(tmp_path / "other.tgz", FAKE | {"ort.wasm.min.js": b"var ort = 2;"})
    cut = package(tmp_path / "whole.tgz").read_bytes()
    (tmp_path / "cut.tgz").write_bytes(cut[: len(cut) // 2])
    (tmp_path / "empty").mkdir()
    for name, said in (
        ("none.tgz", "there is no file"), ("text.tgz", "cannot be read as a package of npm"),
        ("less.tgz", "does not hold dist/ort-wasm-simd-threaded.wasm"), ("cut.tgz", "cannot be read|does not hold"),
        ("other.tgz", f"is not that of {PACKAGE} {VERSION}"), ("empty", "does not hold dist/ort.wasm.min.js"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=said) as refused:
            browser_runtime(tmp_path / name)
        assert str(refused.value).endswith(HOW) and "\n" not in str(refused.value)


def test_a_damaged_package_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """However it is compressed, and however far it can be read."""
    large = np.random.default_rng(0).bytes(1 << 16)
    plain = gzip.decompress(package(tmp_path / "whole.tgz", {"other.js": large} | FAKE).read_bytes())
    begun = zlib.compressobj(wbits=31)
    damaged = {"gzip": begun.compress(plain[: 1 << 15]) + begun.flush(zlib.Z_SYNC_FLUSH) + b"\x07" * 64}
    for name, compress in (("xz", lzma.compress), ("bz2", bz2.compress)):
        packed = compress(plain)
        damaged[name] = packed[: 1 << 15] + bytes(64) + packed[(1 << 15) + 64 :]
    for name, content in damaged.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match=r"cannot be read as a package of npm|does not hold") as refused:
            browser_runtime(tmp_path / name)
        assert str(refused.value).endswith(HOW) and "\n" not in str(refused.value)


def test_the_guide_names_the_pinned_version() -> None:
    """What a reader is told to fetch is what is taken."""
    said = (DOCS / "how-to" / "try-in-the-browser.md").read_text()
    assert f"npm pack {PACKAGE}@{VERSION}" in said and f"--runtime {PACKAGE}-{VERSION}.tgz" in said


def test_the_fetched_package_is_the_pinned_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where npm's file was fetched, it is taken; its files are as large as they should be."""
    monkeypatch.undo()
    path = fetched()
    if path is None:
        assert all(len(digest) == 64 for digest in PINNED.values())
        return
    found = browser_runtime(path)
    assert found.binary.startswith(b"\0asm") and len(found.binary) > 5_000_000 and b"export" in found.glue
