"""A pickled network is opened only where it is trusted; what holds none is told in its own sentence."""

import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.cli import main
from layerscope.core.errors import TraceError, UsageError
from layerscope.models import load

RAN: list[str] = []


def tell() -> None:
    RAN.append("ran")


class Telling:
    """Something whose unpickling runs code; hidden: in a way that cannot be seen without running it."""

    def __init__(self, hidden: bool = False) -> None:
        self.hidden = hidden

    def __reduce__(self):
        return (RAN.append, ("ran",)) if self.hidden else (tell, ())


def network(width: int = 4) -> nn.Module:
    torch.manual_seed(width)
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU())


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    torch.save(network(), tmp_path / "whole.pt")
    return tmp_path / "whole.pt"


@pytest.mark.parametrize(
    ("hidden", "what"),
    [
        (False, "a pickled network (torch.nn.modules.container.Sequential)"),
        (True, "objects of more kinds than tensors"),
    ],
)
def test_a_pickle_is_not_opened_without_trust(tmp_path: Path, hidden: bool, what: str) -> None:
    """The refusal names the class and both ways out, and no code of the file has run for it."""
    file = tmp_path / "whole.pth"
    torch.save({"model": network(), "callback": Telling(hidden)}, file)
    RAN.clear()
    with pytest.raises(UsageError) as said:
        load(str(file))
    assert RAN == []
    assert str(said.value) == (
        f'"{file}" holds {what}, and to open it is to run whatever code the file brings along: add --trust '
        "(trust=True) if you know whom it is from, or give the network's class as a function in a .py file, with this "
        "file as --weights, of which no code is run"
    )
    assert load(str(file), trust=True).model(torch.zeros(1, 3, 8, 8)).shape == (1, 4, 6, 6)
    assert ([] if hidden else ["ran"]) == RAN  # what a list in the file appended to is its own


def test_a_trusted_network_is_the_files(whole: Path, capsys: pytest.CaptureFixture) -> None:
    """Its weights and its modules; on the command line with --trust, and what it expects is to be said."""
    net = ls.trace(str(whole), ls.Input(height=8, width=8), trust=True)
    assert [layer.name for layer in net.layers] == ["0", "1"] and net.replay is not None and not net.replay.fault
    x = torch.rand(2, 3, 8, 8)
    assert torch.allclose(torch.from_numpy(net.activations(x, "1")), network()(x), atol=1e-6)
    assert main(["layers", str(whole), "--input", "3x8x8", "--trust", "--quiet"]) == 0
    assert main(["layers", str(whole), "--input", "3x8x8", "--quiet"]) == 1
    assert "add --trust" in capsys.readouterr().err
    assert main(["layers", str(whole), "--trust", "--quiet"]) == 1
    assert "does not say what it expects" in capsys.readouterr().err


def test_of_several_networks_the_averaged_one_is_taken(tmp_path: Path) -> None:
    """As of several sets of weights; the others are named."""
    torch.save({"epoch": 3, "model": network(4), "ema": network(5)}, tmp_path / "both.pt")
    loaded = load(str(tmp_path / "both.pt"), trust=True)
    assert loaded.model[0].out_channels == 5
    assert loaded.remarks == ('"both.pt" holds several networks: ema was taken, not model',)


def test_a_class_that_is_not_there_is_named(whole: Path, tmp_path: Path) -> None:
    """A pickle holds no code: its class must be there to be imported."""
    gone = tmp_path / "gone.pt"
    with zipfile.ZipFile(whole) as archive, zipfile.ZipFile(gone, "w", zipfile.ZIP_STORED) as new:
        for member in archive.namelist():
            content = archive.read(member)
            new.writestr(member, content.replace(b"torch.nn.modules.container", b"torch.nn.modules.contianer"))
    with pytest.raises(
        TraceError, match=r"cannot be opened: No module named .*contianer.*install the package, or start"
    ):
        load(str(gone), trust=True)


def saved(folder: Path, what: str) -> Path:
    """Files that hold no network which could be opened."""
    file = folder / f"{what}.pt"
    if what == "weights":
        torch.save(network().state_dict(), file)
    elif what == "lightning":
        file = folder / "epoch.ckpt"
        state = {"state_dict": network().state_dict(), "hyper_parameters": {"width": 4, "rate": 0.1}}
        torch.save({"pytorch-lightning_version": "2.5", **state}, file)
    elif what == "torchscript":
        torch.jit.save(torch.jit.trace(network(), torch.zeros(1, 3, 8, 8)), file)
    elif what == "cut":
        file.write_bytes(b"")
    return file


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("weights", "holds weights, which are no network alone: name their network, and give this file with --weights"),
        ("lightning", "is a checkpoint of Lightning, which holds weights and not the class; write path/file.py:CLASS"),
        ("torchscript", "is a TorchScript archive, whose network cannot be read; give the torch network that it came"),
        ("cut", "names no network: it is an empty file"),
        ("nothing", "there is no file"),
    ],
)
def test_what_holds_no_network_is_told(tmp_path: Path, what: str, said: str, trust: bool) -> None:
    """Weights alone, a Lightning checkpoint, TorchScript, a broken file, none: each with its way out."""
    with pytest.raises(UsageError) as error:
        load(str(saved(tmp_path, what)), trust=trust)
    assert said in str(error.value) and "\n" not in str(error.value)


LIT = """
from torch import nn

def network(width, *, rate=1.0, depth=1):
    return nn.Sequential(*[nn.Conv2d(3, width, 3) for _ in range(depth)], nn.ReLU())
"""


def test_a_checkpoint_gives_its_class_the_arguments_in_it(tmp_path: Path) -> None:
    """Those that it takes by name; without the checkpoint the needed ones are missing, and that is said."""
    file = saved(tmp_path, "lightning")
    (tmp_path / "net.py").write_text(LIT)
    loaded = load(f"{tmp_path / 'net.py'}:network", weights=file)
    assert torch.equal(loaded.model[0].weight, network()[0].weight)
    with pytest.raises(TraceError, match=r"needs arguments \(width\)"):
        load(f"{tmp_path / 'net.py'}:network")
