"""A network by name: what a spec gives, and what is said of one that means nothing."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.core.errors import TraceError, UsageError
from layerscope.core.records import Input
from layerscope.models import load

CODE = """
import torch
from torch import nn
import layerscope as ls

INPUT = ls.Input(channels=1, height=9, width=8)

def network():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())

def broken():
    raise ValueError("no such luck")

def number():
    return 7
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A file with factories."""
    path = tmp_path / "net.py"
    path.write_text(CODE)
    return path


def test_a_torchvision_name_brings_its_preprocessing() -> None:
    """Size, mean, deviation, resize and interpolation are those of its default weights; /none is seeded."""
    one, two = load("torchvision:squeezenet1_0/none"), load("torchvision:squeezenet1_0", with_weights=False)
    assert (one.name, two.name) == ("torchvision:squeezenet1_0/none", "torchvision:squeezenet1_0")
    assert one.classes[:2] == ("tench", "goldfish") and len(one.classes) == 1000
    assert one.input == Input(
        channels=3, height=224, width=224, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), resize=256
    )
    assert isinstance(one.model, nn.Module) and isinstance(two.model, nn.Module)
    for a, b in zip(one.model.parameters(), two.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_factory_may_say_its_input(code: Path) -> None:
    """A file's function makes the network and its INPUT says what it expects; random weights are seeded."""
    first, again = load(f"{code}:network"), load(f"{code}:network")
    assert first.name == "net.py:network" and first.input == Input(channels=1, height=9, width=8)
    assert isinstance(first.model, nn.Sequential) and isinstance(again.model, nn.Sequential)
    assert torch.equal(first.model[0].weight, again.model[0].weight)


def test_an_exported_program_is_loaded(tmp_path: Path) -> None:
    """A .pt2 file holds code and weights; it is traced like any model and computes what the model did."""
    torch.manual_seed(0)
    model, path = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU()).eval(), tmp_path / "model.pt2"
    batch = torch.export.Dim("batch", min=1)
    torch.export.save(torch.export.export(model, (torch.zeros(2, 3, 8, 9),), dynamic_shapes=({0: batch},)), path)
    net = ls.trace(path, Input(height=8, width=9))
    x = torch.randn(3, 3, 8, 9)
    torch.testing.assert_close(torch.from_numpy(net.activations(x, "1")), model(x).detach())
    assert net.name == "model.pt2"


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("resnet18", "torchvision:resnet18"),
        ("densenet121", "torchvision:densenet121"),
        ("mobilenet_v2x", "torchvision:mobilenet_v2"),
        ("zfnet_64", "zfnet64"),
    ],
)
def test_a_network_written_nearly_right_is_suggested_as_it_is_written(spec: str, meant: str) -> None:
    """torchvision's by its prefix, also where the bare name is right; the very name alone, others by nearness."""
    with pytest.raises(UsageError, match=f"; did you mean {meant}"):
        load(spec)


REFUSED = {
    "alexnet": '"alexnet" names no network; write zfnet, zfnet64, worldnet, torchvision:NAME, timm:NAME, '
    "hf:ID_OR_FOLDER, smp:ARCHITECTURE/ENCODER, smp:ID_OR_FOLDER, xrv:NAME, keras:APPLICATION, each also with /none "
    "(random weights), keras:FILE.keras, keras:FILE.h5, "
    "path/file.py:FUNCTION, path/model.pt, path/model.pt2 or path/model.onnx; did you mean torchvision:alexnet?",
    "torchvision:alexnett": 'torchvision has no network "alexnett"; did you mean alexnet',
    "torchvision:alexnet/imagenet": '"torchvision:alexnet/imagenet": only /none (random weights) can follow the name',
    "gone.py:network": 'there is no file "gone.py" (network "gone.py:network")',
    "gone.pt2": 'there is no file "gone.pt2"',
    "gone.onnx": 'there is no file "gone.onnx"',
    "net.py": '"net.py" names a file but no function in it; write net.py:FUNCTION',
}


@pytest.mark.parametrize("spec", REFUSED)
def test_a_spec_that_means_nothing_is_refused(spec: str) -> None:
    """One sentence with what was given, what was expected and what may have been meant."""
    with pytest.raises(UsageError, match=re.escape(REFUSED[spec])):
        load(spec)


def test_a_file_in_a_networks_place_is_told_for_what_it_is(tmp_path: Path) -> None:
    """Weights need their network, TorchScript its class, and other libraries' files the torch network."""
    torch.save({"a": torch.zeros(1)}, tmp_path / "w.pth")
    (tmp_path / "m.pb").write_bytes(b"\x08\x08\x12\x07pytorch" + bytes(99))
    (tmp_path / "k.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(99))
    (tmp_path / "n.ipynb").write_text('{"cells": []}')
    for name, expected in (
        (
            "w.pth",
            "it holds weights, which are no network alone: name their network, and give this file with --weights",
        ),
        ("m.pb", "it is a protobuf file, as ONNX and TensorFlow write; give the torch network that it came from"),
        ("k.h5", "it is an HDF5 file, as Keras writes; write keras:.*k.h5 if Keras saved a whole model in it"),
        ("n.ipynb", "it is a JSON file; give the torch network that it came from, as a function in a .py file"),
    ):
        with pytest.raises(UsageError, match=f'{name}" names no network: {expected}'):
            load(str(tmp_path / name))


def test_a_file_that_fails_is_told_by_its_error(code: Path) -> None:
    """A missing function, one that fails, one that returns something else, and a file that does not run."""
    with pytest.raises(UsageError, match='has no function "netwrk"; did you mean network'):
        load(f"{code}:netwrk")
    with pytest.raises(TraceError, match=r'broken\(\) in ".*net.py" fails: ValueError: no such luck'):
        load(f"{code}:broken")
    with pytest.raises(TraceError, match=r"number\(\) in .* returns int, not a torch.nn.Module"):
        load(f"{code}:number")
    code.write_text("import nothing_of_the_kind")
    with pytest.raises(TraceError, match="cannot be run: ModuleNotFoundError"):
        load(f"{code}:network")
    code.write_text(CODE + "\nINPUT = (1, 9, 8)")
    with pytest.raises(UsageError, match=r"INPUT in .* must be a layerscope.Input, not tuple"):
        load(f"{code}:network")


def test_weights_go_with_networks_that_have_none(code: Path, tmp_path: Path) -> None:
    """A file's weights take the place of random ones; an exported program has its own."""
    state = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()).state_dict()
    torch.save(state, tmp_path / "w.pt")
    loaded = load(f"{code}:network", weights=tmp_path / "w.pt")
    assert isinstance(loaded.model, nn.Sequential) and torch.equal(loaded.model[0].weight, state["0.weight"])
    program = torch.export.export(nn.Conv2d(1, 2, 3), (torch.zeros(2, 1, 8, 9),))
    torch.export.save(program, tmp_path / "m.pt2")
    with pytest.raises(UsageError, match="holds its own weights"):
        load(str(tmp_path / "m.pt2"), weights=tmp_path / "w.pt")
    (tmp_path / "bad.pt2").write_bytes(b"zip?")
    with pytest.raises(TraceError, match="is no exported program of this torch version"):
        load(str(tmp_path / "bad.pt2"))
