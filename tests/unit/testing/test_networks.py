"""The laws of kinds of networks: ours keep them, and what breaks one is found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.core.errors import LayerscopeError, UsageError
from layerscope.core.networks import NETWORKS, NetworkKind, filled_forms, forms, kind_of, packaged
from layerscope.core.own_networks import OURS
from layerscope.core.records import Input
from layerscope.models import Loaded
from layerscope.models.named import NAMED
from layerscope.testing import networks as laws

CODE = """
import torch
from torch import nn
import layerscope as ls

INPUT = ls.Input(channels=3, height=16, width=12)

def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
"""


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A network of each kind of ours; files are written for those that lie in one."""
    folder = tmp_path_factory.mktemp("networks")
    (folder / "net.py").write_text(CODE)
    torch.manual_seed(0)
    model, batch = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval(), torch.export.Dim("batch", min=1)
    program = torch.export.export(model, (torch.zeros(2, 3, 64, 64),), dynamic_shapes=({0: batch},))
    torch.export.save(program, folder / "model.pt2")
    own = {name: row.samples[0] for name, row in NETWORKS.own.items() if row.samples}
    own |= {} if NETWORKS.own["onnx"].missing() else {"onnx": of_onnx(folder)}
    torch.save(model, folder / "model.pt")
    files = {"exported": str(folder / "model.pt2"), "pickled": str(folder / "model.pt")}
    return own | {"file": f"{folder / 'net.py'}:network", **files}


def of_onnx(folder: Path) -> str:
    """A convolution and a ReLU in an ONNX file."""
    from onnx import helper

    from tests.helpers.onnx_files import model_of, saved

    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="conv"),
        helper.make_node("Relu", ["a"], ["y"], name="relu"),
    ]
    weights = {"w": np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32)}
    return str(saved(model_of(nodes, ("n", 3, 64, 64), weights), folder, "model.onnx"))


# How networks of torchvision and timm are read is what `make laws` proves, of many of them; kinds of large packages
# are tried by `make test-networks`.
READ_AT_LENGTH = [(name, laws.is_read_rightly) for name in ("torchvision", "timm")]
LARGE = ("hf", "keras", "keras-application")
OURS_AND_LAWS = [
    pytest.param(name, law, marks=pytest.mark.wide if (name, law) in READ_AT_LENGTH else ())
    for name, row in NETWORKS.own.items()
    if not row.missing() and name not in LARGE
    for law in laws.LAWS
]


@pytest.mark.parametrize(("name", "law"), OURS_AND_LAWS)
@pytest.mark.thin(4)
def test_our_kinds_keep_the_laws(samples: dict[str, str], name: str, law) -> None:
    """Every law, for every kind of the house."""
    law(NETWORKS[name], samples[name])


