"""ONNX Runtime Web for tests: the real one where it was fetched, else a small package that only looks like it."""

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from layerscope.viewer.export import browser_runtime
from layerscope.viewer.export.browser_network import BrowserNetwork
from layerscope.viewer.export.browser_runtime import PACKAGE, VERSION, BrowserRuntime

ROOT = Path(__file__).parents[2]
FAKE = {
    "ort.wasm.min.js": b"var ort = {};\n",
    "ort-wasm-simd-threaded.mjs": b"export default 1;\n",
    "ort-wasm-simd-threaded.wasm": b"\0asm" + bytes(range(256)),
}


def fetched() -> Path | None:
    """npm's file, which `.ci/onnxruntime-web` fetches into .venv; None where it could not be had."""
    path = Path(os.environ.get("LAYERSCOPE_RUNTIME", ROOT / ".venv" / f"{PACKAGE}-{VERSION}.tgz"))
    return path if path.is_file() else None


def package(path: Path, files: dict[str, bytes] | None = None) -> Path:
    """A package as npm packs it, of these files in its folder dist."""
    with tarfile.open(path, "w:gz") as packed:
        for name, content in (FAKE if files is None else files).items():
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return path


def pinned_to_fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the fake package is the known one."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in FAKE.items()}
    monkeypatch.setattr(browser_runtime, "PINNED", digests)


def fake_network(onnx: bytes = b"onnx", classes: tuple[str, ...] = ()) -> BrowserNetwork:
    """A network for exports of which nothing is run."""
    script, glue, binary = FAKE.values()
    runtime = BrowserRuntime(script=script, glue=glue, binary=binary)
    return BrowserNetwork(name="net", onnx=onnx, classes=classes, scored=bool(classes), runtime=runtime)
