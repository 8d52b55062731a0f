"""Trained networks on photographs, at full size: what marked pixels keep is what whole pictures changed by hand keep.

Where they lie is told in `tests/helpers/trained.py`.
"""

import numpy as np
import pytest

import layerscope as ls
from layerscope.sources import open_source
from tests.helpers.trained import folder, trained
from tests.laws.test_retention import shares_and_references

PHOTOGRAPHS, UNITS = 6, 4
NETWORKS = {
    "squeezenet1_0": ("features.4", "features.7", "features.10", "features.12"),
    "mobilenet_v2": ("features.4", "features.7", "features.11", "features.14", "features.18"),
}
INPUT = ls.Input(height=224, width=224, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


@pytest.mark.wide
@pytest.mark.parametrize("name", NETWORKS)
def test_shares_are_those_of_whole_photographs_changed_by_hand(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """At the strongest places of some units over a few photographs, by all methods, to 1e-9."""
    layers, model = NETWORKS[name], trained(name)
    net, source = ls.trace(model, INPUT), open_source(str(folder("LAYERSCOPE_PHOTOGRAPHS")))
    pictures = source.load(range(0, len(source), len(source) // PHOTOGRAPHS), INPUT).pixels[:PHOTOGRAPHS]
    worst, lines = 0.0, []
    for layer in layers:
        activations = net.activations(pictures.astype(np.float64), layer)
        chosen = np.random.default_rng(0).permutation(np.flatnonzero(activations.max((0, 2, 3)) > 0))[:UNITS]
        highest = [np.unravel_index(activations[:, unit].argmax(), activations[:, 0].shape) for unit in chosen]
        places = [(int(i), int(u), int(row), int(col)) for u, (i, row, col) in zip(chosen, highest, strict=True)]
        for method, (fast, slow) in shares_and_references(net, model, pictures, net[layer], layer, places).items():
            known = np.isfinite(slow)
            assert fast[known] == pytest.approx(slow[known], abs=1e-9), f"{layer}, {method}"
            worst = max(worst, float(np.abs(fast - slow)[known].max(initial=0)))
            lines.append(f"{layer} {method}: {known.sum()} of {len(slow)}, mean {np.nanmean(slow):.3f}")
    with capsys.disabled():
        print(f"\n{name}: largest difference {worst:.1e} in {'; '.join(lines)}")
