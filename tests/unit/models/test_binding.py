"""Further arguments of a forward: those with a default are no obstacle, others are bound by name."""

import functools
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.cli import main
from layerscope.core.errors import TraceError, UsageError

EXPECTED = ls.Input(height=8, width=8)


class Masked(nn.Module):
    """A picture, two arguments that must be given, and one with a default."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, picture, mask, scale, extra=None):
        given = self.conv(picture) * scale
        return given if mask is None else given * mask


@dataclass
class Found:
    logits: Tensor
    maps: list[Tensor]


class Several(nn.Module):
    """What it returns is of the kind that is named."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.conv, self.kind = nn.Conv2d(3, 4, 3), kind

    def forward(self, x, labels=None):
        given = self.conv(x)
        out = {"maps": [given, given.relu()], "none": None, "loss": labels}
        return {"dict": out, "tuple": (given, [given.relu()], 7), "list": [given]}[self.kind]


def test_bound_arguments_are_the_networks(tmp_path: Path) -> None:
    """The same as a module that calls it with them; layers keep their names, and the user's module is left alone."""
    torch.manual_seed(0)
    model = Masked()
    net = ls.trace(model, EXPECTED, bind={"mask": None, "scale": 2.0})
    x = torch.rand(2, 3, 8, 8)
    assert net.layers[0].name == "conv" and "forward" not in vars(model)
    outputs = net.program.run(x, set(net.program.graph.outputs))
    assert torch.allclose(outputs[net.program.graph.outputs[0]], model(x, None, 2.0), atol=1e-6)
    assert net.replay is not None and net.replay.outputs == 1 and not net.replay.fault


def test_a_partial_is_no_obstacle() -> None:
    """A forward that the user bound already, by functools.partial."""
    model = Masked()
    model.forward = functools.partial(model.forward, mask=None, scale=3.0)
    assert "conv" in ls.trace(model, EXPECTED)


@pytest.mark.parametrize("kind", ["dict", "tuple", "list"])
def test_outputs_of_any_form_are_outputs(kind: str) -> None:
    """Dictionaries, tuples and lists, with values in them that are no maps; a second argument has a default."""
    net = ls.trace(Several(kind), EXPECTED)
    assert "conv" in net and net.replay is not None and not net.replay.fault and net.replay.outputs >= 1


def test_a_shell_binds(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """--bind NAME=VALUE, repeated; what is not bound is told with the option that would bind it."""
    code = Path(__file__).read_text().split("class Masked")[1].split("@dataclass")[0]
    (tmp_path / "net.py").write_text(f"from torch import nn\n\nclass Masked{code}")
    words = ["layers", f"{tmp_path / 'net.py'}:Masked", "--input", "3x8x8", "--quiet"]
    assert main([*words, "--bind", "mask=none", "--bind", "scale=0.5"]) == 0
    assert "conv" in capsys.readouterr().out
    assert main([*words, "--bind", "mask=none"]) == 1
    assert "takes 2 inputs (picture, scale)" in (said := capsys.readouterr().err) and "--bind scale=" in said
    assert main([*words, "--bind", "mask"]) == 1
    assert '--bind must be NAME=VALUE, with none, true, false or a number for the value, got "mask"' in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("bind", "said"),
    [
        ({"masc": None}, 'Masked.forward takes no "masc"; it takes picture, mask, scale, extra; did you mean mask'),
        ({"picture": None}, '"picture" is where Masked.forward takes the picture: bind other arguments'),
    ],
)
def test_what_cannot_be_bound_is_refused(bind: dict, said: str) -> None:
    """A name that the forward does not have, and the picture itself."""
    with pytest.raises(UsageError) as error:
        ls.trace(Masked(), EXPECTED, bind=bind)
    assert said in str(error.value)


def test_what_is_left_to_bind_is_told() -> None:
    """The refusal of several inputs says how to bind them."""
    with pytest.raises(TraceError, match=r"takes 3 inputs \(picture, mask, scale\).*--bind mask=none"):
        ls.trace(Masked(), EXPECTED)


def test_what_is_traced_takes_no_bindings() -> None:
    """A Network, or an exported program, was bound when it was made."""
    net = ls.trace(nn.Conv2d(3, 4, 3), EXPECTED)
    with pytest.raises(UsageError, match="bind= goes with a spec or a module"):
        ls.layers(net, bind={"a": 1})
