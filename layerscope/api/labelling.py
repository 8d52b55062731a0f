"""Dissecting an atlas by labels alone: where the labels and their images lie, and where what is found is kept."""

from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.api.behind import network_behind
from layerscope.api.reporting import reporting
from layerscope.core.errors import UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.images import are_archives, path_of
from layerscope.core.labels import LabelDissection, LabelTree
from layerscope.core.networks import How
from layerscope.dissect import dissect_by_labels, record_labels
from layerscope.sources import Source, open_source, require_labels, tree_of
from layerscope.sources.signatures import named_as_image

if TYPE_CHECKING:
    from layerscope.api.network import Network
    from layerscope.core.progress import Progress

TABLES = (".csv", ".tsv", ".txt")


@plain_failures("the dissection")
def dissect_labelled(
    path: Path, net: "Network | str | PathLike[str] | None", labels: Any, data: Any, count: int | None, how: How,
    seed: int, progress: "bool | Progress | None",
) -> LabelDissection:  # fmt: skip
    """Name the units of an atlas by labels, and keep names and misfits in it. Raises as `layerscope.dissect` does."""
    source, tree, said = labelled_images(labels, data, count)
    with reporting(progress) as reporter:
        for sentence in said:
            reporter.say(sentence)
        named = fspath(net) if isinstance(net, PathLike) else net
        run, layers, _, network = network_behind(path, named, how, reporter.say)
        found = dissect_by_labels(network.program, run.input, layers, source, tree, seed=seed, progress=reporter)
        for sentence in found.left_out:
            reporter.say(sentence)
    record_labels(path, found)
    return found


def labelled_images(labels: Any, data: Any, count: int | None) -> tuple[Source, LabelTree | None, list[str]]:
    """The images, their labels as far as these are told without reading the images, and remarks.

    labels: a table, of the images of `data` or else of those in its folder; or the images themselves. Raises UsageError
    and ImageError.
    """
    table = _table(labels)
    if table is None and data is not None:
        raise UsageError("the labels are pictures themselves, so data= or --data says nothing more; leave it out")
    images = labels if table is None else table.parent if data is None else data
    source = open_source(images, limit=count)
    tree, said = tree_of(source, table)
    if tree is not None:
        require_labels(tree, source.name)
    return source, tree, said


def _table(labels: Any) -> Path | None:
    """The labels file that is meant; None where the labels are those of images. Raises UsageError for no such file."""
    path = path_of(labels)
    if path is None or path.is_dir() or are_archives([path]) or named_as_image(path.name):
        return None
    if not path.exists() and path.suffix.lower() in TABLES:
        raise UsageError(f'the labels "{path}" do not exist; give a table of files and labels')
    return path if path.exists() else None
