"""The verbs: trace, images, build, open, figure. Each joins rooms and returns one thing that users hold."""

import warnings
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.api.atlas import Atlas, open
from layerscope.core.errors import TraceError, UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.records import Input

if TYPE_CHECKING:
    from layerscope.api.network import Network
    from layerscope.figures import Sheet
    from layerscope.models import Loaded
    from layerscope.pipeline import Build, CheckReport, Forecast
    from layerscope.sources import Source

__all__ = ["build", "check", "figure", "forecast", "images", "open", "trace"]

# A forecast takes seconds itself: builds of fewer images go without.
FORECAST_FROM = 256


def trace(
    model: Any, input: Input | None = None, *, weights: str | Path | None = None, with_weights: bool = True
) -> "Network":
    """Trace a network: a `torch.nn.Module` with its Input, or a spec such as "torchvision:alexnet".

    model: a module (an evaluation-mode copy is traced, yours stays as it is), "zfnet64", "worldnet" or "zfnet",
    "torchvision:NAME" (default weights), either with "/none" behind it (seeded random ones), "file.py:function" or
    "model.pt2". input: what the network expects;
    needed unless the spec says it, and overrides what it says. weights: a file of weights for the spec or module, or
    "FILE::KEY" for a part of it. with_weights: False builds a spec with random weights, for what needs none. What was
    chosen on the way is warned of, and stands in the network's `remarks`. Raises TraceError and UsageError.
    """
    from layerscope.api.arguments import require_input
    from layerscope.models import load

    require_input(input)
    if not isinstance(model, str | Path):
        loaded = _held(model, weights, with_weights=with_weights)
    elif weights is not None and not with_weights:
        raise UsageError("with_weights=False asks for random weights, and weights= for those of a file: give one")
    else:
        loaded = load(str(model), weights=weights, with_weights=with_weights)
    net = network_of(loaded, input or loaded.input)
    for remark in net.remarks:
        warnings.warn(remark, stacklevel=2)
    return net


def network_of(loaded: "Loaded", input: Input | None) -> "Network":
    """Trace a network that was found and loaded. Raises TraceError and UsageError."""
    from layerscope.api.reading import read_network

    if input is None:
        raise UsageError(
            f"{loaded.name} does not say what it expects: input=ls.Input(channels=3, height=224, width=224)"
        )
    return read_network(loaded, input)


def images(
    source: Any,
    *,
    labels: str | Path | None = None,
    limit: int | None = None,
    orientation: str = "upright",
    max_pixels: int = 178_956_970,
) -> "Source":
    """Images in a fixed order: a folder, a glob, a list of files, `.tar` files, or a map-style Dataset.

    labels: a table of files and classes; else folders tell the classes. limit: the first so many. orientation:
    "upright" turns picture files as their EXIF orientation says, "stored" takes them as they lie, as torchvision's
    ImageFolder does. max_pixels: larger picture files are skipped. len() counts the images; `.skipped` lists those
    that could not be used, with the reason. Raises ImageError and UsageError.
    """
    from layerscope.sources import open_source

    return open_source(source, labels=labels, limit=limit, orientation=orientation, max_pixels=max_pixels)


@plain_failures()
def build(
    net: Any,
    images: Any,
    out: str | Path,
    *,
    layers: Any = "auto",
    k: int = 9,
    methods: Sequence[str] = ("deconvnet", "guided"),
    labels: str | Path | None = None,
    limit: int | None = None,
    weights: str | Path | None = None,
    units: int | None = None,
    tile: int = 96,
    dense: bool = False,
    pictures: bool = True,
    keep_signal: bool = False,
    codec: str = "jpeg",
    seed: int = 0,
    overwrite: bool = False,
    workers: int = 2,
    device: str = "cpu",
    progress: Any = True,
) -> Atlas:
    """Make an atlas: for every unit the k image patches that excite it most, and their projections back to pixels.

    net: a Network, or what `trace` takes. images: what `images` takes. out: the file; the same call goes on with an
    unfinished one, and adds layers and methods to a finished one. layers: "auto", names or globs. k: peaks per unit.
    methods: of "deconvnet", "guided", "gradient". units: a seeded sample of so many units per layer gets tiles. tile:
    largest stored side, px. dense: project dense layers too. pictures: keep small whole pictures. keep_signal: keep
    the signals, float16. workers: decoding threads. device: as PyTorch names it. progress: True for bars on stderr,
    False for none, or an object with start, step and say. Raises LayerscopeError.
    """
    from layerscope.api.selection import layer_names, left_out

    options = {"k": k, "methods": methods, "units": units, "tile": tile, "dense": dense, "pictures": pictures}
    options |= {"keep_signal": keep_signal, "codec": codec, "seed": seed}
    source = _source(images, labels, limit)
    network = _network(net, weights)
    layers = layer_names(network, layers)
    run = _build(network, source, layers, options, workers=workers, device=device, progress=progress)
    for sentence in (*left_out(network, layers), *source.remarks(run.input)):
        run.progress.say(sentence)
    if progress is True and len(source) >= FORECAST_FROM and not Path(out).exists():
        expected = run.forecast()
        run.progress.say(f"about {expected.total / 60:.1f} minutes and {expected.bytes / 1e6:.0f} MB to come")
    with run.progress if progress is True else nullcontext():  # type: ignore[attr-defined]
        run.into(Path(out), overwrite=overwrite)
    return open(out)


