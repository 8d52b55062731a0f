"""One network that looks at pictures, for several viewers at once: a picture and a request in, plain values out.

A picture passes the preprocessing of the atlas's images and one forward pass, from whose maps everything is taken:
the classes, the wished layer, and the chosen unit's way back to pixels. Nothing is remembered from one picture to the
next, so viewers cannot mix. One thread at a time computes; the lock is let go between the batches of a long answer.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import Peak
from layerscope.core.errors import UnsupportedMethod, UsageError, nearest
from layerscope.core.live import Firing, LayerFirings, LiveRequest, Look, MadeTile, Portrait, Top
from layerscope.core.methods import METHODS
from layerscope.core.progress import Clock
from layerscope.core.records import Placement
from layerscope.graph import Carrier
from layerscope.graph.classifier import classifier_of
from layerscope.live.agreement import agreement
from layerscope.live.atlas_images import AtlasImage, AtlasImages
from layerscope.live.classes import first_classes
from layerscope.live.forwarded import ForwardPass, entries, highest, milliseconds, require_finite
from layerscope.live.mosaic import gray_levels, mosaic, visible_units
from layerscope.live.tiles import EncodedTile, as_box, natural_view, png, tiles_of
from layerscope.live.watched import WatchedLayer, watched_layers
from layerscope.project.cone import Entries, needed_maps
from layerscope.project.run import Carried, carried
from layerscope.project.tiling import patch_tile
from layerscope.sources import Source, prepare, show
from layerscope.sources.uploads import read_upload

FRAME_BYTES, FRAME_SIDE = 256 * 1024, 1024
PICTURE_BYTES, PICTURE_PX = 8 * 2**20, 16_000_000
STRONGEST = 9


class InferenceEngine:
    """A network over the layers of one atlas; its calls may come from several threads.

    name: of the network. classes: the names of its outputs, empty where nobody says them. layers: those of the atlas,
    in execution order. methods: of projections. input_size: height and width that the network gets, px. images: where
    the atlas's images lie, as far as the user says it.
    """

    def __init__(
        self, file: AtlasFile, program: Carrier, *, name: str, classes: Sequence[str] = (),
        images: Source | None = None,
    ) -> None:  # fmt: skip
        self.name, self.program, self.input = name, program, file.run.input
        self.methods = tuple(row.name for row in METHODS)
        self._watched = {layer.record.name: layer for layer in watched_layers(file, self.input)}
        self.layers = tuple(layer.plain for layer in self._watched.values())
        self.input_size = (self.input.height, self.input.width)
        self._classifier = classifier_of(program.graph)
        outputs = 0 if self._classifier is None else program.graph.nodes[self._classifier].shape[0]
        self.classes = tuple(classes) if len(classes) == outputs else ()
        self._natural = natural_view(file, self.input.channels)
        self._images = AtlasImages(file, images)
        self._computing = threading.Lock()

    def look(self, picture: bytes, request: LiveRequest, *, frame: bool = False) -> Look:
        """One picture, as far as the request goes.

        picture: JPEG or PNG. frame: one of a stream, so at most 1024 x 1024 px and 256 KiB; else 16 million px and
        8 MiB. Raises ImageError for another picture, UsageError for a layer or unit that does not exist,
        UnsupportedMethod, and TraceError where the network makes NaN of the picture.
        """
        clock = Clock()
        return self._look(*self._received(picture, clock, frame=frame), request, clock)

    def look_at_image(self, image: int, request: LiveRequest) -> Look:
        """An image of the atlas, as far as the request goes: from its original where that is found, else the kept copy.

        Raises UsageError for an image of which the atlas keeps none, and what `look` does.
        """
        clock = Clock()
        found = self._loaded(image, clock)
        look = self._look(found.pixels, found.placement, request, clock)
        with_scan = agreement(found.peaks, {self._layer(request.layer).id: np.array(look.maxima, np.float32)})
        return replace(look, original=found.original, agreement=with_scan)

    def whole(self, picture: bytes, *, strongest: int = STRONGEST) -> Portrait:
        """A picture that was sent, at every layer; see `portrait`.

        picture: JPEG or PNG, at most 16 million px and 8 MiB. Raises ImageError for another.
        """
        clock = Clock()
        return self.portrait(*self._received(picture, clock, frame=False), strongest=strongest, clock=clock)

    def whole_image(self, image: int, *, strongest: int = STRONGEST) -> Portrait:
        """An image of the atlas at every layer, beside what the scan kept of it; see `look_at_image`, `portrait`."""
        clock = Clock()
        found = self._loaded(image, clock)
        return self.portrait(found.pixels, found.placement, strongest=strongest, clock=clock, scanned=found)

    def unit_tiles(self, layer: str, unit: int) -> tuple[MadeTile, ...]:
        """The tiles of a unit's peaks, made now, best first; without those of images of which there is no thumbnail.
        Raises UsageError for a layer or unit that does not exist, ImageError, TraceError."""
        watched = self._chosen(LiveRequest(layer=layer, unit=unit, method=self.methods[0]))
        assert watched is not None
        return tuple(self._made_tile(watched, unit, *peak) for peak in self._images.of_unit(watched.id, unit))

    def portrait(
        self, pixels: Float32[np.ndarray, "c h w"], placement: Placement, *, strongest: int = STRONGEST,
        clock: Clock | None = None, scanned: AtlasImage | None = None,
    ) -> Portrait:  # fmt: skip
        """One picture at every layer: the units that it excites most, where, and their projections by every method.

        pixels, placement: as a source prepares a picture. strongest: units a layer. clock: of what was done before.
        scanned: the image of the atlas that it is. Raises UsageError, and TraceError where the network makes NaN of
        the picture.
        """
        if strongest < 1:
            raise UsageError(f"strongest must be at least 1, got {strongest}")
        clock, watched = clock or Clock(), self._watched.values()
        wanted = {layer.record.node for layer in watched}.union(*(self._needed(w, self.methods) for w in watched))
        forwarded = self._forward(pixels, placement, wanted, clock)
        maxima = {layer.id: forwarded.maxima(layer) for layer in watched}
        peaks = () if scanned is None else scanned.peaks
        layers = tuple(
            LayerFirings(
                layer=layer.record.name,
                firings=tuple(self._firings(forwarded, layer, maxima[layer.id], strongest, clock)),
                agreement=None if scanned is None else agreement(peaks, {layer.id: maxima[layer.id]}),
            )
            for layer in watched
        )
        return Portrait(
            picture=self._prepared(forwarded, clock),
            size=self.input_size,
            top=self._top(forwarded),
            layers=layers,
            seen=forwarded.seen,
            picture_size=forwarded.picture_size,
            milliseconds=milliseconds(clock),
            original=None if scanned is None else scanned.original,
            agreement=None if scanned is None else agreement(peaks, maxima),
        )

    def _look(
        self, pixels: Float32[np.ndarray, "c h w"], placement: Placement, request: LiveRequest, clock: Clock
    ) -> Look:
        layer, chosen = self._layer(request.layer), self._chosen(request)
        visible = visible_units(request, layer.plain)
        wanted = {layer.record.node}
        if chosen is not None:
            wanted |= {chosen.record.node} | (self._needed(chosen, [request.method]) if request.project else set())
        forwarded = self._forward(pixels, placement, wanted, clock)
        with clock.time("encode"):
            maxima = forwarded.maxima(layer)
            scales = layer.scales(maxima)
        found = {} if chosen is None or request.unit is None else self._unit(forwarded, chosen, request, clock)
        made = None
        if request.mosaic:
            with clock.time("encode"):
                made = mosaic(forwarded.maps(layer), scales, visible)
        return Look(
            top=self._top(forwarded),
            maxima=maxima.tolist(),
            strongest=layer.strongest(maxima, scales, STRONGEST),
            mosaic=made.jpeg if made else None,
            mosaic_shape=made.shape if made else None,
            prepared=self._prepared(forwarded, clock) if request.prepared else None,
            seen=forwarded.seen,
            picture_size=forwarded.picture_size,
            milliseconds=milliseconds(clock),
            **found,
        )

    def _layer(self, name: str) -> WatchedLayer:
        if name not in self._watched:
            raise UsageError(f'the atlas has no layer "{name}"{nearest(name, self._watched)}')
        return self._watched[name]

    def _chosen(self, request: LiveRequest) -> WatchedLayer | None:
        """The layer of the chosen unit, None without one. Raises UsageError and UnsupportedMethod."""
        if request.method not in self.methods:
            raise UnsupportedMethod(f'there is no method "{request.method}"; the methods are {", ".join(self.methods)}')
        layer = self._layer(request.layer if request.pinned_layer is None else request.pinned_layer)
        if request.unit is not None and not 0 <= request.unit < layer.record.units:
            last = layer.record.units - 1
            raise UsageError(f'layer "{layer.record.name}" has units 0 to {last}, and no unit {request.unit}')
        return None if request.unit is None else layer

    def _needed(self, layer: WatchedLayer, methods: Sequence[str]) -> set[int]:
        if layer.record.scan_only:
            return set()
        return set().union(*(needed_maps(self.program, layer.record.node, method) for method in methods))

    def _received(self, picture: bytes, clock: Clock, *, frame: bool) -> tuple[Float32[np.ndarray, "c h w"], Placement]:
        """What was sent, as the network's input. Raises ImageError."""
        most_bytes, side = (FRAME_BYTES, FRAME_SIDE) if frame else (PICTURE_BYTES, None)
        with clock.time("decode"):
            image = read_upload(picture, self.input, most_bytes=most_bytes, most_px=PICTURE_PX, most_side=side)
        with clock.time("prepare"):
            return prepare(image, self.input)

    def _loaded(self, image: int, clock: Clock) -> AtlasImage:
        """An image of the atlas as the network's input. Raises UsageError, ImageError."""
        with clock.time("decode"):
            return self._images.load(image)

    def _prepared(self, forwarded: ForwardPass, clock: Clock) -> bytes:
        """What the network got of a picture, as PNG."""
        with clock.time("encode"):
            return png(show(forwarded.pixels[None], self.input)[0])

    def _forward(
        self, pixels: Float32[np.ndarray, "c h w"], placement: Placement, wanted: set[int], clock: Clock
    ) -> ForwardPass:
        """One forward pass, as deep as the classes and the wanted nodes need."""
        wanted = wanted if self._classifier is None else wanted | {self._classifier}
        with self._computing, clock.time("forward"):
            values = self.program.run(torch.from_numpy(pixels)[None], wanted)
        return ForwardPass(pixels, placement, values)

    def _top(self, forwarded: ForwardPass) -> Top:
        if self._classifier is None:
            return ()
        values = forwarded.values[self._classifier][0].float().cpu()
        require_finite(values.numpy(), "its output")
        return first_classes(values, self.classes)

    def _unit(self, forwarded: ForwardPass, layer: WatchedLayer, request: LiveRequest, clock: Clock) -> dict[str, Any]:
        """The chosen unit's part of a Look."""
        assert request.unit is not None
        maps = forwarded.maps(layer)
        scales = layer.scales(forwarded.maxima(layer))
        row, col, value = highest(maps[request.unit])
        found: dict[str, Any] = {"value": value, "row": row, "col": col, "box": layer.box(row, col, self.input_size)}
        found["unit_scale"] = float(scales[request.unit])
        found["unit_map"] = gray_levels(maps[request.unit][None], scales[request.unit][None])[0].numpy()
        if request.project and (value > 0 or not layer.record.rectified) and not layer.record.scan_only:
            place = entries(layer, [request.unit], [row], [col])
            (tile,) = self._carried_back(forwarded, layer, place, [request.method], request.method, clock)
            found |= {"projection": tile.pngs[request.method], "tile_box": tile.box}
        return found

    def _firings(
        self, forwarded: ForwardPass, layer: WatchedLayer, maxima: Float32[np.ndarray, " units"], count: int,
        clock: Clock,
    ) -> Iterator[Firing]:  # fmt: skip
        """The strongest units of a layer, each carried back by every method."""
        maps = forwarded.maps(layer)
        scales = layer.scales(maxima)
        units = layer.strongest(maxima, scales, count)
        places = [highest(maps[unit]) for unit in units]
        where = entries(layer, units, [row for row, _, _ in places], [col for _, col, _ in places])
        tiles = self._carried_back(forwarded, layer, where, self.methods, layer.plate_method, clock)
        for unit, (row, col, value), tile in zip(units, places, tiles, strict=True):
            yield Firing(
                unit=unit,
                value=value,
                relative=value / float(scales[unit]),
                row=row,
                col=col,
                box=layer.box(row, col, self.input_size),
                tile_box=tile.box,
                tiles=tile.pngs,
            )

    def _made_tile(self, layer: WatchedLayer, unit: int, peak: Peak, found: AtlasImage) -> MadeTile:
        clock, wanted = Clock(), {layer.record.node} | self._needed(layer, self.methods)
        forwarded = self._forward(found.pixels, found.placement, wanted, clock)
        place = entries(layer, [unit], [peak.row], [peak.col])
        (tile,) = self._carried_back(forwarded, layer, place, self.methods, layer.plate_method, clock)
        patch = patch_tile(show(found.pixels[None], self.input)[0], as_box(tile.box), layer.size)
        return MadeTile(
            rank=peak.rank, image=peak.image, original=found.original, scanned=peak.value,
            value=float(forwarded.maps(layer)[unit, peak.row, peak.col]), row=peak.row, col=peak.col,
            patch=png(patch), tiles=tile.pngs,
        )  # fmt: skip

    def _carried_back(
        self, forwarded: ForwardPass, layer: WatchedLayer, where: Entries, methods: Sequence[str], placed_by: str,
        clock: Clock,
    ) -> list[EncodedTile]:  # fmt: skip
        """The entries' tiles, batch by batch; others may compute in between. Of a layer that is only scanned none."""
        if layer.record.scan_only:
            return [EncodedTile((0, 0, *self.input_size), {})] * len(where)
        parts = carried(self.program, where, methods, forwarded.values, size=1 if len(where) == 1 else None)
        tiles: list[EncodedTile] = []
        while (part := self._next(parts, clock)) is not None:
            with clock.time("encode"):
                tiles += tiles_of(part, layer, placed_by, self._natural, self.input, methods)
        return tiles

    def _next(self, parts: Iterator[Carried], clock: Clock) -> Carried | None:
        with self._computing, clock.time("project"):
            return next(parts, None)
