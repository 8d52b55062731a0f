"""A dissection and its sentences go into the atlas, in one transaction, in place of those that were there."""

import os
from collections.abc import Sequence

from layerscope.atlas import interventions as rows
from layerscope.atlas import labels
from layerscope.atlas.concepts import DISSECTION, layer_data
from layerscope.atlas.labels import LABELS, MISFITS, run_data
from layerscope.atlas.write import AtlasWriter
from layerscope.core.concepts import Dissection, Interventions, Note
from layerscope.core.errors import AtlasError
from layerscope.core.failures import plain_failures
from layerscope.core.labels import LabelDissection
from layerscope.dissect.describe import KIND


@plain_failures(kind=AtlasError)
def record_dissection(path: str | os.PathLike[str], dissection: Dissection) -> None:
    """Keep a dissection in the atlas. Raises AtlasError while a build writes it."""
    with AtlasWriter.resume(path) as writer, writer.transaction():
        ids = {layer.name: layer.id for layer in writer.layers()}
        for layer in dissection.layers:
            writer.put_concepts(ids[layer.layer], layer.units)
            writer.put_statistic(DISSECTION, layer_data(dissection, layer), layer=ids[layer.layer])


@plain_failures(kind=AtlasError)
def record_labels(path: str | os.PathLike[str], found: LabelDissection) -> None:
    """Keep names from labels, and the images that do not fit theirs, in the atlas. Raises AtlasError as above."""
    with AtlasWriter.resume(path) as writer, writer.transaction():
        writer.add_later_tables()
        ids = {layer.name: layer.id for layer in writer.layers()}
        for layer in found.layers:
            writer.put_labels(ids[layer.layer], layer.units)
            writer.put_statistic(LABELS, labels.layer_data(layer), layer=ids[layer.layer])
        writer.put_misfits(found.misfits.images)
        writer.put_statistic(MISFITS, run_data(found))


@plain_failures(kind=AtlasError)
def record_interventions(path: str | os.PathLike[str], found: Interventions) -> None:
    """Keep interventions in the atlas. Raises AtlasError while a build writes it."""
    with AtlasWriter.resume(path) as writer, writer.transaction():
        writer.add_later_tables()
        ids = {layer.name: layer.id for layer in writer.layers()}
        for layer in found.layers:
            place = ids[layer.layer]
            writer.replace_rows(rows.INTERVENTION, rows.COLUMNS, place, rows.intervention_rows(place, layer.units))
            writer.replace_rows(rows.KIND, rows.KINDS, place, rows.kind_rows(place, layer.units))
            writer.put_statistic(rows.INTERVENTION, rows.layer_data(found, layer), layer=place)


@plain_failures(kind=AtlasError)
def record_notes(path: str | os.PathLike[str], notes: Sequence[Note]) -> None:
    """Keep what `describe` says in the atlas. Raises AtlasError while a build writes it."""
    with AtlasWriter.resume(path) as writer, writer.transaction():
        for layer in writer.layers():
            writer.put_notes(layer.id, KIND, {note.unit: note.text for note in notes if note.layer == layer.name})
