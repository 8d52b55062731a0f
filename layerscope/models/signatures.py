"""What a file is, by its first bytes and not by its name: one table, and for each kind what to do with it.

Networks and weights come as downloads, exports of other programs and leftovers of broken transfers; their endings say
little. A row with a reader can be opened for weights (see `reading`); every other row carries the way out.
"""

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from layerscope.core.errors import UsageError
from layerscope.core.failures import plain_failures, require_machine

HEAD = 512
# What torch.save wrote before 2020 begins with: protocol 2, then its magic number.
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_ALONE = "holds weights, which are no network alone: name their network, and give this file with --weights"
_INSTEAD = "give the torch network that it came from, as a function in a .py file"
_KERAS = "write keras:SPEC if Keras saved a whole model in it"
_AGAIN = "copy or download it again"
_UNPACK = "unpack it and name the file inside"
_STATE = 'where it was made, save its state dict: torch.save(model.state_dict(), "weights.pt")'
_CONVERT = 'load it where it was made, and save its weights for the torch network: torch.save(state_dict, "weights.pt")'


@dataclass(frozen=True)
class WeightsFormat:
    """A format of file met among weights. what: in words, with its article. advice: what a user does. reader: of
    `reading`, or "". named: how it is written where it holds a whole network, with SPEC in its place."""

    what: str
    advice: str = ""
    reader: str = ""
    named: str = ""


def _begins(*starts: bytes, at: int = 0) -> Callable[[bytes], bool]:
    return lambda head: head[at:].startswith(starts)


def _words(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(starts)


def _is_safetensors(head: bytes) -> bool:
    return len(head) > 8 and head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") < 100_000_000


def _is_protobuf(head: bytes) -> bool:
    """A small number in field 1, then a text in field 2 (as ONNX: its version, its producer)."""
    return len(head) > 4 and head[0] == 0x08 and head[1] < 0x80 and head[2] in (0x12, 0x1A, 0x3A)


def _is_text(head: bytes) -> bool:
    try:
        return head.decode("utf-8", errors="strict" if len(head) < HEAD else "ignore").isprintable()
    except UnicodeDecodeError:
        return False


# The first row that says yes is the file's kind; archives that are zip files are told apart by their members, below.
_BYTES: tuple[tuple[Callable[[bytes], bool], WeightsFormat], ...] = (
    (lambda head: not head, WeightsFormat("an empty file", _AGAIN)),
    (
        lambda head: len(head) >= 64 and not any(head),
        WeightsFormat("a file of zeros, left by a broken transfer", _AGAIN),
    ),
    (_begins(_LEGACY), WeightsFormat("a file of torch.save", reader="legacy")),
    (_is_safetensors, WeightsFormat("a safetensors file", reader="safetensors")),
    (
        _words(b"version https://git-lfs.github.com"),
        WeightsFormat("a Git LFS pointer, which stands for the file itself", "fetch the file with git lfs pull"),
    ),
    (
        _words(b"<!doctype html", b"<html", b"<head", b"<?xml", b"<error"),
        WeightsFormat(
            "a web page, which a download gave in place of the file", "download it again, and log in where that asks"
        ),
    ),
    (_words(b"{", b"["), WeightsFormat("a JSON file", reader="index")),
    (_begins(b"\x89HDF\r\n\x1a\n"), WeightsFormat("an HDF5 file, as Keras writes", _CONVERT, named=_KERAS)),
    (_begins(b"GGUF"), WeightsFormat("a GGUF file", _CONVERT)),
    (_begins(b"TFL3", at=4), WeightsFormat("a TensorFlow Lite file", _CONVERT)),
    (
        _begins(b"\x93NUMPY"),
        WeightsFormat("one NumPy array without a name", "save all arrays by name with numpy.savez"),
    ),
    (_begins(b"MATLAB 5.0"), WeightsFormat("a MATLAB file", _CONVERT)),
    (_begins(b"\0\0\0\0\x02\0\0\0", b"\0\0\0\0\x01\0\0\0"), WeightsFormat("a Darknet weights file", _CONVERT)),
    (
        _begins(b"SQLite format 3\0"),
        WeightsFormat("an SQLite database, as atlases are", "name the file of the weights"),
    ),
    (_begins(b"\x89PNG", b"\xff\xd8\xff", b"GIF8"), WeightsFormat("a picture", "name the file of the weights")),
    (_begins(b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"), WeightsFormat("a compressed file", _UNPACK)),
    (_begins(b"7z\xbc\xaf\x27\x1c", b"Rar!"), WeightsFormat("a compressed archive", _UNPACK)),
    (_begins(b"ustar", at=257), WeightsFormat("a tar archive", _UNPACK)),
    (
        _begins(b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
        WeightsFormat(
            "a plain pickle, which could run any code", "load it where you trust it, and write it with torch.save"
        ),
    ),
    (_is_protobuf, WeightsFormat("a protobuf file, as ONNX and TensorFlow write", _CONVERT)),
    (
        lambda head: _is_text(head.translate(None, b"\r\n\t")),
        WeightsFormat("a text file", "name the file of the weights"),
    ),
)
_UNKNOWN = WeightsFormat("of a kind that is not known, or damaged", _AGAIN)

# A zip file is told by a name among its members.
_MEMBERS: tuple[tuple[Callable[[str], bool], WeightsFormat], ...] = (
    (
        lambda name: name.endswith(("archive_format", "serialized_exported_program.json")),
        WeightsFormat(
            "an exported program, which holds network and weights", "give it as NET, with a name that ends in .pt2"
        ),
    ),
    (
        lambda name: name.endswith("constants.pkl") or "/code/" in name,
        WeightsFormat("a TorchScript archive, whose network cannot be read", _STATE),
    ),
    (lambda name: name.endswith("data.pkl"), WeightsFormat("a file of torch.save", reader="torch")),
    (lambda name: name.endswith("model.weights.h5"), WeightsFormat("a Keras archive", _CONVERT, named=_KERAS)),
)
_ARRAYS = WeightsFormat("an archive of NumPy arrays", reader="npz")
_ZIP = WeightsFormat("a zip archive", _UNPACK)
_CUT = WeightsFormat("a zip archive that is cut short", _AGAIN)


def kind_of_file(path: Path) -> WeightsFormat:
    """What a file is. Raises UsageError where it cannot be read."""
    with plain_failures(path, kind=UsageError), path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(b"PK\x03\x04"):
        return _of_zip(path)
    return next((kind for says_yes, kind in _BYTES if says_yes(head)), _UNKNOWN)


def _of_zip(path: Path) -> WeightsFormat:
    try:
        with zipfile.ZipFile(path) as archive:
            members: Sequence[str] = archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, EOFError) as error:
        require_machine(error, path, kind=UsageError)
        return _CUT
    if members and all(name.endswith(".npy") for name in members):
        return _ARRAYS
    return next((kind for says_yes, kind in _MEMBERS if any(map(says_yes, members))), _ZIP)


def is_zip(path: Path) -> bool:
    """True for a zip file. Raises UsageError where the file cannot be read, for which zipfile.is_zipfile says False."""
    try:
        zipfile.ZipFile(path).close()
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        require_machine(error, path, kind=UsageError)
        return False
    return True


def no_network(spec: str, path: Path) -> str:
    """Why a file is no network, with what to do about it."""
    kind = kind_of_file(path)
    instead = kind.named.replace("SPEC", spec) or _INSTEAD
    why = f"it {_ALONE}" if kind.reader and kind.reader != "index" else f"it is {kind.what}; {instead}"
    return f'"{spec}" names no network: {why}'
