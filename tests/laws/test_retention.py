"""What marked pixels keep of an activation: that of whole pictures changed px by px, in the eager model, in float64."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from jaxtyping import Float32
from torch import nn

import layerscope as ls
from layerscope.core.records import LayerRecord
from layerscope.project.cone import Entries, needed_maps
from layerscope.project.retention import Kept, marks_of
from layerscope.project.run import activations_at, carried
from tests.helpers import kept
from tests.helpers.networks import CASES, Case
from tests.helpers.reference import METHODS, Reference, probes
from tests.laws.checks import TOLERANCE, hooked_name, traced_case


def shares_and_references(
    net: ls.Network, model: nn.Module, pictures: Float32[np.ndarray, "n c h w"], layer: LayerRecord, name: str,
    places: Sequence[kept.Place],
) -> dict[str, tuple[np.ndarray, np.ndarray]]:  # fmt: skip
    """By method, what its marks keep of the activations at some places: the package's shares, and the slow ones.

    places: image, unit, row and column of each.
    """
    image, unit, row, col = (np.array(column, np.int64) for column in zip(*places, strict=True))
    entries = Entries(layer.node, image, unit, row, col)
    maps = net.program.run(
        torch.from_numpy(pictures), {layer.node}.union(*(needed_maps(net.program, layer.node, m) for m in METHODS))
    )
    values = activations_at(maps[layer.node], entries).double().numpy()
    size = pictures.shape[-2:]
    boxes = [layer.field.box(*place).clipped(*size) for place in zip(row.tolist(), col.tolist(), strict=True)]
    fast, parts = (
        Kept(net.program, pictures, entries, values, boxes),
        list(carried(net.program, entries, METHODS, maps)),
    )
    references = [Reference(model, picture.astype(np.float64), [name]) for picture in pictures]
    found = {}
    for method in METHODS:
        slow = []
        for (i, *at), box in zip(places, boxes, strict=True):
            place = tuple(at[: 3 if layer.map else 1])
            by = kept.marks(references[i], name, place, method)
            field = range(box.top, box.bottom), range(box.left, box.right)
            slow.append(kept.share_kept(model, pictures[i], name, place, by, *field))
        marks = [own for part in parts for own in marks_of(part, method, boxes[part.part])]
        found[method] = fast.shares({method: marks})[method], np.array(slow)
    return found


# What the others have besides, projections are held to; `make laws` asks of all of them.
SOON = {"concat", "residual", "relu6", "ceil mode", "global pool"}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[] if case.name in SOON else pytest.mark.wide, id=case.name) for case in CASES]
)
def test_shares_are_those_of_whole_pictures_changed_by_hand(case: Case) -> None:
    """On each small network, from its last two layers that a module gives, by every method."""
    model, net = case.model(), traced_case(case)
    pictures = case.images(1, seed=1).astype(np.float32)
    reference = Reference(model, pictures[0].astype(np.float64))
    named = [(layer, name) for layer in net.layers if (name := hooked_name(layer, reference)) and "@" not in name]
    undecided = []
    for layer, name in named[-2:]:
        places = [(0, *place) for place in list(probes(reference.activation(name)))[:2]]
        assert places, f"no positive activation in {layer.name}: another seed would say more"
        for method, (fast, slow) in shares_and_references(net, model, pictures, layer, name, places).items():
            known = np.isfinite(slow)
            assert fast[known] == pytest.approx(slow[known], abs=TOLERANCE), f"{layer.name}, {method}"
            undecided += list(np.flatnonzero(~known))
    assert len(undecided) <= (1 if case.name == "global pool" else 0)
