"""What a network expects: its own word, field by field overruled by options, and never a guess."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from layerscope.api.opening import overruled
from layerscope.cli.entry import main
from layerscope.cli.networks import wanted
from layerscope.cli.output import Output
from layerscope.cli.parser import parse
from layerscope.core.errors import UsageError
from layerscope.core.records import Input

OWN = Input(height=224, width=224, mean=(0.4, 0.5, 0.6), std=(0.2, 0.2, 0.2), resize=256)


def options(line: str) -> dict:
    return wanted(parse(["layers", "net", *line.split()]), Output(json=False, quiet=True))["net"].given


def test_without_options_a_network_is_taken_at_its_word():
    """Nothing given, nothing changed."""
    assert overruled(OWN, options(""), "net") == OWN


def test_an_option_changes_its_own_field_only():
    """All others stay as the network says."""
    changed = overruled(OWN, options("--order BGR --resize 300"), "net")
    assert changed == Input(height=224, width=224, mean=OWN.mean, std=OWN.std, resize=300, order="BGR")


@pytest.mark.parametrize(
    ("size", "resize"), [("320x320", 366), ("112x112", 128), ("96x64", 110), ("224x448", 512), ("224x224", 256)]
)
def test_another_size_sees_as_much_of_a_picture(size, resize):
    """256 of 224 px stays 8 of 7, by the side that grows more; an option for it is taken at its word."""
    changed = overruled(OWN, options(f"--input 3x{size}"), "net")
    assert (f"{changed.height}x{changed.width}", changed.resize) == (size, resize)
    assert overruled(OWN, options(f"--input 3x{size} --resize 96"), "net").resize == 96
    assert overruled(replace(OWN, resize=None), options(f"--input 3x{size}"), "net").resize is None


def test_a_network_that_says_nothing_needs_its_size():
    """The sentence shows the option and the line to write; with the size, the rest has plain defaults."""
    with pytest.raises(UsageError, match="--input 3x224x224"):
        overruled(None, options("--mean 0.5,0.5,0.5"), "net.py:f")
    line = "--input 4x8x9 --show 2,1,0 --crop squash --interpolation nearest --std 1,2,3,4"
    assert overruled(None, options(line), "net.py:f") == Input(
        channels=4, height=8, width=9, show=(2, 1, 0), crop="squash", interpolation="nearest", std=(1, 2, 3, 4)
    )


def test_values_that_contradict_the_network_are_refused():
    """A mean of one number for three channels is no mean."""
    with pytest.raises(UsageError, match="one number per channel"):
        overruled(OWN, options("--mean 0.5"), "net")


NET = """
from torch import nn
import layerscope
INPUT = layerscope.Input(channels=3, height=16, width=16)
print("loading")

def net():
    print("making")
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 14 * 14, 2))
"""


@pytest.fixture
def code(tmp_path: Path) -> str:
    (tmp_path / "net.py").write_text(NET)
    return f"{tmp_path / 'net.py'}:net"


@pytest.fixture
def body(tmp_path: Path) -> str:
    """Weights of the network without its last layer."""
    state = nn.Sequential(nn.Conv2d(3, 4, 3)).state_dict()
    torch.save(state, tmp_path / "body.pt")
    return str(tmp_path / "body.pt")


def test_what_the_users_file_prints_is_kept_out_of_the_results(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    """stdout is JSON alone; the prints stand on stderr."""
    assert main(["layers", code, "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["network"] == "net.py:net" and printed.err.startswith("loading\nmaking\n")


def test_what_was_chosen_of_a_file_is_remarked(
    code: str, body: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, and not with --quiet; the body is forecast without the head."""
    from PIL import Image

    Image.new("RGB", (16, 16), "red").save(tmp_path / "red.png")
    line = ["build", code, "--weights", body, "--images", str(tmp_path / "red.png"), "--dry-run", "--json"]
    assert main(line) == 0
    spoken = capsys.readouterr()
    assert '"body.pt" has no weights for 3.weight, 3.bias: layers that need them cannot be had' in spoken.err
    assert main([*line, "--quiet"]) == 0
    quiet = capsys.readouterr()
    assert "body.pt" not in quiet.err and json.loads(quiet.out)["layers"] == 1


def test_a_network_without_its_head_cannot_be_evaluated(
    code: str, body: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its scores would be made from nothing."""
    assert main(["evaluate", code, "--weights", body, "--data", str(tmp_path)]) == 1
    assert 'net.py:net cannot be evaluated: "body.pt" has no weights for 3.weight, 3.bias' in capsys.readouterr().err
