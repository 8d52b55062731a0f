"""A dissection and its sentences go into the atlas, in one transaction, in place of those that were there."""

import os
from collections.abc import Sequence

from layerscope.atlas.concepts import DISSECTION, layer_data
from layerscope.atlas.write import AtlasWriter
from layerscope.core.concepts import Dissection, Note
from layerscope.core.errors import AtlasError
from layerscope.core.failures import plain_failures
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
def record_notes(path: str | os.PathLike[str], notes: Sequence[Note]) -> None:
    """Keep what `describe` says in the atlas. Raises AtlasError while a build writes it."""
    with AtlasWriter.resume(path) as writer, writer.transaction():
        for layer in writer.layers():
            writer.put_notes(layer.id, KIND, {note.unit: note.text for note in notes if note.layer == layer.name})
