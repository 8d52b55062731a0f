"""One unit of an atlas: its peaks, what they look like, what lies below them, and which units go with it. No torch."""

import operator
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from jaxtyping import Float32, UInt8

from layerscope.api import notebook
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import Neighbour, Peak, Stratum
from layerscope.atlas.retention import KeptByMarks
from layerscope.core.concepts import ConceptScore
from layerscope.core.errors import UsageError, nearest
from layerscope.core.geometry import Box
from layerscope.core.labels import LabelScore
from layerscope.core.shares import MadeOf
from layerscope.core.uses import UsedFor
from layerscope.core.words import WordScore
from layerscope.facts.standing import names_said
from layerscope.facts.unit import ScannedUnit, scanned_unit, unkept, unshared
from layerscope.figures import Sheet, unit_page

if TYPE_CHECKING:
    from layerscope.api.atlas import AtlasLayer
    from layerscope.api.network import Network
    from layerscope.sources.types import Images


class Unit:
    """One unit of a layer: where it fires most, and what that looks like. number: its place in the layer."""

    def __init__(self, file: AtlasFile, layer: "AtlasLayer", number: int) -> None:
        self._file = file
        self.layer = layer
        self.number = number

    @property
    def peaks(self) -> tuple[Peak, ...]:
        """Its highest activations, best first, one per image; none for a unit that was never above zero."""
        return self._file.peaks(self.layer.stored.id, self.number)

    @property
    def strata(self) -> tuple[Stratum, ...]:
        """What excites it less than its peaks: of a sample of the images, those around the 99th, 95th, 90th and 50th
        percentile of their maxima, four for each; none where it is not above zero, or the atlas keeps none."""
        return self._file.strata(self.layer.stored.id, self.number)

    @property
    def neighbours(self) -> tuple[Neighbour, ...]:
        """The units of its layer whose image maxima rise and fall with its own, at most eight, best first; none in
        layers of more than 2,048 units, or where the atlas keeps none."""
        return tuple(one for one in self.layer.neighbours if one.unit == self.number)

    def made_of(self, earlier: str | None = None) -> MadeOf:
        """The units of an earlier layer that its peaks come from, with their shares and places.

        earlier: the layer's name; None takes the nearest. Raises UsageError where the atlas does not know it.
        """
        found = self._file.made_of(self.layer.stored.id, self.number)
        if not found:
            why = unshared(self._file, self.layer.stored, self.number)
            raise UsageError(f"{self._where}: nothing is known of what its peaks are made of, since {why}")
        known = {one.earlier: one for one in found}
        if earlier is not None and earlier not in known:
            raise UsageError(f'{self._where} is not shared out among "{earlier}", only among {", ".join(known)}')
        return found[0] if earlier is None else known[earlier]

    def kept_by(self, method: str | None = None) -> KeptByMarks:
        """How much of its activation at its first peak the pixels keep that a method marks most, and random ones.

        method: None takes what the layer's plate shows. Raises UsageError where the atlas does not know it.
        """
        found = {one.method: one for one in self._file.kept_by(self.layer.stored.id, self.number)}
        method = method or self.layer.method
        if method not in found:
            why = unkept(self._file, self.layer.stored, self.number, method)
            raise UsageError(f"{self._where}: nothing is known of what its marked pixels keep, since {why}")
        return found[method]

    def used_for(self) -> UsedFor:
        """The classes that it speaks for and against, and the later units of whose peaks it is among the strongest
        parts. Raises UsageError where the atlas knows neither."""
        layer, measured = self.layer.stored.id, dict[str, Any](self._file.statistic("use") or {})
        classes, units = self._file.used_for(layer, self.number), self._file.makes(layer, self.number)
        if not classes and not units and "images" not in measured:
            why = measured.get("refused", "the atlas was made without it; the command that built it adds it")
            raise UsageError(f"{self._where}: nothing is known of what it is used for, since {why}")
        return UsedFor(classes=classes, units=units, images=measured.get("images", 0))

    @property
    def statistics(self) -> ScannedUnit:
        """What the scan counted for it. Raises UsageError before the layer was scanned."""
        found = scanned_unit(self.layer.statistics, self._file.statistic("classes") or (), self.number)
        if found is None:
            raise UsageError(f'layer "{self.layer.name}" has not been scanned yet: finish the build first')
        return found

    @property
    def concept(self) -> ConceptScore | None:
        """The concept that it is named by; None where none was found, or nobody dissected the atlas."""
        every = self.layer.concepts
        return every[self.number].best if every else None

    @property
    def label(self) -> LabelScore | None:
        """The label, or the compound of two, that it is named by; None where none is, or labels were not tried."""
        every = self.layer.labels
        return every[self.number].best if every else None

    @property
    def word(self) -> WordScore | None:
        """The word that it is named by; None where none is, or words were not tried."""
        every = self.layer.words
        return every[self.number].best if every else None

    @property
    def note(self) -> str | None:
        """What is said of it in words; None where nothing is."""
        return self.layer.notes.get(self.number)

    def patch(self, rank: SupportsIndex) -> UInt8[np.ndarray, "h w 3"]:
        """What the picture shows at the peak of this rank, at the network's resolution. Raises UsageError."""
        return self._tile(rank, "patches")

    def projection(
        self, rank: SupportsIndex, method: str | None = None, view: str = "natural"
    ) -> UInt8[np.ndarray, "h w 3"]:
        """The peak of this rank carried back to pixels; zero is 128.

        method: None takes what the layer's plate shows. view: "natural" or "signal". Raises UsageError for a rank,
        method or view that the atlas does not hold.
        """
        run = self._file.run
        if method is not None and method not in run.methods:
            held = ", ".join(run.methods) or "none"
            raise UsageError(f'no projections by "{method}" in this atlas, only {held}{nearest(method, run.methods)}')
        if view not in run.views:
            held = ", ".join(run.views) or "none"
            raise UsageError(f'no view "{view}" in this atlas, only {held}{nearest(view, run.views)}')
        if method is None and self.layer.method is None:
            raise UsageError(f'layer "{self.layer.name}" has no projections in this atlas, only patches')
        return self._tile(rank, "projections", method or self.layer.method or "", view)

    def signal(
        self,
        rank: SupportsIndex,
        method: str | None = None,
        *,
        net: "Network | None" = None,
        images: "Images | None" = None,
    ) -> tuple[Float32[np.ndarray, "c h w"], Box]:
        """The projection itself, at the network's resolution, and where it lies, in input px (see Projections).

        Kept by a build with keep_signal; else computed again, which needs the network and the images of the build.
        Raises UsageError where neither is there, WrongModel where the activation does not come back.
        """
        peak = self._peak(rank)
        method = method or self.layer.method or "deconvnet"
        kept = self._file.signal(self.layer.stored.id, self.number, peak.rank, method)
        if kept is not None:
            return kept
        if net is None or images is None:
            raise UsageError(
                f"this atlas keeps no {method} signal of {self._where}; build with keep_signal=True, "
                "or compute it again: unit.signal(rank, net=net, images=images)"
            )
        from layerscope.api.again import signal_again

        return signal_again(self._file, peak, self.layer.stored.record, self.number, method, net, images)

    @property
    def _where(self) -> str:
        return f'layer "{self.layer.name}", unit {self.number}'

    def _peak(self, rank: SupportsIndex) -> Peak:
        """The peak of this rank. Raises UsageError where there is none."""
        peaks = self.peaks
        if not peaks:
            raise UsageError(f"{self._where} has no peaks: it was never above zero")
        place = operator.index(rank)
        if not 0 <= place < len(peaks):
            raise UsageError(f"{self._where} has peaks of rank 0 to {len(peaks) - 1}, and none of rank {place}")
        return peaks[place]

    def _tile(self, rank: SupportsIndex, kind: str, method: str = "", view: str = "") -> UInt8[np.ndarray, "h w 3"]:
        place = self._peak(rank).rank
        sheet = self._file.sheet(self.layer.stored.id, self.number, kind, method, view)
        if sheet is None:
            by = f" by {method}" if method else ""
            raise UsageError(
                f"{self._where} has no {kind}{by} in this atlas: they were not asked for, or its build is unfinished"
            )
        return self._file.tiles(sheet)[place]

    def plot(self) -> Sheet:
        """The unit's page: patches with their places in the whole pictures, projections, values, classes."""
        return unit_page(self._file, self.layer.name, self.number)

    def __repr__(self) -> str:
        said = names_said(self._file, self.layer.stored).get(self.number)
        known = f", {said}" if said else ""
        return f"<Unit {self.number} of {self.layer.name!r}: {len(self.peaks)} peaks{known}>"

    def _repr_html_(self) -> str:
        return notebook.unit_html(self._file, self.layer.stored, self.number)
