"""The verbs around an atlas: trace, images, build, forecast, check. Each joins rooms and returns one thing."""

import warnings
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.api import before
from layerscope.api.atlas import Atlas, open
from layerscope.api.checked import checked
from layerscope.api.opening import network_for, opened_images, require_device, require_read
from layerscope.api.reporting import reporting
from layerscope.core import settings as s
from layerscope.core.choice import ChosenImages
from layerscope.core.columns import Columns
from layerscope.core.engines import DEFAULT_ENGINE
from layerscope.core.failures import plain_failures
from layerscope.core.networks import How
from layerscope.core.records import Input
from layerscope.core.verbs import VERBS

if TYPE_CHECKING:
    from layerscope.api.network import Network
    from layerscope.api.opening import Wanted
    from layerscope.core.progress import Progress
    from layerscope.models.types import Model
    from layerscope.pipeline import Build, CheckReport, Forecast
    from layerscope.sources import Source
    from layerscope.sources.types import Images

__all__ = ["build", "check", "forecast", "images", "open", "trace"]

# A forecast takes seconds itself: builds of fewer images go without.
FORECAST_FROM = 256


@checked(VERBS["trace"])
def trace(
    model: "Model",
    input: Input | None = None,
    *,
    weights: str | PathLike[str] | None = s.WEIGHTS.default,
    trust: bool = s.TRUST.default,
    bind: Mapping[str, Any] | None = s.BIND.default,
    with_weights: bool = s.WITH_WEIGHTS.default,
) -> "Network":
    """Trace a network: a `torch.nn.Module` with its Input, or a spec such as "torchvision:alexnet".

    model: a module (an evaluation-mode copy is traced, yours stays as it is), or a spec: zfnet, zfnet64, worldnet,
    torchvision:NAME, timm:NAME, hf:ID_OR_FOLDER, smp:ARCHITECTURE/ENCODER, smp:ID_OR_FOLDER, xrv:NAME,
    keras:APPLICATION, each also with /none (random weights), keras:FILE.keras, keras:FILE.h5, path/file.py:FUNCTION,
    path/model.pt, path/model.pt2 or path/model.onnx, and whatever else `layerscope plugins` lists; or a Keras model.
    input: what the network expects; needed unless the spec says it, and overrides it. weights: a file of weights for
    the spec or module, or "FILE::KEY" for a part of it. trust: run the code that a pickled network brings along. bind:
    values for further arguments of its forward. with_weights: False builds a spec with random weights, for what needs
    none. What was chosen on the way is warned of, and stands in the network's `remarks`. Raises TraceError and
    UsageError.
    """
    from layerscope.api.opening import traced

    net = traced(model, input, How.of(weights, trust, bind), with_weights=with_weights)
    for remark in net.remarks:
        warnings.warn(remark, stacklevel=3)
    return net


@checked(VERBS["images"])
def images(
    source: "Images",
    *,
    labels: str | PathLike[str] | None = s.LABELS.default,
    image_column: str | None = s.IMAGE_COLUMN.default,
    label_column: str | None = s.LABEL_COLUMN.default,
    sample: int | None = s.SPREAD.default,
    begin: int | None = s.BEGIN.default,
    end: int | None = s.END.default,
    limit: int | None = s.LIMIT.default,
    orientation: s.Orientation = s.ORIENTATION.default,
    max_pixels: int = s.MAX_PIXELS.default,
) -> "Source":
    """Images in a fixed order.

    source: a folder, a glob, picture files, .tar and .tar.gz files, hf:NAME:SPLIT, a Source, a Dataset with __len__ and
    __getitem__, s3://BUCKET/FOLDER, gs://BUCKET/FOLDER, hf://datasets/OWNER/NAME, https://HOST/FOLDER/,
    http://HOST/FOLDER/ or zip://FOLDER::FILE.zip; or a text of a form that an installed package adds. labels: a table
    of files and classes; else folders tell the classes. image_column, label_column: of a data set ("hf:NAME:SPLIT"),
    where it has not one column of images and one of classes. sample: so many, drawn by their names, spread over all.
    begin, end: of these by number, counted from 0, `end` left out. limit: the first so many. orientation: "upright"
    turns picture files as their EXIF orientation says, "stored" takes them as they lie, as torchvision's ImageFolder
    does. max_pixels: larger picture files are skipped. len() counts the images; `.skipped` lists those that could not
    be used, with the reason. Raises ImageError and UsageError.
    """
    columns = Columns(image=image_column, label=label_column)
    choice = ChosenImages(sample=sample, begin=begin, end=end, limit=limit)
    return opened_images(source, labels, columns, choice, orientation, max_pixels)


