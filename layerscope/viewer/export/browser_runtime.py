"""ONNX Runtime Web, which runs a network in a browser: read from npm's package as it was published, or not at all.

It is others' work and large, so it is neither shipped nor fetched: whoever wants it names what npm gives.
"""

import hashlib
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from layerscope.core.errors import UsageError

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
HOW = f"npm pack {PACKAGE}@{VERSION} gives the file {PACKAGE}-{VERSION}.tgz; name it with --runtime (runtime=)"
# The files of the package that a page needs, in its folder dist, each with its SHA-256: no other version is taken.
PINNED = {
    "ort.wasm.min.js": "faece07e84faa9001f5104bbe4e5c70861d06cb2376a0dea1fa0ad33a67adc81",
    "ort-wasm-simd-threaded.mjs": "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
# Longer files are none of these.
MOST_BYTES = 64 << 20

ReadFile = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserRuntime:
    """What runs networks. script: its interface, a classic script. glue: the module between that and the binary."""

    script: bytes
    glue: bytes
    binary: bytes


def browser_runtime(path: str | os.PathLike[str]) -> BrowserRuntime:
    """The runtime in npm's file, or in the folder that was unpacked of it.

    Raises UsageError, with the way out, for anything but the version that is known.
    """
    place = Path(path).expanduser()
    try:
        if place.is_dir():
            return _pinned(place, lambda name: _in_folder(place, name))
        with tarfile.open(place) as package:
            return _pinned(place, lambda name: _in_package(package, name))
    except FileNotFoundError:
        raise UsageError(f'there is no file "{place}"; {HOW}') from None
    except (OSError, tarfile.TarError, EOFError, lzma.LZMAError, zlib.error) as failure:
        said = str(failure).partition("\n")[0]
        raise UsageError(f'"{place}" cannot be read as a package of npm ({said}); {HOW}') from failure


def _pinned(place: Path, read: ReadFile) -> BrowserRuntime:
    contents = []
    for name, digest in PINNED.items():
        content = read(name)
        if content is None:
            raise UsageError(f'"{place}" does not hold dist/{name}; {HOW}')
        if hashlib.sha256(content).hexdigest() != digest:
            raise UsageError(f'dist/{name} in "{place}" is not that of {PACKAGE} {VERSION}; {HOW}')
        contents.append(content)
    script, glue, binary = contents
    return BrowserRuntime(script=script, glue=glue, binary=binary)


def _in_folder(folder: Path, name: str) -> bytes | None:
    """From node_modules/onnxruntime-web, from where the package was unpacked, or from its dist."""
    for place in (folder / "dist" / name, folder / "package" / "dist" / name, folder / name):
        if place.is_file() and place.stat().st_size <= MOST_BYTES:
            return place.read_bytes()
    return None


def _in_package(package: tarfile.TarFile, name: str) -> bytes | None:
    try:
        member = package.getmember(f"package/dist/{name}")
    except KeyError:
        return None
    file = package.extractfile(member) if member.isfile() and member.size <= MOST_BYTES else None
    return None if file is None else file.read()
