"""What units detect, measured: concepts with known masks (`dissect`), labels of whole images (`dissect_by_labels`),
words that a model compares with them (`dissect_by_words`), and what the first layers see (`describe`)."""

from layerscope.dissect.by_labels import dissect_by_labels
from layerscope.dissect.by_words import dissect_by_words
from layerscope.dissect.describe import describe
from layerscope.dissect.embeddings import Comparer
from layerscope.dissect.intervene import TriedNetwork, intervene, subjects_of
from layerscope.dissect.keyed import Keyed
from layerscope.dissect.masks import DrawnOnce, MaskedImages, PlanedImages
from layerscope.dissect.record import (
    record_dissection,
    record_interventions,
    record_labels,
    record_notes,
    record_words,
)
from layerscope.dissect.run import dissect

__all__ = [
    "Comparer",
    "DrawnOnce",
    "Keyed",
    "MaskedImages",
    "PlanedImages",
    "TriedNetwork",
    "describe",
    "dissect",
    "dissect_by_labels",
    "dissect_by_words",
    "intervene",
    "record_dissection",
    "record_interventions",
    "record_labels",
    "record_notes",
    "record_words",
    "subjects_of",
]