@checked(VERBS["build"])
@plain_failures()
def build(
    net: "Network | Model | Wanted",
    images: "Images",
    out: str | PathLike[str],
    *,
    layers: str | Sequence[str] = s.LAYERS.default,
    k: int = s.K.default,
    methods: Sequence[str] = s.METHODS.default,
    labels: str | PathLike[str] | None = s.LABELS.default,
    image_column: str | None = s.IMAGE_COLUMN.default,
    label_column: str | None = s.LABEL_COLUMN.default,
    sample: int | None = s.SPREAD.default,
    begin: int | None = s.BEGIN.default,
    end: int | None = s.END.default,
    limit: int | None = s.LIMIT.default,
    orientation: s.Orientation = s.ORIENTATION.default,
    max_pixels: int = s.MAX_PIXELS.default,
    weights: str | PathLike[str] | None = s.WEIGHTS.default,
    trust: bool = s.TRUST.default,
    bind: Mapping[str, Any] | None = s.BIND.default,
    input: Input | None = s.INPUT.default,
    units: int | None = s.UNITS.default,
    tile: int = s.TILE.default,
    dense: bool = s.DENSE.default,
    thumbnails: bool = s.THUMBNAILS.default,
    keep_signal: bool = s.KEEP_SIGNAL.default,
    codec: str = s.CODEC.default,
    seed: int = s.SEED.default,
    strict: bool = s.STRICT.default,
    mergeable: bool = s.MERGEABLE.default,
    overwrite: bool = s.OVERWRITE.default,
    workers: int = s.WORKERS.default,
    device: str = s.DEVICE.default,
    engine: str | None = s.ENGINE.default,
    processes: int | None = s.PROCESSES.default,
    address: str | None = s.ADDRESS.default,
    progress: "bool | Progress | None" = s.PROGRESS.default,
) -> Atlas:
    """Make an atlas: for every unit the k image patches that excite it most, and their projections back to pixels.

    net: a Network, or what `trace` takes. images: what `images` takes. out: the file; the same call goes on with an
    unfinished one, and adds layers and methods to a finished one. layers: "auto", names or globs. k: peaks per unit.
    methods: of "deconvnet", "guided", "gradient". labels to max_pixels: as for `images`. weights, trust, bind, input:
    as for `trace`. units: a seeded sample of so many units per layer gets tiles. tile: largest stored side, px. dense:
    project dense layers too. thumbnails: keep small whole images. keep_signal: keep the signals, float16. codec: of
    tiles and thumbnails. seed: of every sample. strict: refuse projections by rules that no paper states. mergeable:
    keep the sums of the scan too, for `merge`; begin and end do so of themselves. overwrite: start anew where the file
    exists. workers: decoding threads. device: as PyTorch names it. engine: who makes the pieces, as `plugins` lists
    them. processes: how many processes make them. address: of a Ray cluster. progress: True for bars on stderr, False
    for none, or an object with start, step and say. Whatever can be refused is refused before the network is opened.
    Raises LayerscopeError.
    """
    given = locals()
    path = Path(out).expanduser()
    before.require_weights(weights)
    given["engine"] = before.require_engine(engine, mergeable=mergeable, processes=processes, address=address)
    before.require_atlas_place(path, overwrite=overwrite)
    from layerscope.api.selection import run_remarks

    columns = Columns(image=image_column, label=label_column)
    choice = ChosenImages(sample=sample, begin=begin, end=end, limit=limit)
    source = opened_images(images, labels, columns, choice, orientation, max_pixels, atlas=path, anew=overwrite)
    before.require_room(path, before.EMPTY_ATLAS + before.BYTES_PER_IMAGE * len(source), "the atlas")
    with reporting(progress) as reporter:
        run, network = _build(given, source, reporter)
        before.require_room(path, before.least_bytes(run.layers, run.settings.k, len(run.source)), "the atlas")
        for sentence in run_remarks(run, network, layers):
            reporter.say(sentence)
        if progress and len(source) >= FORECAST_FROM and not path.exists():
            expected = run.forecast()
            reporter.say(f"about {expected.total / 60:.1f} minutes and {expected.bytes / 1e6:.0f} MB to come")
        run.into(path, overwrite=overwrite)
    return open(path)


