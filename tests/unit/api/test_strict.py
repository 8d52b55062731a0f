"""Rules that no paper states are told, and with `strict` refused."""

from collections.abc import Sequence

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import layerscope as ls
from layerscope.api.selection import require_stated, unstated_rules
from layerscope.core.errors import UsageError
from layerscope.pipeline import Settings

INPUT = ls.Input(height=12, width=12)


class Gated(nn.Module):
    """A convolution and its rectifier, a gate that a SiLU stands before, and a SiLU behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.squeeze, self.last = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).relu()
        x = x * torch.sigmoid(nn.functional.mish(self.squeeze(x.mean((2, 3), keepdim=True))))
        return nn.functional.silu(self.last(x))


@pytest.fixture(scope="module")
def net() -> ls.Network:
    return ls.trace(Gated(), INPUT)


def said(net: ls.Network, names: Sequence[str], **settings) -> tuple[str, ...]:
    return unstated_rules(net, [net[name] for name in names], Settings(**settings))


def test_rules_of_this_house_are_told(net: ls.Network) -> None:
    """All that a method goes through by one, and nothing that it does not: a gate's own branch, or the gradient's."""
    assert said(net, ["conv", "relu_1", "last"], methods=("gradient",)) == said(net, ["conv", "relu_1"]) == ()
    (sentence,) = said(net, ["relu_1", "last"])
    assert "go back through gate by rules that no paper states" in sentence
    assert "gate, silu" in said(net, ["silu_1"])[0] and "mish" not in said(net, ["silu_1"])[0]


def test_a_plate_says_by_which_rules(net: ls.Network, tmp_path) -> None:
    """Each operation with its rule, by the method that is shown; nothing where all rules are the papers'."""
    rough = torch.randint(0, 256, (12, 12, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)).numpy()
    Image.fromarray(rough).save(tmp_path / "a.png")
    layers = ["relu_1", "last", "silu_1"]
    with ls.build(net, tmp_path / "a.png", out=tmp_path / "a.atlas", layers=layers, progress=False) as atlas:
        found = {layer.name: set(layer.record.own_rules) for layer in atlas.file.layers}
        gate = {("deconvnet", "gate", "factor"), ("guided", "gate", "factor")}
        silu = {("deconvnet", "silu", "own"), ("guided", "silu", "both")}
        assert found == {"relu_1": set(), "last": gate, "silu_1": gate | silu}
        said = "By rules that no paper states, {} goes back through {}."
        both = "gate (as a constant factor); silu (rectified{})"
        for method, how in (("deconvnet", ""), ("guided", ", times its secant slope")):
            caption = ls.figure(atlas, "silu_1", method=method).caption
            assert said.format(method, both.format(how)) in caption
        assert said.format("deconvnet", both.format("")) in ls.figure(atlas).caption
        assert said.format("deconvnet", both.format("")) in ls.figure(atlas, "silu_1", unit=0).caption
        assert "no paper" not in ls.figure(atlas, "relu_1").caption


def test_strict_refuses_them_before_anything_is_scanned(net: ls.Network, tmp_path) -> None:
    """One sentence: which layer, which operation, and what can be had; the gradient alone goes through."""
    Image.new("RGB", (12, 12)).save(tmp_path / "a.png")
    with pytest.raises(UsageError, match=r'projections of layer "last" go through gate \(node "gate_1"\)') as e:
        ls.build(
            net, tmp_path / "a.png", out=tmp_path / "a.atlas", layers=["relu_1", "last"], strict=True, progress=False
        )
    assert "method gradient alone" in str(e.value) and not (tmp_path / "a.atlas").exists()
    require_stated(net, net.layers, Settings(strict=True, methods=("gradient",)))
    require_stated(net, [net["relu_1"]], Settings(strict=True))
