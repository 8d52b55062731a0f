"""What units detect, measured: concepts with known masks (`dissect`), labels of whole images (`dissect_by_labels`), and
what the first layers see (`describe`)."""

from layerscope.dissect.by_labels import dissect_by_labels
from layerscope.dissect.describe import describe
from layerscope.dissect.intervene import TriedNetwork, intervene, subjects_of
from layerscope.dissect.keyed import Keyed
from layerscope.dissect.masks import MaskedImages, PlanedImages
from layerscope.dissect.record import record_dissection, record_interventions, record_labels, record_notes
from layerscope.dissect.run import dissect

__all__ = [
    "Keyed",
    "MaskedImages",
    "PlanedImages",
    "TriedNetwork",
    "describe",
    "dissect",
    "dissect_by_labels",
    "intervene",
    "record_dissection",
    "record_interventions",
    "record_labels",
    "record_notes",
    "subjects_of",
]
