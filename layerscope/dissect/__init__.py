"""What units detect, measured: concepts with known masks (`dissect`), and what the first layers see (`describe`)."""

from layerscope.dissect.describe import describe
from layerscope.dissect.masks import Keyed, MaskedImages
from layerscope.dissect.record import record_dissection, record_notes
from layerscope.dissect.run import dissect

__all__ = ["Keyed", "MaskedImages", "describe", "dissect", "record_dissection", "record_notes"]
