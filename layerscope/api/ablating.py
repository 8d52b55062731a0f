"""Taking units out of a network: is all that was asked for there, by what are images judged, and what is lost."""

import math
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.api import before
from layerscope.api.atlas import Atlas, open
from layerscope.api.checked import checked
from layerscope.api.opening import network_for, opened_images, require_device, require_read
from layerscope.api.reporting import reporting
from layerscope.core import settings as s
from layerscope.core.ablation import Ablation
from layerscope.core.choice import ChosenImages
from layerscope.core.columns import Columns
from layerscope.core.errors import UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.networks import How
from layerscope.core.records import Input, LayerRecord
from layerscope.core.verbs import VERBS

if TYPE_CHECKING:
    import numpy as np

    from layerscope.api.network import Network
    from layerscope.api.opening import Wanted
    from layerscope.causes import Replacement
    from layerscope.core.progress import Progress
    from layerscope.models.types import Model
    from layerscope.sources import Source
    from layerscope.sources.types import Images


@checked(VERBS["ablate"])
@plain_failures()
def ablate(
    net: "Network | Model | Wanted",
    units: Mapping[str, Sequence[int]] | str,
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
    classes: str | PathLike[str] | None = s.CLASSES.default,
    own_predictions: bool = s.causes.OWN_PREDICTIONS.default,
    atlas: Atlas | str | PathLike[str] | None = None,
    to_mean: bool = s.causes.TO_MEAN.default,
    scale: float | None = s.causes.SCALE.default,
    draws: int = s.causes.DRAWS.default,
    seed: int = s.SEED.default,
    most: int = s.causes.MOST.default,
    predicted: "Sequence[float] | np.ndarray | None" = s.causes.PREDICTED.default,
    device: str = s.DEVICE.default,
    weights: str | PathLike[str] | None = s.WEIGHTS.default,
    trust: bool = s.TRUST.default,
    bind: Mapping[str, object] | None = s.BIND.default,
    input: Input | None = s.INPUT.default,
    progress: "bool | Progress | None" = s.PROGRESS.default,
) -> Ablation:
    """Take units out of a network, and count what it loses on images: accuracy, losses of classes, which images change.

    net: a Network, or what `trace` takes. units: of each layer, by its name, those to change; or "LAYER:LIST". images,
    labels to max_pixels: as for `images`. classes: as for `evaluate`. own_predictions: judge images by what the whole
    network says of them, which is done without being asked where no image has a class. atlas: of the network. to_mean:
    each unit is set to its mean in the atlas; scale: or multiplied by this; else set to zero. draws: so many times as
    many other units of the same layers are drawn, by `seed`, and taken out in their stead. most: how many of the images
    that change most are told. predicted: one number for each output, NaN for none: the loss that is expected of its
    class, whose rank correlation with the true one is told; without it, what the atlas, where one is named, knows the
    units to send to each class. device, weights, trust, bind, input, progress: as for `build`. Raises TraceError for a
    network without a class output, WrongModel for another atlas's network, UsageError, ImageError.
    """
    before.require_weights(weights)
    table = None if classes is None else before.readable(classes, "the classes")
    if to_mean and atlas is None:
        raise UsageError("to set units to their means, name the atlas that has them: --atlas FILE, in Python atlas=")
    held = atlas if atlas is None or isinstance(atlas, Atlas) else open(atlas)
    columns = Columns(image=image_column, label=label_column)
    choice = ChosenImages(sample=sample, begin=begin, end=end, limit=limit)
    source = opened_images(images, labels, columns, choice, orientation, max_pixels)
    require_device(device)
    with reporting(progress) as reporter:
        network = network_for(net, How.of(weights, trust, bind), input)
        require_read(network)
        from layerscope.causes import ablate as counted
        from layerscope.causes import judge_of, require_class_output

        node = require_class_output(network.program.graph, network.name)
        chosen = _layers(network, units)
        replacement = _replacement(network, held, [layer for layer, _ in chosen], to_mean=to_mean, scale=scale)
        network.program.check()
        table = table or _known_beside(images, source, labels)
        count = network.program.graph.nodes[node].shape[0]
        if predicted is None and held is not None and not to_mean:
            predicted = _predicted(held, chosen, count, 1.0 - (scale or 0.0))
        judge = judge_of(count, source, classes=network.classes, table=table, own=own_predictions)
        for sentence in source.remarks(network.input):
            reporter.say(sentence)
        return counted(
            network.on(device).program, network.input, chosen, source, judge, replacement=replacement, draws=draws,
            seed=seed, most=most, predicted=predicted, name=network.name, progress=reporter,
        )  # fmt: skip


def _layers(network: "Network", units: Mapping[str, Sequence[int]] | str) -> list[tuple[LayerRecord, tuple[int, ...]]]:
    """The layers that are named, each once, in execution order, with their units. Raises UsageError and UnknownOp."""
    found: dict[int, tuple[LayerRecord, tuple[int, ...]]] = {}
    for name, wanted in dict(units).items():  # type: ignore[arg-type]
        layer = network[name]
        _, known = found.get(layer.node, (layer, ()))
        found[layer.node] = layer, (*known, *wanted)
    return [found[node] for node in sorted(found)]


def _replacement(
    network: "Network", atlas: Atlas | None, layers: Sequence[LayerRecord], *, to_mean: bool, scale: float | None
) -> "Replacement":
    """What becomes of the units. Raises WrongModel for another network's atlas, UsageError where it has no means."""
    from layerscope.causes import Replacement
    from layerscope.facts.network import require_same
    from layerscope.pipeline.identity import identity_of

    if atlas is None:
        return Replacement(factor=scale or 0.0)
    file = atlas.file
    identity = identity_of(network.program, network.name, network.input)
    require_same(file.path, file.run, [layer.record for layer in file.layers], identity)
    if not to_mean:
        return Replacement(factor=scale or 0.0)
    means = {layer.name: file.unit_statistics(file.layer(layer.path).id).mean for layer in layers}
    bare = next((layer.name for layer in layers if len(means[layer.name]) != layer.units), None)
    if bare is not None:
        raise UsageError(f'{file.path} has no means of layer "{bare}": its build has not come to it; let it finish')
    return Replacement(means=means)


def _predicted(
    atlas: Atlas, chosen: Sequence[tuple[LayerRecord, Sequence[int]]], outputs: int, taken: float
) -> "list[float] | None":
    """What each output is expected to lose: what the units send to it, as far as the atlas knows; NaN elsewhere. None
    where it knows nothing. taken: how much of each unit goes."""
    found: dict[int, float] = {}
    for layer, units in chosen:
        stored = atlas.file.layer(layer.path).id
        for use in (use for unit in units for use in atlas.file.used_for(stored, unit)):
            found[use.output] = found.get(use.output, 0.0) + taken * use.amount
    return [found.get(output, math.nan) for output in range(outputs)] if found else None


def _known_beside(images: "Images", source: "Source", labels: object) -> Path | None:
    """The table of classes that lies with images on the disk, if any; classes that folders name as Tiny ImageNet does
    are taken from there, unless a labels file tells them."""
    from layerscope.training.classes import table_beside
    from layerscope.training.data import relabel

    if not isinstance(images, (str, PathLike)):
        return None
    path = Path(fspath(images)).expanduser()
    if path.is_dir() and labels is None:
        relabel(source, path)
    return table_beside(path)