def net(network, *, weights, with_weights) -> Loaded:
    """A convolution of as many maps as the name says."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, maps(network), 3), nn.ReLU())
    return Loaded(name=network, model=model, input=Input(height=8, width=8))


def maps(network: str) -> int:
    count = network.partition(":")[2]
    if not count.isdecimal() or not 0 < int(count) < 10:
        raise UsageError(f'"{network}": write how many maps, 1 to 9')
    return int(count)


ROW = NetworkKind(
    name="maps", sentence="so many maps", form="maps:COUNT", prefix="maps:", load=net, samples=("maps:2",)
)


def unseeded(network, *, weights, with_weights) -> Loaded:
    return Loaded(name=network, model=nn.Sequential(nn.Conv2d(3, maps(network), 3), nn.ReLU()), input=None)


def gray(network, *, weights, with_weights) -> Loaded:
    loaded = net(network, weights=weights, with_weights=with_weights)
    return replace(loaded, input=Input(channels=1, height=8, width=8))


HELD = net("maps:2", weights=None, with_weights=True)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (replace(ROW, load=unseeded), "differ from load to load"),
        (replace(ROW, load=lambda network, **given: HELD), "gives one module twice|is a network of maps"),
        (replace(ROW, load=gray), "expected input|channels|cannot be traced"),
        (replace(ROW, claims=lambda network: True), "takes|is not taken"),
        (replace(ROW, filled=True), "is not the file's"),
        (replace(ROW, random=True), "write how many maps"),
        (replace(ROW, form="COUNT maps"), "does not begin with"),
        (replace(ROW, names=lambda: ["2"]), "is suggested, and is no maps"),
        (replace(ROW, load=lambda network, **given: net("maps:2", **given)), "is a network of maps"),
        (replace(ROW, samples=()), "has no samples"),
    ],
)  # fmt: skip
def test_what_breaks_a_law_is_found(monkeypatch: pytest.MonkeyPatch, broken: NetworkKind, said: str) -> None:
    """One fault in a row, and some law does not hold."""
    monkeypatch.setitem(NETWORKS.own, "maps", broken)
    with pytest.raises((AssertionError, LayerscopeError), match=said):
        laws.laws(broken)


def test_a_sound_row_keeps_the_laws(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row in which the faults above were made has none."""
    monkeypatch.setitem(NETWORKS.own, "maps", ROW)
    laws.laws(ROW)


def test_a_kind_is_told_by_its_row() -> None:
    """The first that a network is of; what is of none has none, and a prefix alone is nothing."""
    names = {spec: getattr(kind_of(spec), "name", None) for spec in laws.OTHERS}
    assert list(names.values()) == ["named", "named", "torchvision", "file", "exported", "onnx"]
    assert [kind_of(other) for other in ("torchvision:", "", "worldnets", 7, None, Path("model.pt2"))] == [None] * 6


def test_what_a_name_alone_tells_may_be_kept() -> None:
    """Of packages, not of files, which may be written anew."""
    assert [packaged(spec) for spec in laws.OTHERS] == [True, True, True, False, False, False]


def test_forms_are_told_once() -> None:
    """Every row's own words stand in the clause that help and refusals show; and which take a file's weights."""
    assert all(row.form in forms() for row in NETWORKS.own.values())
    filled = "zfnet, zfnet64, worldnet, torchvision:NAME, timm:NAME, hf:ID_OR_FOLDER, "
    filled += "smp:ARCHITECTURE/ENCODER, smp:ID_OR_FOLDER, xrv:NAME, keras:APPLICATION or path/file.py:FUNCTION"
    assert filled_forms() == filled


def test_our_networks_are_those_that_are_told() -> None:
    """A name without what builds it, or the other way round, cannot be."""
    assert list(NAMED) == list(OURS)


@pytest.mark.parametrize("given", [{}, {"ending": ""}])
def test_a_kind_that_nothing_tells_is_refused(given: dict[str, str]) -> None:
    """A prefix, an ending or a function that tells it."""
    with pytest.raises(ValueError, match='the network kind "odd" needs a prefix, an ending or claims'):
        NetworkKind(name="odd", sentence="odd", form="odd", load=net, **given)


def test_a_kind_may_take_what_python_hands_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object of another framework is claimed by its kind, whose load is given the object itself."""
    given = {"maps": 3}
    row = replace(
        ROW,
        claims=lambda network: network is given,
        load=lambda network, **more: net(f"maps:{network['maps']}", **more),
    )
    monkeypatch.setitem(NETWORKS.own, "maps", row)
    assert ls.trace(given).name == "maps:3"
    with pytest.raises(UsageError, match="the network given is a dictionary of weights"):
        ls.trace(dict(given))


def test_a_package_that_a_kind_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is loaded: what to install."""
    from layerscope.models import load

    monkeypatch.setitem(NETWORKS.own, "maps", replace(ROW, needs=("nobody_has_this",), install="layerscope[maps]"))
    with pytest.raises(UsageError, match=r"needs nobody_has_this: pip install 'layerscope\[maps\]'"):
        load("maps:2")
