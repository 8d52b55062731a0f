"""What an atlas still lacks of what is wanted: per layer the methods without sheets, and how its plate is shown."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.atlas.write import AtlasWriter
from layerscope.core.records import LayerRecord, Peaks
from layerscope.graph import Graph
from layerscope.graph.classifier import computed_scores_of
from layerscope.pipeline.sampling import LayerSample, SampledLayer
from layerscope.pipeline.settings import Settings
from layerscope.pipeline.work import plate_method, sampled_units

# The labels under which the methods that have sheets are kept, by layer, and the earlier layers that its peaks are
# shared out among; they outlive the build.
WITH_SHEETS = "made"
SHARED = "shared"
# ... and the layers of which it is known what classes use them for.
USED = "used"
KEPT = (WITH_SHEETS, SHARED, USED)


@dataclass(frozen=True, eq=False)
class LayerPlan:
    """What is to be made of one layer. methods: without sheets. cut_by: the method on whose energy the finished tiles
    are centred, None where there are none. best, why: the plate's method and the reason; None without projections.
    earlier: the layers that its peaks are yet to be shared out among. measured: all else is made, and was measured."""

    layer: LayerRecord
    methods: tuple[str, ...]
    peaks: Peaks
    cut_by: str | None
    best: str | None
    why: str | None
    earlier: tuple[LayerRecord, ...]
    measured: bool

    def first_images(self) -> list[int]:
        """The images of all first peaks."""
        return [image for image in np.unique(self.peaks.image[:, 0]).tolist() if image >= 0]

    def sampled(self, hashes: Mapping[int, str | None]) -> SampledLayer:
        """The layer as it is to be measured: the plate's method first. hashes: of the images of all first peaks."""
        methods = tuple(sorted(self.methods, key=lambda method: method != self.best))
        return SampledLayer(self.layer, self.peaks, methods, hashes)


