"""Pictures of an atlas inside a page: as data URLs, so that the page needs no other file."""

import base64

from layerscope.atlas.codecs import for_browsers
from layerscope.atlas.read import AtlasFile, Encoded
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.facts.run import first_view


class InlinePictures:
    """What a page's template asks for: each picture as a data URL, "" where the atlas has none."""

    def __init__(self, file: AtlasFile) -> None:
        self._file = file

    def projections(self, layer: AtlasLayerRecord, unit: int) -> str:
        """A unit's projections by its layer's own method, in the run's first view."""
        method = layer.method or next(iter(self._file.run.methods), "")
        return data_url(self._file.encoded_sheet(layer.id, unit, "projections", method, first_view(self._file.run)))

    def patches(self, layer: AtlasLayerRecord, unit: int) -> str:
        return data_url(self._file.encoded_sheet(layer.id, unit, "patches"))

    def whole(self, image: int) -> str:
        """An image, small and whole."""
        return data_url(self._file.encoded_picture(image))


def data_url(stored: Encoded | None) -> str:
    """A stored picture as an address that holds it; "" for none."""
    if stored is None:
        return ""
    codec, content = for_browsers(stored.pixels, stored.codec)
    return f"data:{codec.media_type};base64,{base64.b64encode(content).decode()}"
