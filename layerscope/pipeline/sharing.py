"""What peaks are made of, on its way through a build: as bytes beside each peak's tiles, then as a unit's mean.

Peaks come image by image, a unit's shares are means over all of its peaks; so what each peak is made of waits in the
scratch file, in full, until the unit's sheets are made.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, UInt8

from layerscope.core.records import LayerRecord
from layerscope.core.shares import NEGATIVE, POSITIVE, MadeOf, UnitShare
from layerscope.graph import Carrier
from layerscope.project.shares import Shares, Sharing


@dataclass(frozen=True, eq=False)
class LayerSharing:
    """How the peaks of one layer are shared out. layer: the layer. sharing: who does it. earlier: the earlier layers
    that it reads, in execution order."""

    layer: LayerRecord
    sharing: Sharing
    earlier: tuple[LayerRecord, ...]

    @cached_property
    def dtype(self) -> np.dtype:
        """What one peak is made of, as bytes."""
        fields: list[tuple] = [("value", "<f4")]
        for one in self.earlier:
            held = [("amounts", "<f4", (one.units,)), ("places", "<u4", (one.units,)), ("constants", "<f4")]
            fields.append((str(one.node), [*held, ("past", "<f4")]))
        return np.dtype(fields)

    def packed(self, values: Float[np.ndarray, " m"], found: Mapping[int, Shares]) -> UInt8[np.ndarray, "m b"]:
        """What some peaks are made of, as bytes. Places that were not asked for become 0."""
        peaks = np.zeros(len(values), self.dtype)
        peaks["value"] = values
        for node, one in found.items():
            held = peaks[str(node)]
            held["amounts"], held["places"] = one.amounts, np.maximum(one.places, 0)
            held["constants"], held["past"] = one.constants, one.past
        return peaks.view(np.uint8).reshape(len(values), self.dtype.itemsize)

    def unit(self, unit: int, packed: UInt8[np.ndarray, "k b"], present: Bool[np.ndarray, " k"]) -> dict[int, MadeOf]:
        """What a unit is made of, by earlier node. present: which of its places hold a peak. Nothing is said of a unit
        all of whose peaks are zero."""
        peaks = np.ascontiguousarray(packed).view(self.dtype)[:, 0][present]
        peaks = peaks[peaks["value"] != 0]
        return {one.node: self._made_of(unit, one, peaks) for one in self.earlier} if len(peaks) else {}

    def _made_of(self, unit: int, earlier: LayerRecord, peaks: np.ndarray) -> MadeOf:
        value, held = peaks["value"].astype(np.float64), peaks[str(earlier.node)]
        shares = held["amounts"].astype(np.float64) / value[:, None]
        units, constants, past = shares.sum(1), held["constants"] / value, held["past"] / value
        mean, spread = shares.mean(0), shares.std(0)
        cols = earlier.map[1] if earlier.map else 1
        return MadeOf(
            layer=self.layer.name, unit=unit, earlier=earlier.name, peaks=len(peaks), units=float(units.mean()),
            constants=float(constants.mean()), past=float(past.mean()),
            rest=float(np.abs(1 - units - constants - past).max()),
            strongest=tuple(
                UnitShare(
                    unit=other, share=float(mean[other]), spread=float(spread[other]),
                    row=int(held["places"][0, other]) // cols, col=int(held["places"][0, other]) % cols,
                )
                for other in _strongest(mean)
            ),
        )  # fmt: skip


def _strongest(mean: Float[np.ndarray, " u"]) -> Iterator[int]:
    """The units of the highest shares above zero, then those of the lowest below; among equals the smaller number."""
    falling = np.argsort(-mean, kind="stable")
    yield from (int(unit) for unit in falling[:POSITIVE] if mean[unit] > 0)
    rising = np.argsort(mean, kind="stable")
    yield from (int(unit) for unit in rising[:NEGATIVE] if mean[unit] < 0)


def layer_sharing(program: Carrier, layer: LayerRecord, earlier: Sequence[LayerRecord]) -> LayerSharing:
    """How a layer's peaks are shared out among the earlier layers that it reads; see `Sharing.refused`."""
    sharing = Sharing(program, layer.node, [one.node for one in earlier])
    return LayerSharing(layer, sharing, tuple(one for one in earlier if one.node in sharing.earlier))
