from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from layerscope.atlas.read import AtlasFile
from layerscope.core.errors import TraceError, UsageError, WrongModel
from layerscope.core.live import LiveRequest
from layerscope.core.networks import How
from layerscope.graph import Program
from layerscope.live.opening import engine_for, open_engine
from tests.helpers.building import INPUT

OTHER = """
import torch
from tests.helpers.networks import Plain, randomise
from layerscope import Input
INPUT = Input(height=64, width=64)

def plain():
    return randomise(Plain("module"), 0)

def fixed():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64 * 64, 4))
"""


@pytest.fixture
def file(made):
    with AtlasFile(made.atlas) as file:
        yield file


@pytest.fixture
def other(tmp_path):
    """A file with networks that did not make the atlas."""
    (tmp_path / "other.py").write_text(OTHER)
    return tmp_path / "other.py"


def test_other_weights_are_refused(made, file):
    """The same architecture from another seed: only the weights differ."""
    with pytest.raises(WrongModel, match=r"net.py:another differs from net.py:small in its weights; name the network"):
        open_engine(file, made.spec.replace("small", "another"))


def test_another_graph_is_refused(file, other):
    """Another architecture differs in graph and weights."""
    with pytest.raises(WrongModel, match="in its graph and weights"):
        open_engine(file, f"{other}:plain")


def test_a_network_of_another_input_is_refused_by_its_input(file, other):
    """It cannot even be traced at the atlas's size: the sentence says which sizes there are."""
    with pytest.raises(WrongModel, match=r"its input, which is \[3, 64, 64\] and not \[3, 40, 48\]"):
        open_engine(file, f"{other}:fixed")


def test_another_preprocessing_is_refused(made, file):
    """A traced network that is said to expect other pictures than the atlas was made of."""
    with pytest.raises(WrongModel, match="in its input"):
        engine_for(file, made.net.program, name="small", input=replace(INPUT, std=(0.5,) * 3))
    assert engine_for(file, made.net.program, name="small", input=INPUT).name == "small"


def test_weights_from_a_file_are_checked_too(made, file, tmp_path):
    """The right weights in a file make the right network of the wrong function; halved ones do not."""
    spec = made.spec.replace("small", "another")
    weights = {name: weight.contiguous() for name, weight in made.net.program.weights.items()}
    save_file(weights, tmp_path / "right.safetensors")
    save_file({name: weight / 2 for name, weight in weights.items()}, tmp_path / "wrong.safetensors")
    engine = open_engine(file, spec, How.of(tmp_path / "right.safetensors"))
    request = LiveRequest(layer="relu2", mosaic=False)
    assert engine.look(made.encoded(0), request).maxima == made.engine.look(made.encoded(0), request).maxima
    with pytest.raises(WrongModel, match="in its weights"):
        open_engine(file, spec, How.of(tmp_path / "wrong.safetensors"))


def test_another_torch_is_named_where_only_the_graph_differs(made, file, monkeypatch):
    """Then the model may be right, and traced differently."""
    monkeypatch.setattr("layerscope.pipeline.identity.graph_hash", lambda program: "0")
    monkeypatch.setattr("layerscope.pipeline.identity.versions", lambda: {"torch": "9.9"})
    with pytest.raises(WrongModel, match=rf"made with torch {torch.__version__.split('+')[0]}.*, this is 9.9"):
        engine_for(file, made.net.program, name="small")


def test_weights_that_are_not_finite_are_refused(made, file, monkeypatch):
    """Whatever the fingerprint says."""
    monkeypatch.setattr("layerscope.pipeline.identity.weights_hash", lambda program: file.run.fingerprint["weights"])
    broken = {name: weight * torch.nan for name, weight in made.net.program.weights.items()}
    with pytest.raises(TraceError, match="not finite"):
        engine_for(file, Program(made.net.program.graph, broken), name="broken")


def test_a_spec_that_names_nothing_is_refused(file):
    """By the sentence of the room that loads networks."""
    with pytest.raises(UsageError, match="names no network"):
        open_engine(file, "nothing")


def test_the_engine_needs_the_file_no_more(made):
    """Everything is read when it is opened: the atlas may be closed, or removed, while pictures are looked at."""
    with AtlasFile(made.atlas) as file:
        engine = engine_for(file, made.net.program, name="small")
    assert engine.whole(made.encoded(0), strongest=1).layers
