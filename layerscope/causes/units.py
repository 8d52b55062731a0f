"""Units to be changed, what becomes of them, and as many others drawn at random from the same layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from layerscope.core.errors import UsageError
from layerscope.core.records import LayerRecord

# Of each layer, the units to be changed, ascending.
UnitsByLayer = dict[str, tuple[int, ...]]
# Draws that come out as an earlier one are made again, so often for each that is wanted.
_TRIES = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Replacement:
    """What becomes of units: each times `factor` (0: it is taken out), or, where `means` has its layer, its mean.

    means: by layer, of all its units.
    """

    factor: float = 0.0
    means: Mapping[str, Float32[np.ndarray, " u"]] = field(default_factory=dict)

    @property
    def words(self) -> str:
        return "set to their means" if self.means else f"times {self.factor:g}" if self.factor else "set to zero"

    def changed(self, layer: str, value: Tensor, units: Sequence[int]) -> Tensor:
        """A layer's value [n, units, rows, cols] or [n, units] with some units changed, as another tensor."""
        place, made = torch.tensor(units, device=value.device), value.clone()
        if layer in self.means:
            means = torch.from_numpy(self.means[layer][list(units)]).to(value.device, value.dtype)
            made[:, place] = means.reshape(-1, *(1,) * (value.dim() - 2))
        else:
            # Not times zero, which would leave infinity and the sign of a number.
            made[:, place] = value[:, place] * self.factor if self.factor else 0
        return made


def existing(layer: LayerRecord, units: Sequence[int]) -> tuple[int, ...]:
    """The units, each once, ascending. Raises UsageError for one that the layer does not have."""
    wrong = next((unit for unit in units if not 0 <= unit < layer.units), None)
    if wrong is not None:
        raise UsageError(f'layer "{layer.name}" has units 0 to {layer.units - 1}, and no unit {wrong}')
    return tuple(sorted(set(units)))


def others(
    layers: Sequence[LayerRecord], units: UnitsByLayer, draws: int, seed: int
) -> tuple[tuple[UnitsByLayer, ...], str]:
    """So many draws, each another, of as many other units of each layer; and why there are none or fewer, or "".

    Layer for layer: without replacement from the units that are not to be changed.
    """
    for layer in layers:
        left = layer.units - len(units[layer.name])
        if draws and left < len(units[layer.name]):
            what = "none is" if not left else f"only {left:,} are" if left > 1 else "only 1 is"
            return (), f'no draws of other units: beside those of layer "{layer.name}" {what} left'
    found: dict[tuple[tuple[int, ...], ...], UnitsByLayer] = {}
    for attempt in range(_TRIES * draws):
        drawn = {layer.name: _drawn(layer, units[layer.name], seed, attempt) for layer in layers}
        found.setdefault(tuple(drawn.values()), drawn)
        if len(found) == draws:
            break
    few = f"{len(found)} draws of other units in place of {draws}: there are not more" if len(found) < draws else ""
    return tuple(found.values()), few


def _drawn(layer: LayerRecord, units: Sequence[int], seed: int, attempt: int) -> tuple[int, ...]:
    rest = np.setdiff1d(np.arange(layer.units), units)
    draws = np.random.default_rng([seed, layer.node, attempt])
    return tuple(np.sort(draws.choice(rest, len(units), replace=False)).tolist())
