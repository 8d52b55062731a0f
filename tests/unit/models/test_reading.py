"""A file that is no weights file is told for what its bytes are, with the way out; its name says nothing."""

import io
import json
import re
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn

from layerscope.core.errors import TraceError
from layerscope.models.reading import contents


def zipped(*members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member in members:
            archive.writestr(member, "x" * 200)
    return buffer.getvalue()


def torch_file(what: object, **how: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save(what, buffer, **how)  # type: ignore[arg-type]
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return buffer.getvalue()


STATE = {"a": torch.zeros(300), "b": torch.ones(300)}
AGAIN, UNPACK = "copy or download it again", "unpack it and name the file inside"
FILES: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "an empty file", AGAIN),
    "zeros": (bytes(4096), "a file of zeros", AGAIN),
    "page": (b"\n <!DOCTYPE html><html>Not found</html>", "a web page", "download it again"),
    "bucket's refusal": (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "a web page", "download it again"),
    "pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
        "a Git LFS pointer",
        "git lfs pull",
    ),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file", "load it where it was made"),
    "GGUF": (b"GGUF\x03\0\0\0" + bytes(99), "a GGUF file", "load it where it was made"),
    "TFLite": (b"\x1c\0\0\0TFL3" + bytes(99), "a TensorFlow Lite file", "load it where it was made"),
    "ONNX": (b"\x08\x08\x12\x07pytorch\x1a\x05" + bytes(99), "a protobuf file, as ONNX", "load it where it was made"),
    "Darknet": (b"\0\0\0\0\x02\0\0\0\0\0\0\0" + bytes(99), "a Darknet weights file", "load it where it was made"),
    "one array": (b"\x93NUMPY\x01\0" + bytes(99), "one NumPy array", "numpy.savez"),
    "gzip": (b"\x1f\x8b\x08" + bytes(99), "a compressed file", UNPACK),
    "xz": (b"\xfd7zXZ\0" + bytes(99), "a compressed file", UNPACK),
    "tar": (tarred(), "a tar archive", UNPACK),
    "zip": (zipped("readme.md", "weights.bin"), "a zip archive", UNPACK),
    "Keras": (zipped("metadata.json", "config.json", "model.weights.h5"), "a Keras archive", "load it"),
    "TorchScript": (zipped("m/data.pkl", "m/code/n.py"), "a TorchScript archive", "model.state_dict"),
    "exported": (zipped("m/archive_format", "m/models/model.json"), "an exported program", "give it as NET"),
    "atlas": (b"SQLite format 3\0" + bytes(99), "an SQLite database", "name the file of the weights"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(99), "a picture", "name the file of the weights"),
    "text": (b"epoch,loss\r\n1,0.5\r\n", "a text file", "name the file of the weights"),
    "pickle": (b"\x80\x04\x95\x10\0\0\0" + bytes(99), "a plain pickle", "write it with torch.save"),
    "noise": (b"\xc3\x28\xa0\xa1" * 40, "of a kind that is not known", AGAIN),
    "cut archive": (torch_file(STATE)[:1500], "a zip archive that is cut short", AGAIN),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_what_is_no_weights_file_is_told_by_its_bytes(kind: str, name: str, tmp_path: Path) -> None:
    """One sentence says what it is and what to do, whatever the file is called; torch is not asked."""
    held, what, advice = FILES[kind]
    (tmp_path / name).write_bytes(held)
    with pytest.raises(TraceError, match=f'{name}" cannot be read as weights: it is {what}.*; .*{re.escape(advice)}'):
        contents(tmp_path / name)


DAMAGED = {
    "safetensors": save(STATE)[:-100],
    "safetensors' header": save(STATE)[:60],
    "before 2020": torch_file(STATE, _use_new_zipfile_serialization=False)[:-100],
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_weights_file_that_is_cut_short_says_so(kind: str, tmp_path: Path) -> None:
    """A transfer that broke off: no words of another library are needed to mend it."""
    (tmp_path / "w.pth").write_bytes(DAMAGED[kind])
    with pytest.raises(TraceError, match="it is damaged or cut short: copy or download it again"):
        contents(tmp_path / "w.pth")


def test_a_real_torchscript_archive_is_told(tmp_path: Path) -> None:
    """As torch.jit.save writes it today."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(nn.Conv2d(1, 1, 1)), tmp_path / "s.pt")
    with pytest.raises(TraceError, match="it is a TorchScript archive"):
        contents(tmp_path / "s.pt")


def test_an_index_needs_its_shards(tmp_path: Path) -> None:
    """A JSON file that is none, one that names nothing, and one whose files are elsewhere."""
    index = tmp_path / "model.safetensors.index.json"
    for content, why in (
        ("{}", 'it is a JSON file; name a file of weights, or an index of several (with "weight_map")'),
        ('{"weight_map": {}}', "is an index of weights files, but names none"),
        (json.dumps({"weight_map": {"a": "one.st"}}), "over files that are not beside it: one.st"),
    ):
        index.write_text(content)
        with pytest.raises(TraceError, match=re.escape(why)):
            contents(index)


def test_arrays_of_objects_are_refused(tmp_path: Path) -> None:
    """They would have to be unpickled."""
    np.savez(tmp_path / "o.npz", a=np.array([{}], dtype=object))
    with pytest.raises(TraceError, match="one of its arrays is no array of numbers"):
        contents(tmp_path / "o.npz")
