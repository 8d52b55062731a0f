"""The atlas's own images, to be looked at again: the original where its bytes are found, else the copy that is kept."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from PIL import Image

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import Peak
from layerscope.core.errors import UsageError
from layerscope.core.lru import LruCache
from layerscope.core.records import ImageRecord, Placement
from layerscope.live.originals import Originals
from layerscope.sources import Source, prepare

# Of inputs that were prepared: a viewer asks again for the same picture at each step.
MOST_BYTES = 16 << 20


class AtlasImage(NamedTuple):
    """An image as the network's input. original: whether it was made of the bytes that were scanned. peaks: what the
    scan kept of it, each with its layer's id and its unit."""

    pixels: Float32[np.ndarray, "c h w"]
    placement: Placement
    original: bool
    peaks: tuple[tuple[int, int, Peak], ...]


class AtlasImages:
    """The images of one atlas of which it keeps a thumbnail. source: where the user says that the originals lie."""

    def __init__(self, file: AtlasFile, source: Source | None = None) -> None:
        self._file, self._input, self._originals = file, file.run.input, Originals.of(file, source)
        self._kept = LruCache[AtlasImage](MOST_BYTES, lambda found: found.pixels.nbytes)

    def load(self, image: int) -> AtlasImage:
        """An image by its number. Raises UsageError where there is none, or no thumbnail of it; ImageError where the
        network takes no such pictures."""
        return self._kept.get(image, lambda: self._load(self._file.image(image)))

    def of_unit(self, layer_id: int, unit: int) -> Iterator[tuple[Peak, AtlasImage]]:
        """A unit's peaks with their images, best first; without those of images of which there is no thumbnail."""
        for peak in self._file.peaks(layer_id, unit):
            if self._file.has_picture(peak.image):
                yield peak, self.load(peak.image)

    def _load(self, record: ImageRecord) -> AtlasImage:
        first = record.id if record.duplicate_of is None else record.duplicate_of
        kept = self._file.picture(record.id)
        if kept is None:
            raise UsageError(
                f"the atlas keeps no picture of image {record.id}: no unit has a peak in it, or it keeps none"
            )
        peaks, found = self._file.peaks_in(first), self._originals.load(record, self._input)
        if found is not None:
            return AtlasImage(found.pixels[0], found.placements[0], True, peaks)
        pixels, placement = prepare(Image.fromarray(kept), self._input)
        return AtlasImage(pixels, placement, False, peaks)
