"""Graphs that were read are kept, and a kept one is the fresh one; what changed, or does not agree, is read anew."""

import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

import layerscope as ls
from layerscope.core.cache import Cache
from layerscope.graph import prepared, read, read_module, trace
from layerscope.graph.identity import identity
from layerscope.graph.written import graph_data, graph_of, read_traced, write_traced
from layerscope.models.named import NAMED
from tests.helpers.networks import CASES, Residual

INPUT = ls.Input(channels=3, height=14, width=19)


@contextmanager
def exports(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The classes of what is exported meanwhile."""
    seen: list[str] = []
    real = trace.exported
    monkeypatch.setattr(trace, "exported", lambda model, shape: seen.append(type(model).__name__) or real(model, shape))
    yield seen


def made(name: str) -> nn.Module:
    torch.manual_seed(0)
    if name in NAMED:
        return NAMED[name].plain(NAMED[name].classes)
    return models.get_model(name, weights=None)


@pytest.mark.parametrize(
    "name", ["zfnet64", *(pytest.param(n, marks=pytest.mark.wide) for n in ("worldnet", "squeezenet1_1"))]
)
def test_a_graph_comes_back_as_it_was(name: str) -> None:
    """Node by node, with recipe, outputs and weights; through JSON, and in bytes that are the same each time."""
    assert_comes_back(name)


@pytest.mark.wide
@pytest.mark.parametrize("name", ["zfnet", "alexnet", "resnet50", "densenet121", "googlenet", "mobilenet_v3_small"])
def test_larger_graphs_come_back_as_they_were(name: str) -> None:
    """... of the largest of ours, and of families of torchvision's."""
    assert_comes_back(name)


def assert_comes_back(name: str) -> None:
    side = NAMED[name].input.height if name in NAMED else 224
    twin = prepared(made(name))
    fresh = read_module(twin, (3, side, side))
    content = write_traced(fresh)
    back = read_traced(content, twin.module.state_dict())
    assert back.graph.outputs == fresh.graph.outputs
    for one, other in zip(back.graph.nodes, fresh.graph.nodes, strict=True):
        assert one == other and repr(one) == repr(other)
    assert (back.returned, back.left_out, back.recipe.taken) == (fresh.returned, fresh.left_out, fresh.recipe.taken)
    assert back.recipe.derived == fresh.recipe.derived and back.recipe.named == fresh.recipe.named
    assert back.weights.keys() == fresh.weights.keys()
    assert all(torch.equal(back.weights[key], weight) for key, weight in fresh.weights.items())
    assert write_traced(back) == content
    assert graph_of(json.loads(json.dumps(graph_data(fresh.graph)))) == fresh.graph


class Odd(nn.Module):
    """Constants that are made, written in the code, and in no state dict; arguments of every kind; a refused call."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3))
        self.register_buffer("shift", torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 4, 1, 1), persistent=False)
        self.kernel = torch.ones(4, 1, 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.conv2d(self.conv(x) + self.shift, self.kernel, groups=4)
        x = x.clamp(min=float("-inf")) * torch.tensor([0.5])
        return x.to(torch.float64).cumsum(2)


def test_constants_come_back_by_value() -> None:
    """What stands in no state dict is kept itself, to the bit; infinity and types of numbers, too."""
    twin = prepared(Odd())
    fresh = read_module(twin, INPUT.shape)
    assert fresh.recipe.literals and fresh.recipe.derived
    back = read_traced(write_traced(fresh), twin.module.state_dict())
    assert repr(back.graph) == repr(fresh.graph)
    assert back.recipe.literals.keys() == fresh.recipe.literals.keys()
    for key, tensor in fresh.recipe.literals.items():
        assert torch.equal(back.recipe.literals[key], tensor) and back.recipe.literals[key].dtype == tensor.dtype
    assert all(torch.equal(back.weights[key], weight) for key, weight in fresh.weights.items())


def test_a_network_is_exported_once(tmp_path, monkeypatch) -> None:
    """Other weights take the same graph, another shape or number type its own; each is replayed."""
    cache = Cache(tmp_path)
    with exports(monkeypatch) as seen:
        first = read(Residual(), INPUT, cache)
        again = read(Residual(), INPUT, cache)
        assert seen == ["Residual"]
        read(Residual(), replace(INPUT, height=16), cache)
        read(Residual().double(), INPUT, cache)
        read(Residual(), replace(INPUT, mean=(0.5, 0.5, 0.5)), cache)
        assert seen == ["Residual"] * 3
    assert again.traced.graph == first.traced.graph and again.layers == first.layers
    assert again.replay == first.replay and first.replay.outputs == 1
    assert not torch.equal(again.program.weights["conv.weight"], first.program.weights["conv.weight"])


@pytest.mark.parametrize("change", ["attribute", "class", "dtype", "buffer", "shape", "tied", "hook", "default"])
@pytest.mark.thin(2)
def test_what_a_graph_depends_on_is_in_its_key(change: str) -> None:
    """Two modules that differ in one thing have two keys, or none."""

    def module() -> nn.Module:
        model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3))
        model[1].register_buffer("kept_out", torch.zeros(2), persistent=False)
        return model

    before, other = identity(module(), (3, 8, 8)), module()
    assert before is not None and before == identity(module(), (3, 8, 8))
    assert before != identity(module(), (3, 8, 9))
    if change == "attribute":
        other[1].eps = 1e-3
    elif change == "class":
        other[1] = nn.InstanceNorm2d(4, affine=True, track_running_stats=True)
    elif change == "dtype":
        other[0].half()
    elif change == "buffer":
        other[1].kept_out += 1
    elif change == "shape":
        other[2] = nn.Conv2d(4, 4, 5)
    elif change == "tied":
        other[3].weight = other[2].weight
    elif change == "hook":
        other[0].register_forward_pre_hook(lambda module, given: given)
        assert identity(other, (3, 8, 8)) is None
    else:
        torch.set_default_dtype(torch.float64)
    try:
        assert identity(other, (3, 8, 8)) != before
    finally:
        torch.set_default_dtype(torch.float32)


def test_what_cannot_be_known_has_no_key() -> None:
    """Functions that close over values, lambdas, objects, and code that is in no file."""

    def closing(value: float) -> nn.Module:
        class Closes(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return x * value

        return Closes()

    unknown = {"lambda": lambda x: x, "object": object(), "function": closing}
    for value in unknown.values():
        model = nn.Conv2d(3, 2, 3)
        model.held = value
        assert identity(model, (3, 8, 8)) is None
    assert identity(closing(2.0), (3, 8, 8)) is None
    typed: dict = {"nn": nn, "__name__": "typed_into_a_notebook"}
    exec("class Typed(nn.Module):\n    pass", typed)
    assert identity(typed["Typed"](), (3, 8, 8)) is None
    assert identity(nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU()), (3, 8, 8)) is not None


def test_what_is_installed_elsewhere_is_known_by_its_version(tmp_path, monkeypatch):
    """In a user's own folder, or the system's behind an environment: thousands of files, and none of them is read."""
    (tmp_path / "site-packages").mkdir()
    code = "import torch\n__version__ = '1.5'\nclass Net(torch.nn.Identity): pass\n"
    (tmp_path / "site-packages" / "lies_elsewhere.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    key = identity(importlib.import_module("lies_elsewhere").Net(), (3, 8, 8))
    assert key is not None and "lies_elsewhere.Net==1.5" in key
    assert "lies_elsewhere" not in [name for name, _ in json.loads(key)["code"]]


NETWORK = """
from torch import nn
from torch.nn import functional

class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return functional.{call}(self.conv(x))
"""


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("own_network_of_a_user", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_changed_file_is_read_anew(tmp_path, monkeypatch) -> None:
    """The same class name, structure and attributes, but other code: the graph is that of the new code."""
    cache, file = Cache(tmp_path / "cache"), tmp_path / "own.py"
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    ops = []
    with exports(monkeypatch) as seen:
        for call in ("relu", "relu", "leaky_relu"):
            file.write_text(NETWORK.format(call=call))
            found = read(loaded(file).Own(), INPUT, cache)
            assert found.replay.fault == ""
            ops.append([node.op for node in found.traced.graph.nodes][-1])
    sys.modules.pop("own_network_of_a_user")
    assert ops == ["relu", "relu", "leaky_relu"] and len(seen) == 2


def test_a_stale_graph_does_not_survive_the_replay(tmp_path, monkeypatch) -> None:
    """Even where the key is the same: what does not agree with the module is dropped, and the module traced anew."""
    cache = Cache(tmp_path)
    model = Residual()
    right = read(model, INPUT, cache)
    nodes = tuple(
        replace(node, args={**node.args, "eps": 1e-3}) if "eps" in node.args else node
        for node in right.traced.graph.nodes
    )
    key = identity(prepared(model).module, INPUT.shape)
    assert key is not None
    cache.put(key, write_traced(replace(right.traced, graph=replace(right.traced.graph, nodes=nodes))))
    with exports(monkeypatch) as seen:
        found = read(model, INPUT, cache)
        assert seen == ["Residual"] and found.traced.graph == right.traced.graph and found.replay.fault == ""
        assert read(model, INPUT, cache).traced.graph == right.traced.graph and len(seen) == 1


@pytest.mark.parametrize("content", [b"", b"\x05\0\0\0\0\0\0\0{}   "], ids=["empty", "no metadata"])
def test_an_entry_of_something_else_is_harmless(tmp_path, content: bytes) -> None:
    """Whole, but not what was expected: the network is read anew, and kept."""
    cache, model = Cache(tmp_path), Residual()
    key = identity(prepared(model).module, INPUT.shape)
    assert key is not None
    cache.put(key, content)
    assert read(model, INPUT, cache).replay.fault == ""
    assert cache.get(key) != content


def test_what_does_not_agree_is_not_kept(tmp_path) -> None:
    """Only what was proved."""

    class Sneaky(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x) if torch.compiler.is_exporting() else self.conv(x) * 2

    cache = Cache(tmp_path)
    assert read(Sneaky(), INPUT, cache).replay.fault == "reading"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("case", CASES[::12], ids=lambda case: case.name)
def test_kept_networks_compute_the_same(case, tmp_path) -> None:
    """Small networks of every kind: a kept graph gives the very numbers of a fresh one."""
    input = ls.Input(channels=case.channels, height=case.height, width=case.width)
    model, cache = case.model(), Cache(tmp_path)
    x = torch.from_numpy(case.images(2))
    fresh, kept = (read(model, input, cache) for _ in range(2))
    outputs = set(fresh.traced.graph.outputs)
    a, b = fresh.program.run(x, outputs), kept.program.run(x, outputs)
    assert all(torch.equal(a[node], b[node]) for node in outputs)
