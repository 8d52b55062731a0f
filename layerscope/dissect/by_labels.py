"""From labelled images to names for units: one scan, then tests by ranks, layer by layer, and the list of misfits."""

from collections.abc import Sequence

import numpy as np

from layerscope.core.failures import plain_failures
from layerscope.core.labels import ALPHA, LEAST_AUC, LabelDissection, LabelTree
from layerscope.core.progress import Progress, Silent
from layerscope.core.records import Input, LayerRecord
from layerscope.dissect.labels import SHUFFLES, LabelTests, name_layer
from layerscope.dissect.maxima import scanned
from layerscope.dissect.misfits import misfits
from layerscope.dissect.ranks import Ranks
from layerscope.graph import Carrier
from layerscope.sources import Source, flat_tree, require_labels

CORRECTION = "Bonferroni, times the number of labels"


@plain_failures("the dissection")
def dissect_by_labels(
    program: Carrier,
    input: Input,
    layers: Sequence[LayerRecord],
    source: Source,
    tree: LabelTree | None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> LabelDissection:
    """Name units by the labels of images, and list the images that do not fit theirs.

    tree: the labels of the source's images, in their order; None where reading them tells. Images without a label, that
    cannot be used, or that are copies of others have no part in it. seed: of shuffled and of planted labels. Raises
    ImageError where no image can be used, UsageError where labels tell nothing apart.
    """
    if tree is not None:
        require_labels(tree, source.name)
    found = scanned(program, layers, source, input, progress or Silent())
    if tree is None:
        labels = {record.id: record.label for record in found.images}
        tree = flat_tree([labels.get(id) for id in range(len(source))])
    deepest = tree.deepest[[record.id for record in found.images]]
    labelled = np.flatnonzero(deepest >= 0)
    usable = LabelTree(names=tree.names, parents=tree.parents, levels=tree.levels, deepest=deepest[labelled])
    # Once more: copies and images that cannot be used may have been all of a label.
    require_labels(usable, source.name)
    tests = LabelTests(usable, usable.deepest)
    ranks, zs, named = [], [], []
    for layer in layers:
        ranks.append(Ranks.of(found.maxima.pop(layer.node)[labelled]))
        one, z = name_layer(layer.name, ranks[-1], tests, seed)
        named.append(one)
        zs.append(z)
    images = [found.images[place].source for place in labelled.tolist()]
    unfit = misfits(ranks, tests, np.concatenate(zs), images, seed)
    listed = {one.image for one in unfit.images}
    return LabelDissection(
        layers=tuple(named),
        misfits=unfit,
        images=len(labelled),
        labels=tests.count,
        settings={
            "source": source.name,
            "seed": seed,
            "least_auc": LEAST_AUC,
            "alpha": ALPHA,
            "correction": CORRECTION,
            "shuffles": SHUFFLES,
        },
        left_out=tuple(_left_out(source, len(found.images), len(labelled), tests)),
        sha256={one.source: one.sha256 for one in found.images if one.source in listed and one.sha256 is not None},
    )


def _left_out(source: Source, usable: int, labelled: int, tests: LabelTests) -> list[str]:
    said = []
    if usable < len(source):
        said.append(f"{len(source) - usable:,} of the {len(source):,} images are copies of others or cannot be used")
    if labelled < usable:
        said.append(f"{usable - labelled:,} images have no label and are left out")
    single = int((tests.sizes == 1).sum())
    if single:
        said.append(f"{single:,} labels are left out: they have one image each, which says nothing of a unit")
    return said
