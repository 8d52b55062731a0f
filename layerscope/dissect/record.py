"""A dissection and its sentences go into the atlas, in one transaction, in place of those that were there.

What was found of earlier names goes with them: an intervention tried them, and its counts are counts of names.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import TypeVar

from layerscope.atlas import interventions as rows
from layerscope.atlas import labels, words
from layerscope.atlas.concepts import CATEGORIES, DISSECTION, layer_data
from layerscope.atlas.labels import LABELS, MISFITS, run_data
from layerscope.atlas.rows import to_json
from layerscope.atlas.write import AtlasWriter
from layerscope.core.concepts import Dissection, Interventions, Note
from layerscope.core.errors import AtlasError
from layerscope.core.failures import plain_failures
from layerscope.core.labels import LabelDissection
from layerscope.core.words import WordDissection
from layerscope.dissect.describe import KIND

FoundT = TypeVar("FoundT")
# By statistic the tables that hold a layer's rows of it.
TABLES = {
    DISSECTION: ("concept", CATEGORIES), LABELS: ("label",), words.WORDS: ("word",),
    rows.INTERVENTION: (rows.INTERVENTION, rows.KIND),
}  # fmt: skip


@plain_failures(kind=AtlasError)
def record_dissection(path: str | os.PathLike[str], dissection: Dissection) -> bool:
    """Keep a dissection in the atlas. Whether interventions on other names than these went. Raises AtlasError while a
    build writes it."""
    found = {layer.layer: layer for layer in dissection.layers}
    with AtlasWriter.resume(path) as writer, writer.transaction():
        writer.add_later_tables()
        outdated = False
        for place, layer in _places(writer, DISSECTION, found).items():
            data = json.loads(to_json(layer_data(dissection, layer)))
            if writer.statistic(DISSECTION, layer=place) == data and writer.concepts(place) == layer.units:
                continue
            outdated |= writer.forget(rows.INTERVENTION, place, *TABLES[rows.INTERVENTION])
            writer.put_concepts(place, layer.units)
            writer.put_statistic(DISSECTION, data, layer=place)
        return outdated


@plain_failures(kind=AtlasError)
def record_labels(path: str | os.PathLike[str], found: LabelDissection) -> None:
    """Keep names from labels, and the images that do not fit theirs, in the atlas. Raises AtlasError as above."""
    layers = {layer.layer: layer for layer in found.layers}
    with AtlasWriter.resume(path) as writer, writer.transaction():
        writer.add_later_tables()
        for place, layer in _places(writer, LABELS, layers).items():
            writer.put_labels(place, layer.units)
            writer.put_statistic(LABELS, labels.layer_data(layer), layer=place)
        writer.put_misfits(found.misfits.images)
        writer.put_statistic(MISFITS, run_data(found, writer.images_of_bytes(found.sha256.values())))


@plain_failures(kind=AtlasError)
def record_words(path: str | os.PathLike[str], found: WordDissection) -> None:
    """Keep names from words in the atlas. Raises AtlasError while a build writes it."""
    layers = {layer.layer: layer for layer in found.layers}
    with AtlasWriter.resume(path) as writer, writer.transaction():
        writer.add_later_tables()
        for place, layer in _places(writer, words.WORDS, layers).items():
            writer.put_words(place, layer.units)
            writer.put_statistic(words.WORDS, words.layer_data(found, layer), layer=place)


@plain_failures(kind=AtlasError)
def record_interventions(path: str | os.PathLike[str], found: Interventions) -> None:
    """Keep interventions in the atlas. Raises AtlasError while a build writes it."""
    layers = {layer.layer: layer for layer in found.layers}
    with AtlasWriter.resume(path) as writer, writer.transaction():
        writer.add_later_tables()
        for place, layer in _places(writer, rows.INTERVENTION, layers).items():
            writer.replace_rows(rows.INTERVENTION, rows.COLUMNS, place, rows.intervention_rows(place, layer.units))
            writer.replace_rows(rows.KIND, rows.KINDS, place, rows.kind_rows(place, layer.units))
            writer.put_statistic(rows.INTERVENTION, rows.layer_data(found, layer), layer=place)


def _places(writer: AtlasWriter, name: str, found: Mapping[str, FoundT]) -> dict[int, FoundT]:
    """By the atlas's number of a layer what was found of it; of layers without any, what stood there goes."""
    for layer in writer.layers():
        if layer.name not in found:
            writer.forget(name, layer.id, *TABLES[name])
    ids = {layer.name: layer.id for layer in writer.layers()}
    return {ids[name]: one for name, one in found.items()}


@plain_failures(kind=AtlasError)
def record_notes(path: str | os.PathLike[str], notes: Sequence[Note]) -> None:
    """Keep what `describe` says in the atlas. Raises AtlasError while a build writes it."""
    with AtlasWriter.resume(path) as writer, writer.transaction():
        for layer in writer.layers():
            writer.put_notes(layer.id, KIND, {note.unit: note.text for note in notes if note.layer == layer.name})