@checked(VERBS["forecast"])
@plain_failures()
def forecast(
    net: "Network | Model | Wanted",
    images: "Images",
    *,
    layers: str | Sequence[str] = s.LAYERS.default,
    k: int = s.K.default,
    methods: Sequence[str] = s.METHODS.default,
    labels: str | PathLike[str] | None = s.LABELS.default,
    image_column: str | None = s.IMAGE_COLUMN.default,
    label_column: str | None = s.LABEL_COLUMN.default,
    sample: int | None = s.SPREAD.default,
    begin: int | None = s.BEGIN.default,
    end: int | None = s.END.default,
    limit: int | None = s.LIMIT.default,
    orientation: s.Orientation = s.ORIENTATION.default,
    max_pixels: int = s.MAX_PIXELS.default,
    weights: str | PathLike[str] | None = s.WEIGHTS.default,
    trust: bool = s.TRUST.default,
    bind: Mapping[str, Any] | None = s.BIND.default,
    input: Input | None = s.INPUT.default,
    units: int | None = s.UNITS.default,
    tile: int = s.TILE.default,
    dense: bool = s.DENSE.default,
    thumbnails: bool = s.THUMBNAILS.default,
    keep_signal: bool = s.KEEP_SIGNAL.default,
    codec: str = s.CODEC.default,
    seed: int = s.SEED.default,
    strict: bool = s.STRICT.default,
    mergeable: bool = s.MERGEABLE.default,
    workers: int = s.WORKERS.default,
    device: str = s.DEVICE.default,
    progress: "bool | Progress | None" = s.NO_PROGRESS.default,
) -> "Forecast":
    """What `build` with the same arguments will take: seconds by stage and bytes, from a small piece of each stage.

    All arguments: as for `build`. Nothing is written; weights that are not named are random. progress: is told what
    "auto" leaves out. Raises LayerscopeError.
    """
    given = locals()
    before.require_weights(weights)
    from layerscope.api.selection import run_remarks

    columns = Columns(image=image_column, label=label_column)
    choice = ChosenImages(sample=sample, begin=begin, end=end, limit=limit)
    source = opened_images(images, labels, columns, choice, orientation, max_pixels)
    with reporting(progress) as reporter:
        run, network = _build(given, source, reporter, with_weights=weights is not None)
        for sentence in run_remarks(run, network, layers):
            reporter.say(sentence)
        return run.forecast()


@checked(VERBS["check"])
@plain_failures()
def check(
    atlas: Atlas | str | PathLike[str],
    net: "Network | Model | Wanted",
    images: "Images",
    *,
    labels: str | PathLike[str] | None = s.LABELS.default,
    image_column: str | None = s.IMAGE_COLUMN.default,
    label_column: str | None = s.LABEL_COLUMN.default,
    sample: int | None = s.SPREAD.default,
    begin: int | None = s.BEGIN.default,
    end: int | None = s.END.default,
    limit: int | None = s.LIMIT.default,
    orientation: s.Orientation = s.ORIENTATION.default,
    max_pixels: int = s.MAX_PIXELS.default,
    weights: str | PathLike[str] | None = s.WEIGHTS.default,
    trust: bool = s.TRUST.default,
    bind: Mapping[str, Any] | None = s.BIND.default,
    input: Input | None = s.INPUT.default,
    peaks: int = s.PEAKS.default,
    seed: int = s.SEED.default,
) -> "CheckReport":
    """Compute a seeded sample of an atlas's peaks again and compare; what differs is named.

    net, images and what belongs to them: as for `build`. peaks: of each layer so many. The report says how many peaks
    were computed, the largest difference over the layer's largest value, and what failed. Raises LayerscopeError,
    AtlasError for a file that is no atlas.
    """
    before.require_weights(weights)
    file = (atlas if isinstance(atlas, Atlas) else open(atlas)).file
    columns = Columns(image=image_column, label=label_column)
    choice = ChosenImages(sample=sample, begin=begin, end=end, limit=limit)
    source = opened_images(images, labels, columns, choice, orientation, max_pixels, atlas=file.path, compared=True)
    network = network_for(net, How.of(weights, trust, bind), input)
    from layerscope.pipeline import check_atlas  # PyTorch, after what is quickly known to be wrong

    return check_atlas(file, network.program, network.input, source, sample=peaks, seed=seed)


def _build(
    given: dict[str, Any], source: "Source", reporter: "Progress", *, with_weights: bool = True
) -> "tuple[Build, Network]":
    """The run that the arguments of build or forecast ask for, and its network."""
    from layerscope.api.selection import chosen_layers, require_stated
    from layerscope.pipeline import Build, Settings

    options = {one.stored or one.name: given[one.name] for one in s.HELD.settings if one.name != "layers"}
    options["mergeable"] |= before.is_mergeable_part(given)
    settings = Settings(**options)
    require_device(given["device"])
    how = How.of(given["weights"], given["trust"], given["bind"])
    network = network_for(given["net"], how, given["input"], with_weights=with_weights)
    require_read(network)
    layers = chosen_layers(network, given["layers"])
    require_stated(network, layers, settings)
    run = Build(
        network.on(given["device"]).program,
        network=network.name,
        replay=network.replay,
        input=network.input,
        layers=layers,
        source=source,
        settings=settings,
        progress=reporter,
        workers=given["workers"],
        engine=given.get("engine", DEFAULT_ENGINE),
        of_engine={name: given.get(name) for name in ("processes", "address", "device")},
    )
    return run, network
