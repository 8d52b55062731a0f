"""An atlas and the network that made it become an engine; another network is refused, and the sentence says why."""

from pathlib import Path

from layerscope.atlas.read import AtlasFile
from layerscope.core.errors import TraceError, WrongModel
from layerscope.core.networks import OWN_WAY, How
from layerscope.core.records import Input
from layerscope.facts.network import require_same
from layerscope.graph import Carrier, Traced, graph_of_model, runner_of
from layerscope.live.engine import InferenceEngine
from layerscope.models import Loaded, load
from layerscope.pipeline.identity import identity_of
from layerscope.sources import Source


def open_engine(
    file: AtlasFile, network: str | Path, how: How = OWN_WAY, *, images: Source | None = None
) -> InferenceEngine:
    """An engine for this atlas and the network of this spec (see `models.load`), with the atlas's preprocessing.

    images: where the atlas's images lie. Raises WrongModel for another network than the atlas's, TraceError and
    UsageError for a spec that cannot be loaded or traced.
    """
    loaded = load(str(network), weights=how.weights, trust=how.trust, bind=how.bind)
    traced = _traced(loaded, file)
    program = runner_of(traced.graph, traced.weights)
    return engine_for(file, program, name=loaded.name, classes=loaded.classes, images=images)


def engine_for(
    file: AtlasFile, program: Carrier, *, name: str, classes: tuple[str, ...] = (), input: Input | None = None,
    images: Source | None = None,
) -> InferenceEngine:  # fmt: skip
    """An engine for a network that is traced already.

    input: what the network is said to expect; None takes the atlas's word. images: where the atlas's images lie. Raises
    WrongModel for another network or input than the atlas's, TraceError for weights that are not finite.
    """
    layers = [layer.record for layer in file.layers]
    require_same(file.path, file.run, layers, identity_of(program, name, input))
    program.check()
    return InferenceEngine(file, program, name=name, classes=classes, images=images)


def _traced(loaded: Loaded, file: AtlasFile) -> Traced:
    expected = file.run.input.shape
    try:
        return graph_of_model(loaded.model, expected, unloaded=loaded.unloaded)
    except TraceError as error:
        if loaded.input is None or loaded.input.shape == expected:
            raise
        raise WrongModel(
            f"{file.path} was not made by this network: {loaded.name} differs in its input, which is "
            f"{list(loaded.input.shape)} and not {list(expected)}; name the network that made the atlas"
        ) from error