@plain_failures()
def forecast(
    net: Any,
    images: Any,
    *,
    layers: Any = "auto",
    labels: str | Path | None = None,
    limit: int | None = None,
    weights: str | Path | None = None,
    workers: int = 2,
    device: str = "cpu",
    **options: Any,
) -> "Forecast":
    """What `build` with the same arguments will take: seconds by stage and bytes, from a small piece of each stage."""
    source = _source(images, labels, limit)
    run = _build(_network(net, weights), source, layers, options, workers=workers, device=device, progress=None)
    return run.forecast()


@plain_failures()
def check(
    atlas: Atlas | str | Path,
    net: Any,
    images: Any,
    *,
    weights: str | Path | None = None,
    sample: int = 32,
    seed: int = 0,
) -> "CheckReport":
    """Compute a seeded sample of an atlas's peaks again and compare; what differs is named.

    sample: peaks per layer. Raises AtlasError for a file that is no atlas.
    """
    from layerscope.pipeline import check_atlas

    held = atlas if isinstance(atlas, Atlas) else open(atlas)
    network = _network(net, weights)
    return check_atlas(held.file, network.program, network.input, _source(images, None, None), sample=sample, seed=seed)


@plain_failures()
def figure(
    atlas: Atlas | str | Path,
    layer: str,
    *,
    units: Iterable[int] | None = None,
    method: str | None = None,
    view: str = "natural",
    count: int = 16,
    shared_scale: bool = False,
) -> "Sheet":
    """A plate: per unit the grid of projections beside the grid of patches, as in Figure 2 of Zeiler & Fergus 2013.

    units: which; None draws a seeded sample of `count`. method: None shows the layer's own (its caption says why).
    view: "natural" or "signal". shared_scale: the tiles of a unit share one scale. Raises UsageError.
    """
    from layerscope.figures import plate

    held = atlas if isinstance(atlas, Atlas) else open(atlas)
    return plate(held.file, layer, units=units, method=method, view=view, count=count, shared_scale=shared_scale)


def _build(
    network: "Network", source: "Source", layers: Any, options: dict[str, Any], *,
    workers: int, device: str, progress: Any,
) -> "Build":  # fmt: skip
    from layerscope.api.selection import chosen_layers
    from layerscope.pipeline import Build, Settings

    if workers < 1:
        raise UsageError(f"workers must be at least 1, got {workers}")
    _require_read(network)
    options = {**options, "methods": tuple(options.get("methods", ("deconvnet", "guided")))}
    return Build(
        network.on(device).program,
        network=network.name,
        replay=network.replay,
        input=network.input,
        layers=chosen_layers(network, layers),
        source=source,
        settings=Settings(**options),
        progress=_reporter(progress),
        workers=workers,
    )


def _require_read(network: "Network") -> None:
    """Raises TraceError where the replay found that the graph is not the user's network."""
    found = network.replay
    if found is not None and found.fault:
        raise TraceError(f"{network.name}: {found.clause}; nothing is built from it; {found.advice}")


def _held(model: Any, weights: str | Path | None, *, with_weights: bool) -> "Loaded":
    """A module or exported program that the user holds; weights of a file go into a copy of it."""
    from torch import nn

    from layerscope.api.arguments import require_model
    from layerscope.graph import prepared
    from layerscope.models import Loaded, load_module

    require_model(model)
    if not with_weights:
        raise UsageError("with_weights=False goes with a spec; a model that you hold has the weights that it has")
    if isinstance(model, nn.Module):
        return load_module(model if weights is None else prepared(model).module, weights)
    if weights is not None:
        raise UsageError(f"weights= goes with a spec or a torch.nn.Module, not with {type(model).__name__}")
    return Loaded(name=type(model).__name__, model=model, input=None)


def _network(net: Any, weights: str | Path | None) -> "Network":
    from layerscope.api.network import Network

    if isinstance(net, Network):
        if weights is not None:
            raise UsageError("weights= goes with a spec or a module; this network is already traced with its own")
        return net
    return trace(net, weights=weights)


def _source(source: Any, labels: str | Path | None, limit: int | None) -> "Source":
    from layerscope.sources import open_source

    return open_source(source, labels=labels, limit=limit)


def _reporter(progress: Any) -> Any:
    if progress is True:
        from layerscope.api.bars import Bars

        return Bars()
    if not progress:
        from layerscope.pipeline.progress import Silent

        return Silent()
    return progress
