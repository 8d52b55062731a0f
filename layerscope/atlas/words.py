"""What words say of units, as rows and back. Atlases without this table have none of it."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from layerscope.atlas.labels import LabelQuestions, LabelWriting, scored_units
from layerscope.atlas.rows import SqlRow
from layerscope.core.words import LayerWords, UnitWords, WordDissection, WordScore

WORD = "layer unit rank word share auc z p images named"
WORDS = "words"
_SCORE = "word share auc z p images"


class WordQuestions(LabelQuestions):
    """What an atlas file can be asked of words, beside labels."""

    def words(self, layer_id: int) -> tuple[UnitWords, ...]:
        """What words say of every unit of a layer; empty where none were tried on it."""
        return self._ask(read_words, layer_id)


class WordWriting(LabelWriting):
    """How an atlas's writer puts words, beside labels."""

    def put_words(self, layer_id: int, units: Iterable[UnitWords]) -> None:
        """What words say of the layer's units, in place of what stood there."""
        self.replace_rows("word", WORD, layer_id, word_rows(layer_id, units))


def word_rows(layer_id: int, units: Iterable[UnitWords]) -> Iterator[SqlRow]:
    """The rows of one layer's units."""
    for unit in units:
        for rank, one in enumerate(unit.ranked):
            scores = (getattr(one, name) for name in _SCORE.split())
            yield (layer_id, unit.unit, rank, *scores, int(one == unit.best))


def layer_data(found: WordDissection, layer: LayerWords) -> dict[str, Any]:
    """A layer's figures and how they were measured, as plain values."""
    return {
        "figures": asdict(layer.figures),
        "shuffled": asdict(layer.shuffled),
        "untrained": None if layer.untrained is None else asdict(layer.untrained),
        **{name: getattr(found, name) for name in ("images", "words")},
        "settings": dict(found.settings),
        "left_out": list(found.left_out),
    }


def read_words(connection: sqlite3.Connection, layer_id: int) -> tuple[UnitWords, ...]:
    """One record for every unit of the layer; none at all where words were not tried on it."""
    found = scored_units(connection, layer_id, WORDS, "word", _SCORE)
    return tuple(_unit(unit, rows) for unit, rows in enumerate(found))


def _unit(unit: int, rows: Sequence[SqlRow]) -> UnitWords:
    scores = tuple(WordScore(**dict(zip(_SCORE.split(), row[1:], strict=True))) for row in rows)
    named = [score for score, row in zip(scores, rows, strict=True) if row[0]]
    return UnitWords(unit=unit, ranked=scores, best=named[0] if named else None)