class Remaining:
    """What is missing in an atlas that these layers and settings ask for. whole: the side of the whole input, px."""

    def __init__(
        self, writer: AtlasWriter, graph: Graph, layers: Sequence[LayerRecord], settings: Settings, *, whole: int
    ) -> None:
        self.writer, self.graph, self.layers, self.settings, self.whole = writer, graph, layers, settings, whole

    def unscanned(self) -> list[LayerRecord]:
        """The layers that no scan has seen."""
        scanned = {layer.record.node for layer in self.writer.layers()}
        return [layer for layer in self.layers if layer.node not in scanned]

    def anything(self) -> bool:
        """True where something is to be made."""
        return bool(self.unscanned() or self.unused()) or any(self.needs(layer) for layer in self.layers)

    def needs(self, layer: LayerRecord) -> bool:
        """True where something of a scanned layer is to be made."""
        return self.methods(layer) is not None or bool(self.earlier(layer))

    def methods(self, layer: LayerRecord) -> tuple[str, ...] | None:
        """The methods without sheets; None where nothing is to be made, not even patches."""
        wanted = self._projected(layer)
        if not self.has_patches(layer):
            return wanted
        made = self.made(layer)
        return tuple(method for method in wanted if method not in made) or None

    def _projected(self, layer: LayerRecord) -> tuple[str, ...]:
        return self.settings.methods if (layer.map or self.settings.dense) and not layer.scan_only else ()

    def earlier(self, layer: LayerRecord) -> tuple[LayerRecord, ...]:
        """The layers before it, of those that `auto` means, that its peaks are yet to be shared out among."""
        if not self._projected(layer):
            return ()
        known, before = self.shared(layer), self.graph.ancestors({layer.node})
        every = (one.record for one in self.writer.layers())
        return tuple(
            one for one in every
            if one.auto and one.node in before and one.node != layer.node and one.node not in known
        )  # fmt: skip

    def shared(self, layer: LayerRecord) -> list[int]:
        """The nodes of the layers that its peaks are shared out among."""
        return json.loads(self.writer.payload(SHARED, layer.node)) if layer.node in self.writer.done(SHARED) else []

    def unused(self) -> list[LayerRecord]:
        """The layers of which it is yet to be found what classes use them for; none without a class output."""
        if computed_scores_of(self.graph) is None:
            return []
        known = json.loads(self.writer.payload(USED, 0)) if 0 in self.writer.done(USED) else []
        return [layer.record for layer in self.writer.layers() if layer.record.node not in known]

    def mark_used(self) -> None:
        """Note that it is known of all layers."""
        nodes = [layer.record.node for layer in self.writer.layers()]
        self.writer.mark(USED, 0, json.dumps(nodes).encode())

    def has_patches(self, layer: LayerRecord) -> bool:
        """True where an earlier run has made the sheets of patches."""
        return layer.node in self.writer.done(WITH_SHEETS)

    def made(self, layer: LayerRecord) -> tuple[str, ...]:
        """The methods that have sheets."""
        return tuple(json.loads(self.writer.payload(WITH_SHEETS, layer.node))) if self.has_patches(layer) else ()

    def images(self) -> frozenset[int]:
        """The images that the stages behind the scan read."""
        needed = set(self.writer.images_to_place(tiles_known=False))
        for layer in self.layers:
            if self.needs(layer):
                peaks = self.writer.all_peaks(layer.node, self.settings.k, layer.units)
                needed.update(np.unique(peaks.image[list(sampled_units(layer, self.settings))]).tolist())
                needed.update(np.unique(peaks.image[:, 0]).tolist())
        return frozenset(needed)

    def plans(self) -> Iterator[LayerPlan]:
        """What is to be made, layer by layer."""
        for layer in self.layers:
            if self.needs(layer):
                yield self._plan(layer, self.methods(layer))

    def _plan(self, layer: LayerRecord, missing: tuple[str, ...] | None) -> LayerPlan:
        methods = missing or ()
        made = self.made(layer)
        cut_by = self.stored(layer).method if made else None
        # In the order in which they were asked for, as far as it is known.
        every = tuple(dict.fromkeys(m for m in (cut_by, *made, *methods) if m))
        best, why = plate_method(self.graph, layer.node, every, cut_by=cut_by) if every else (None, None)
        peaks = self.writer.all_peaks(layer.node, self.settings.k, layer.units)
        return LayerPlan(layer, methods, peaks, cut_by, best, why, self.earlier(layer), missing is None)

    def stored(self, layer: LayerRecord) -> AtlasLayerRecord:
        """The layer as the atlas holds it now."""
        return next(known for known in self.writer.layers() if known.record.node == layer.node)

    def keep(self, plan: LayerPlan, measured: LayerSample | None) -> None:
        """Store what was measured of a layer, and how its plate is shown."""
        layer = plan.layer
        if measured is None:
            if self.stored(layer).tile is None:
                why = layer.scan_only or None
                self.writer.set_layer_plate(layer.node, tile=self.whole, method=None, why=why)
            return
        for method in plan.methods:
            self.writer.put_statistic("specificity", measured.specificity[method], layer=layer.node, method=method)
            self.writer.put_statistic("retention", measured.retention[method], layer=layer.node, method=method)
        side = measured.side if layer.map else self.whole
        tile = self.stored(layer).tile if plan.cut_by else side
        self.writer.set_layer_plate(layer.node, tile=tile, method=plan.best, why=plan.why)

    def mark(self, layer: LayerRecord, methods: Sequence[str]) -> None:
        """Note which methods have sheets now, and which layers the peaks are shared out among."""
        made = json.dumps(sorted({*self.made(layer), *methods}))
        self.writer.mark(WITH_SHEETS, layer.node, made.encode())
        shared = {*self.shared(layer), *(one.node for one in self.earlier(layer))}
        if shared:
            self.writer.mark(SHARED, layer.node, json.dumps(sorted(shared)).encode())

    def refuse_shares(self, layer: LayerRecord, why: str) -> None:
        """Note why a layer's peaks cannot be shared out."""
        self.writer.put_statistic("shares", {"refused": why}, layer=layer.node)
