"""Copies of an image, known by their bytes, are not scanned again: they would fill a unit's peaks with one picture.

The first of them in the source's order stands for all. What copies leave of the batches goes on in full ones, so that
a copy costs no forward pass; batches without any stay as they are.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from layerscope.atlas.image_rows import Copies
from layerscope.core.records import Batch


def originals(batches: Iterable[Batch], size: int) -> Iterator[Batch]:
    """The batches without copies; those that copies have made smaller are joined, to `size` images each."""
    waiting: Batch | None = None
    for batch in batches:
        own = _without_copies(batch)
        if waiting is None and own is batch:
            yield batch
            continue
        waiting = own if waiting is None else _joined(waiting, own)
        if len(waiting.ids) >= size:
            yield _part(waiting, slice(size))
            waiting = _part(waiting, slice(size, None)) if len(waiting.ids) > size else None
    if waiting is not None:
        yield waiting


def copies_in_words(found: Copies) -> list[str]:
    """What was left out of a scan of these images, as sentences; none where there is no copy."""
    if not found.copies:
        return []
    one = found.copies == 1
    said = [
        f"{found.copies:,} of {found.images:,} images {'is a copy of another' if one else 'are copies of others'} "
        f"(the same bytes) and {'was' if one else 'were'} left out: the first of them in order counts"
    ]
    if found.example is not None:
        record, first = found.example
        said.append(
            f"{found.elsewhere:,} of the copies {'lies' if found.elsewhere == 1 else 'lie'} in another class than the "
            f'first, which alone counts: "{record.source}" is in "{record.label}", its first in "{first}"'
        )
    return said


def _without_copies(batch: Batch) -> Batch:
    copies = [record.id for record in batch.records if record.duplicate_of is not None]
    return _part(batch, ~np.isin(batch.ids, copies)) if copies else batch


def _part(batch: Batch, chosen: np.ndarray | slice) -> Batch:
    """Some images of a batch, without records, which are noted already."""
    kept = np.arange(len(batch.ids))[chosen]
    return Batch(
        ids=batch.ids[kept],
        pixels=_channels_last(batch.pixels)[kept].transpose(0, 3, 1, 2),
        placements=tuple(batch.placements[place] for place in kept),
        records=(),
    )


def _joined(a: Batch, b: Batch) -> Batch:
    rows = np.concatenate([_channels_last(a.pixels), _channels_last(b.pixels)])
    return Batch(
        ids=np.concatenate([a.ids, b.ids]),
        pixels=rows.transpose(0, 3, 1, 2),
        placements=a.placements + b.placements,
        records=(),
    )


def _channels_last(pixels: np.ndarray) -> np.ndarray:
    return pixels.transpose(0, 2, 3, 1)
