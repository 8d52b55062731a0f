"""The laws of kinds of networks: told from the others, the same each time, read rightly, and refused in one sentence.

Each is called with a row of `layerscope.core.networks.NETWORKS` and one network of it, as a user writes it; `laws` runs
them all, over the row's samples where none is given. A network that says no Input is read at 3 x 64 x 64.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from layerscope.core.errors import LayerscopeError, TraceError, UsageError
from layerscope.core.networks import NETWORKS, NONE, NetworkKind, forms, kind_of
from layerscope.core.records import Input
from layerscope.graph import read
from layerscope.models import Loaded, load

OTHERS = ("worldnet", "zfnet/none", "torchvision:alexnet", "path/net.py:network", "path/model.pt2", "path/model.onnx")
INPUT = Input(height=64, width=64)


def is_found(row: NetworkKind, network: str) -> None:
    """The registry gives this row under its name, and nothing that it needs is missing."""
    assert row.name in NETWORKS, f'no kind of network is called "{row.name}": is its package installed?'
    assert NETWORKS[row.name] is row, f'"{row.name}" is another row than this'


def says_itself(row: NetworkKind, network: str) -> None:
    """Name, sentence and form are as help and docs need them, and the form stands among all."""
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", row.name), f'"{row.name}" is no plain word of small letters and digits'
    assert row.sentence and not row.sentence.endswith("."), f"{row.name} needs a sentence without a full stop"
    assert row.form.startswith(row.prefix), f'the form "{row.form}" does not begin with "{row.prefix}"'
    assert row.form.endswith(row.ending), f'the form "{row.form}" does not end with "{row.ending}"'
    assert row.form in forms(), f'"{row.form}" is not told among {forms()}'


def is_distinguished(row: NetworkKind, network: str) -> None:
    """It takes its own networks and no other kind's, nothing, or what nobody means."""
    assert kind_of(network) is row, f'"{network}" is not taken for a {row.name}'
    others = [other for other in OTHERS if kind_of(other) is not row] + ["", " ", "no such network", row.prefix]
    for other in others:
        assert not row.is_its_own(other), f'{row.name} takes "{other}"'
    assert not row.is_its_own(None) and not row.is_its_own(7)


def is_whole(row: NetworkKind, network: str) -> None:
    """A module or an exported program, a name, and where anything is said of input, classes or remarks, it is sound."""
    loaded = _opened(row, network)
    assert isinstance(loaded.model, nn.Module | ExportedProgram)
    assert loaded.name.strip() == loaded.name != "", f"{network} has no name"
    assert loaded.input is None or isinstance(loaded.input, Input)
    assert all(isinstance(word, str) and word for word in (*loaded.classes, *loaded.remarks))
    for name, weight in _weights(loaded).items():
        finite = not weight.is_floating_point() or bool(weight.isfinite().all())
        assert finite or name in loaded.unloaded, f"{name} of {network} holds NaN or infinite numbers"


def is_the_same_each_time(row: NetworkKind, network: str) -> None:
    """Two loads give two networks of the same name, input and weights, whatever was drawn at random before."""
    torch.manual_seed(1)
    first = _opened(row, network)
    torch.manual_seed(2)
    again = _opened(row, network)
    assert (first.name, first.input, first.classes) == (again.name, again.input, again.classes)
    assert first.model is not again.model, f"{network} gives one module twice: what is done to one shows in the other"
    one, other = _weights(first), _weights(again)
    assert one.keys() == other.keys(), f"{network} has other weights each time"
    for name, weight in one.items():
        assert torch.equal(weight, other[name]), f"the weights {name} of {network} differ from load to load"


def is_read_rightly(row: NetworkKind, network: str) -> None:
    """Its graph computes what it computes itself, in every layer; its input is of the shape that it says."""
    loaded = _opened(row, network)
    found = read(loaded.model, loaded.input or INPUT, unloaded=loaded.unloaded)
    assert not found.replay.fault, f"{network}: {found.replay.clause}"
    assert found.replay.pictures or isinstance(loaded.model, ExportedProgram), f"{network}: {found.replay.said}"
    assert any(layer.auto for layer in found.layers), f"{network} has no layer that an atlas would show"


def has_an_untrained_twin(row: NetworkKind, network: str) -> None:
    """Without its weights it has the same tensors, of the same shapes; by "/none" likewise, where that is told."""
    own = {name: weight.shape for name, weight in _weights(_opened(row, network)).items()}
    twins = [_opened(row, network, with_weights=False)]
    twins += [_opened(row, network.removesuffix(NONE) + NONE)] if row.random else []
    for twin in twins:
        assert {name: weight.shape for name, weight in _weights(twin).items()} == own, f"{twin.name} has other tensors"


def takes_weights_of_a_file(row: NetworkKind, network: str) -> None:
    """A file's weights are its own then; where the row says that it takes none, one sentence says so."""
    twin = _opened(row, network, with_weights=False)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "weights.pt"
        state = {name: weight + weight.is_floating_point() for name, weight in _weights(twin).items()}
        torch.save(state, file)
        if not row.filled:
            assert _refused(row, network, weights=file), f"{network} takes a file's weights and does not say so"
            return
        filled = _weights(_opened(row, network.removesuffix(NONE), weights=file))
        for name, weight in state.items():
            assert torch.equal(filled[name], weight), f"{name} of {network} is not the file's"
        assert _refused(row, network.removesuffix(NONE), weights=file.with_name("gone.pt"))


def names_there_are(row: NetworkKind, network: str) -> None:
    """Every name that is suggested for another is one of this kind's, and written as users write it."""
    for name in row.names() if row.names else ():
        assert kind_of(name) is row, f'"{name}" is suggested, and is no {row.name}'


def nonsense_is_refused(row: NetworkKind, network: str) -> None:
    """A name that no network has raises UsageError or TraceError: one sentence, which repeats it."""
    for nonsense in ("no-such-network", "-1", "0/0", "../..", "a b", "\N{SNOWMAN}"):
        named = f"{row.prefix}{nonsense}{row.ending}"
        said = _refused(row, named) if kind_of(named) is row else named
        assert said, f'"{named}" is a network of {row.name}'
        first = nonsense.partition("/")[0]
        assert "\n" not in said and first in said, f'"{named}" is refused with "{said}"'


LAWS = (
    is_found,
    says_itself,
    is_distinguished,
    is_whole,
    is_the_same_each_time,
    has_an_untrained_twin,
    takes_weights_of_a_file,
    names_there_are,
    nonsense_is_refused,
    is_read_rightly,
)


def laws(row: NetworkKind, *networks: str) -> None:
    """All laws of kinds of networks. Raises AssertionError, with a sentence, for the first that the row breaks."""
    assert networks or row.samples, f"{row.name} has no samples: name a network"
    for network in networks or row.samples:
        for law in LAWS:
            law(row, network)


def _opened(row: NetworkKind, network: str, **given: Any) -> Loaded:
    """A network, trusted where its kind asks for that."""
    return load(network, trust=row.trusting, **given)


def _weights(loaded: Loaded) -> dict[str, Tensor]:
    model = loaded.model
    state = model.state_dict if isinstance(model, ExportedProgram) else model.state_dict()
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}


def _refused(row: NetworkKind, network: str, weights: Path | None = None) -> str:
    """What is said of a network that cannot be had; empty where it can."""
    try:
        _opened(row, network, weights=weights)
    except (UsageError, TraceError) as error:
        return str(error)
    except LayerscopeError as error:
        raise AssertionError(f'"{network}" raises {type(error).__name__}, not UsageError or TraceError') from error
    return ""
