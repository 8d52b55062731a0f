"""Writing an atlas: one writer, whole transactions, and a file that is an atlas from its first moment.

A finished piece of work is one transaction, so a crash leaves what was finished. The same values put in the same
order make the same rows: nothing but the run tells the time.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from layerscope.atlas import concepts, image_rows, retention, rows, shares, strata
from layerscope.atlas.create import create_empty
from layerscope.atlas.disk import require_disk
from layerscope.atlas.joining import JoinedWriting
from layerscope.atlas.later_tables import LATER_TABLES
from layerscope.atlas.layers import layer_row, read_layers
from layerscope.atlas.lock import WriterLock
from layerscope.atlas.records import AtlasLayerRecord, EdgeRecord, NodeRecord, RunRecord
from layerscope.core.concepts import UnitConcept
from layerscope.core.errors import AtlasError
from layerscope.core.geometry import Box, Field
from layerscope.core.records import ImageRecord, LayerRecord, Peaks, UnitStatistics
from layerscope.core.shares import MadeOf
from layerscope.core.strata import Neighbours, Strata
from layerscope.core.uses import ClassUse


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class AtlasWriter(JoinedWriting):
    """The one writer of an atlas; used by the pipeline, as a context manager.

    Every `put_` replaces rows of the same key and is a transaction of its own, or a part of the `transaction` that
    is open. A writer that puts nothing leaves the file as it was, to the byte. Raises AtlasError when another build
    holds the file and when the disk is full.
    """

    def __enter__(self) -> "AtlasWriter":
        return self

    @classmethod
    def create(cls, path: str | os.PathLike[str], *, overwrite: bool = False) -> "AtlasWriter":
        """A new atlas without rows; an existing file is refused unless it may be overwritten and is an atlas."""
        return cls._locked(Path(path), overwrite=overwrite, create=True)

    @classmethod
    def resume(cls, path: str | os.PathLike[str]) -> "AtlasWriter":
        """Go on with an existing atlas. Raises NotAnAtlas and UnknownVersion too."""
        return cls._locked(Path(path), overwrite=False, create=False)

    @classmethod
    def _locked(cls, path: Path, *, overwrite: bool, create: bool) -> "AtlasWriter":
        if not path.parent.is_dir():
            raise AtlasError(f"the folder {path.parent} does not exist; make it first")
        lock = WriterLock(path)
        try:
            require_disk(path)
            if create:
                create_empty(path, overwrite=overwrite)
            return cls(path, lock)
        except OSError as error:
            lock.release()
            raise AtlasError(f"{path} cannot be written: {error.strerror}") from error
        except BaseException:
            lock.release()
            raise

    @property
    def run(self) -> RunRecord | None:
        """The latest run, finished or not; None in a new atlas."""
        return rows.read_run(self._connection)

    def add_later_tables(self) -> None:
        """Give an early atlas the tables that it lacks."""
        with self.transaction():
            for table in LATER_TABLES:
                self._connection.execute(table)

    def start_run(self, run: RunRecord) -> int:
        """Note what is about to be made, as an unfinished run that starts now; its id."""
        self._put(rows.insert("run", rows.RUN), [rows.run_row(replace(run, started=_now(), finished=None))])
        return self._connection.execute("SELECT max(id) FROM run").fetchone()[0]

    def finish_run(self) -> None:
        """Note that the latest run is complete."""
        self._put("UPDATE run SET finished = ? WHERE id = (SELECT max(id) FROM run)", [(_now(),)])

    def put_nodes(self, nodes: Iterable[NodeRecord]) -> None:
        self._put(rows.insert("node", rows.NODE, key="id"), map(rows.node_row, nodes))

    def put_edges(self, edges: Iterable[EdgeRecord]) -> None:
        statement = rows.insert("edge", rows.EDGE, key="node position")
        self._put(statement, ((edge.node, edge.position, edge.source) for edge in edges))

    def put_layer(self, layer_id: int, layer: LayerRecord) -> None:
        """A layer under its id, which grows in execution order; how its plate is shown stays as it was."""
        self._put(rows.insert("layer", rows.LAYER, key="id"), [layer_row(layer_id, layer)])

    def layers(self) -> tuple[AtlasLayerRecord, ...]:
        """All layers, in execution order."""
        return read_layers(self._connection)

    def set_layer_plate(self, layer_id: int, *, tile: int | None, method: str | None, why: str | None) -> None:
        """How the layer is shown: the side of its tiles' boxes in input px, its plate's method (None: no projections
        were made) and the reason."""
        self._put("UPDATE layer SET tile = ?, method = ?, method_why = ? WHERE id = ?", [(tile, method, why, layer_id)])

    def put_images(self, images: Iterable[ImageRecord]) -> None:
        """Images, used or skipped; a duplicate comes after the image that it repeats."""
        self._put(rows.insert("image", rows.IMAGE, key="id"), map(rows.image_row, images))

    def images(self) -> Iterator[ImageRecord]:
        """All images, in their order."""
        return image_rows.each_image(self._connection)

    def used_records(self) -> Iterator[ImageRecord]:
        """The images that are neither skipped nor copies, in order."""
        return image_rows.each_used(self._connection)

    def used_images(self) -> Iterator[int]:
        """The ids of the images that are neither skipped nor copies, in order."""
        return image_rows.used_ids(self._connection)

    def records(self, images: Iterable[int]) -> Mapping[int, ImageRecord]:
        """These images, by id."""
        return image_rows.records_of(self._connection, images)

    def hashes(self, images: Sequence[int]) -> Mapping[int, str | None]:
        """The hashes of these images, as they were scanned, by id."""
        return image_rows.hashes_of(self._connection, images)

    def copies(self) -> image_rows.Copies:
        """What is known of the images that are copies of others."""
        return image_rows.copies(self._connection)

    def put_picture(self, image: int, codec: str, pixels: bytes, height: int, width: int) -> None:
        """An image's small whole picture, encoded; its size in px."""
        statement = rows.insert("picture", "image codec height width pixels", key="image")
        self._put(statement, [(image, codec, height, width, pixels)])

    def put_filters(self, layer_id: int, weights: Float[np.ndarray, "u c h w"]) -> None:
        """The layer's convolution weights."""
        shape = rows.to_json(weights.shape[1:])
        values = ((layer_id, unit, shape, weights[unit].astype("<f4").tobytes()) for unit in range(len(weights)))
        self._put(rows.insert("filter", "layer unit shape weights", key="layer unit"), values)

    def put_units(self, layer_id: int, units: UnitStatistics) -> None:
        """What the scan counted, for every unit of the layer."""
        self._put(rows.insert("unit", rows.UNIT, key="layer unit"), rows.unit_rows(layer_id, units))

    def put_peaks(self, layer_id: int, peaks: Peaks, field: Field) -> None:
        """All peaks of a layer with their receptive fields, in place of those it had; empty places make no row."""
        self.replace_rows("peak", rows.PEAK, layer_id, rows.peak_rows(layer_id, peaks, field))

    def put_strata(self, layer_id: int, found: Strata) -> None:
        """The strata of all units of a layer, without boxes, in place of those it had; empty places make no row."""
        self.replace_rows("stratum", strata.STRATUM, layer_id, strata.stratum_rows(layer_id, found))

    def put_neighbours(self, layer_id: int, found: Neighbours) -> None:
        """The neighbours of all units of a layer, in place of those it had; empty places make no row."""
        self.replace_rows("neighbour", strata.NEIGHBOUR, layer_id, strata.neighbour_rows(layer_id, found))

    def images_to_place(self, *, tiles_known: bool = True) -> list[int]:
        """The images, in order, with strata that have no boxes yet; only in layers whose tiles are known, or in all."""
        return strata.images_to_place(self._connection, tiles_known)

    def strata_to_place(self, images: Sequence[int]) -> list[strata.StratumPlace]:
        """The strata of these images that have no boxes yet, in layers whose tiles are known."""
        return strata.to_place(self._connection, images)

    def without_picture(self, images: Sequence[int]) -> list[int]:
        """Those of these images, in order, that have no small picture."""
        return strata.without_picture(self._connection, images)

    def set_boxes(self, layer_id: int, boxes: Iterable[tuple[int, int, Box, Box]]) -> None:
        """What the tiles of peaks show: (unit, rank, box in input px, the same in px of the source picture)."""
        values = ((*rows.box_row(tile), *rows.box_row(source), layer_id, u, r) for u, r, tile, source in boxes)
        self._put(f"UPDATE peak SET {rows.SET_BOXES} WHERE layer = ? AND unit = ? AND rank = ?", values)

    def place_strata(self, boxes: Iterable[tuple[strata.Key, Box, Box]]) -> None:
        """What to show of strata: (key, box in input px, the same in px of the source picture)."""
        values = ((*rows.box_row(tile), *rows.box_row(source), *key) for key, tile, source in boxes)
        key = " AND ".join(f"{name} = ?" for name in strata.KEY.split())
        self._put(f"UPDATE stratum SET {rows.SET_BOXES} WHERE {key}", values)

    def put_sheet(
        self,
        layer_id: int,
        unit: int,
        kind: str,
        method: str,
        view: str,
        scales: Sequence[float] | Float[np.ndarray, " k"],
        codec: str,
        pixels: bytes,
    ) -> None:
        """A unit's encoded tiles. kind: "patches" (method and view are then "") or "projections". scales: per tile."""
        row = (layer_id, unit, kind, method, view, np.asarray(scales, "<f4").tobytes(), codec, pixels)
        self._put(rows.insert("sheet", rows.SHEET, key="layer unit kind method view"), [row])

    def put_signal(
        self, layer_id: int, unit: int, rank: int, method: str, signal: Float[np.ndarray, "c h w"], box: Box
    ) -> None:
        """A projection as its method gave it, to float16 of its largest value. box: input px."""
        # Divided by the largest value, so that float16 neither overflows nor loses small signals.
        scale = float(np.abs(signal).max(initial=0)) or 1.0
        pixels = rows.pack(signal / scale, "<f2")
        row = (layer_id, unit, rank, method, box.top, box.left, rows.to_json(signal.shape), scale, pixels)
        self._put(rows.insert("signal", rows.SIGNAL, key="layer unit rank method"), [row])

    def put_concepts(self, layer_id: int, units: Iterable[UnitConcept]) -> None:
        """What the layer's units detect, in place of what stood there."""
        held = tuple(units)
        with self.transaction():
            self.replace_rows("concept", concepts.CONCEPT, layer_id, concepts.concept_rows(layer_id, held))
            self.replace_rows(concepts.CATEGORIES, concepts.CATEGORY, layer_id, concepts.category_rows(layer_id, held))

    def put_made_of(self, layer_id: int, found: Mapping[int, MadeOf]) -> None:
        """What a unit of the layer is made of, by earlier layer's id, in place of what stood there."""
        with self.transaction():
            for statement, values in shares.statements(layer_id, found):
                self._put(statement, values)

    def put_kept(self, layer_id: int, found: Iterable[tuple[int, str, float, float]]) -> None:
        """What marked px keep of units' first peaks: (unit, method, its share, that of random px)."""
        self._put(retention.PUT_KEPT, ((layer_id, *one) for one in found))

    def put_used_for(self, layer_id: int, found: Iterable[tuple[int, Sequence[ClassUse]]]) -> None:
        """What all units of a layer are used for, each with its classes, in place of what stood there."""
        self.replace_rows("used_for", shares.USED_FOR, layer_id, shares.used_for_rows(layer_id, found))

    def concepts(self, layer_id: int) -> tuple[UnitConcept, ...]:
        """What the layer's units detect, as it stands there; none where it was not dissected."""
        return concepts.read_concepts(self._connection, layer_id)

    def put_notes(self, layer_id: int, kind: str, texts: Mapping[int, str]) -> None:
        """Sentences of one kind about the layer's units, by unit, in place of those that stood there."""
        with self.transaction():
            self._connection.execute("DELETE FROM note WHERE layer = ? AND kind = ?", (layer_id, kind))
            self._put(rows.insert("note", concepts.NOTE), ((layer_id, unit, kind, texts[unit]) for unit in texts))

    def put_statistic(self, name: str, value: Any, *, layer: int | None = None, method: str | None = None) -> None:
        """What was measured, as JSON (NumPy values too), in place of what stood under the same name."""
        row = (rows.to_json(value), name, layer, method)
        with self.transaction():
            changed = self._connection.execute(
                "UPDATE statistic SET value = ? WHERE name = ? AND layer IS ? AND method IS ?", row
            ).rowcount
            if not changed:
                self._put(rows.insert("statistic", "value name layer method"), [row])

    def done(self, stage: str) -> set[int]:
        """The pieces of a stage that are finished."""
        return {shard for (shard,) in self._connection.execute("SELECT id FROM shard WHERE stage = ?", (stage,))}

    def stages(self) -> tuple[str, ...]:
        """The stages of which some piece is marked."""
        return tuple(stage for (stage,) in self._connection.execute("SELECT DISTINCT stage FROM shard ORDER BY stage"))

    def all_peaks(self, layer_id: int, k: int, units: int) -> Peaks:
        """The peaks of a layer, as they were put."""
        return rows.peaks_of(self._connection, layer_id, k, units)

    def statistic(self, name: str, *, layer: int | None = None, method: str | None = None) -> Any:
        """What was measured under this name, or None."""
        return rows.statistic(self._connection, name, layer, method)

    def boxes(self, layer_id: int) -> dict[tuple[int, int], Box]:
        """The tile boxes of a layer's peaks that are known, by (unit, rank), in input px."""
        return rows.tile_boxes(self._connection, layer_id)

    def payload(self, stage: str, shard: int) -> bytes:
        """What was kept with a finished piece. Raises KeyError for one that is not finished."""
        query = "SELECT payload FROM shard WHERE stage = ? AND id = ?"
        row = self._connection.execute(query, (stage, shard)).fetchone()
        if row is None:
            raise KeyError((stage, shard))
        return row[0]

    def mark(self, stage: str, shard: int, payload: bytes = b"") -> None:
        """Note that a piece is finished, within the transaction that holds its results."""
        self._put(rows.insert("shard", "stage id payload", key="stage id"), [(stage, shard, payload)])

    def clear(self, stage: str) -> None:
        """Forget a stage's pieces."""
        self._put("DELETE FROM shard WHERE stage = ?", [(stage,)])
