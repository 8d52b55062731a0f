"""What many pages ask of an atlas of any size: answered by its indices and its small columns, nothing is unpacked."""

import sqlite3
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from layerscope.atlas.rows import UNIT, read_images, select, statistics_of, unpack
from layerscope.atlas.words import WordQuestions
from layerscope.core.records import ImageRecord


class ScannedLayer(NamedTuple):
    """How far a layer was scanned. images: over how many, copies left out; 0 before. classes: of how many there are
    means. maximum: of each unit, over all images."""

    images: int
    classes: int
    maximum: Float32[np.ndarray, " u"]


class LightQuestions(WordQuestions):
    """What an atlas file can be asked at little cost, beside what words and labels say."""

    def scanned(self, layer_id: int) -> ScannedLayer:
        """How far a layer was scanned, without what `unit_statistics` unpacks: of a wide layer that is megabytes."""
        return self._ask(read_scanned, layer_id)

    def class_means(self, layer_id: int) -> Float32[np.ndarray, "u classes"]:
        """Of every unit the mean over each class's images of the image's maximum, as `unit_statistics` has it among all
        else; no columns without labels."""
        return self._ask(read_class_means, layer_id)

    def has_picture(self, image: int) -> bool:
        """Whether there is a small whole picture of an image, without reading it."""
        return self._row("SELECT 1 FROM picture WHERE image = ?", image) is not None

    def images_with_pictures(self) -> frozenset[int]:
        """The images of which there is a small whole picture."""
        return frozenset(image for (image,) in self._rows("SELECT image FROM picture"))

    def skipped_images(self) -> list[ImageRecord]:
        """The images that were not used, in their order."""
        return self._ask(read_images, "WHERE skipped IS NOT NULL ORDER BY id")

    def scanned_hashes(self) -> list[tuple[int, str]]:
        """The images that were scanned, in their order, each with its hash; those without one are not there."""
        where = "sha256 <> '' AND skipped IS NULL AND duplicate_of IS NULL"
        return [
            (image, sha256) for image, sha256 in self._rows(f"SELECT id, sha256 FROM image WHERE {where} ORDER BY id")
        ]

    def ends(self) -> tuple[ImageRecord, ...]:
        """The first and the last image with a hash, which one may be both; none where no image has one."""
        orders = ("id", "id DESC")
        found = (self._ask(read_images, f"WHERE sha256 IS NOT NULL ORDER BY {order} LIMIT 1") for order in orders)
        return tuple(image for images in found for image in images)

    def peak_sources(self, layer_id: int) -> dict[int, str]:
        """Where the images come from in which a layer has peaks, by image."""
        query = "SELECT DISTINCT id, source FROM peak JOIN image ON id = image WHERE layer = ?"
        return dict(self._rows(query, layer_id))

    def copies(self) -> dict[int, tuple[int, ...]]:
        """By image, all later ones with the same bytes, in order; images without any are not there."""
        found: dict[int, list[int]] = {}
        for image, first in self._rows("SELECT id, duplicate_of FROM image WHERE duplicate_of IS NOT NULL ORDER BY id"):
            found.setdefault(first, []).append(image)
        return {first: tuple(images) for first, images in found.items()}

    def units_with_sheets(self, layer_id: int, kind: str, method: str = "", view: str = "") -> frozenset[int]:
        """The units of a layer with tiles of one kind, method and view; the index answers, no sheet is read."""
        query = "SELECT unit FROM sheet WHERE layer = ? AND kind = ? AND method = ? AND view = ?"
        return frozenset(unit for (unit,) in self._rows(query, layer_id, kind, method, view))

    def peak_labels(self, layer_id: int) -> dict[int, str]:
        """The classes of the images in which a layer has peaks, by image; images without a class are not there."""
        query = "SELECT DISTINCT id, label FROM peak JOIN image ON id = image WHERE layer = ? AND label IS NOT NULL"
        # Images are many, classes few: a text for each image would be megabytes.
        names: dict[str, str] = {}
        return {image: names.setdefault(label, label) for image, label in self._rows(query, layer_id)}


def read_scanned(connection: sqlite3.Connection, layer_id: int) -> ScannedLayer:
    """How far a layer was scanned: what all units have in common is read of the first."""
    first = connection.execute(select("unit", UNIT, "WHERE layer = ? AND unit = 0"), (layer_id,)).fetchall()
    found = connection.execute(select("unit", "unit maximum", "WHERE layer = ? ORDER BY unit"), (layer_id,)).fetchall()
    if [unit for unit, _ in found] != list(range(len(found))):
        raise ValueError("units that are missing or twice there")
    one = statistics_of(first)
    maximum = np.array([value for _, value in found], np.float32)
    return ScannedLayer(int(one.histogram.sum()), one.class_means.shape[1], maximum)


def read_class_means(connection: sqlite3.Connection, layer_id: int) -> Float32[np.ndarray, "u classes"]:
    """The means of a layer's units over classes; units without, no columns."""
    query = select("unit", "unit class_means", "WHERE layer = ? ORDER BY unit")
    found = connection.execute(query, (layer_id,)).fetchall()
    if [unit for unit, _ in found] != list(range(len(found))):
        raise ValueError("units that are missing or twice there")
    means = np.empty((len(found), len(unpack(found[0][1], "<f4")) if found else 0), np.float32)
    for row, (_, packed) in zip(means, found, strict=True):
        row[:] = unpack(packed, "<f4")
    return means
