"""Finding units of an atlas by a concept, a label, a word, a class or their notes. No torch."""

from contextlib import nullcontext
from dataclasses import dataclass
from os import PathLike
from typing import Any

from layerscope.api.atlas import Atlas
from layerscope.api.atlas import open as open_atlas
from layerscope.api.checked import checked
from layerscope.core.errors import UsageError, nearest
from layerscope.core.verbs import VERBS
from layerscope.facts.finding import NOTE, Finding, names_known, said_as
from layerscope.facts.finding import find as units_found


@dataclass(frozen=True, kw_only=True, repr=False)
class FoundUnit:
    """A unit that was found. layer: its layer's name. kind: "concept", "label", "word", "class", "peaks" or
    "note". name: what it was found by, whole. score: the concept's, the label's or word's AUC, a class's mean over that
    of all, or how many of its peaks lie in images of the class; None of a note. at_peaks: what its peaks show where
    that concept is doubtful, else ""."""

    layer: str
    unit: int
    kind: str
    name: str
    score: float | None
    at_peaks: str = ""

    @property
    def said(self) -> str:
        """The name as people say it: "vertical edge" of the concept "edge 90", behind `at_peaks` where there is any."""
        return said_as(self.kind, self.name, self.at_peaks)

    def __repr__(self) -> str:
        score = "" if self.score is None else f", {self.score:.4g}"
        return f"<FoundUnit {self.unit} of {self.layer!r}: {self.kind} {self.said!r}{score}>"


@checked(VERBS["find"])
def find(atlas: Atlas | str | PathLike[str], text: str) -> tuple[FoundUnit, ...]:
    """Find the units of an atlas by a name: of a concept, label or word that names them, of a class that excites them
    or whose images hold their peaks, or by a word of the notes on them.

    text: a part of the name, in any case; whole names come first, then concepts, labels, words, classes, peaks and
    notes, each with the highest score first. A concept is found by its words too: "vertical" finds "edge 90". Raises
    UsageError, with near names, where nothing is found, AtlasError for a file that is no atlas.
    """
    with nullcontext(atlas) if isinstance(atlas, Atlas) else open_atlas(atlas) as held:
        found = units_found(held.file, text)
        if not found:
            raise UsageError(_nothing(held, text))
        return tuple(map(_plain, found))


def _plain(one: Finding) -> FoundUnit:
    about = {name: getattr(one, name) for name in ("unit", "kind", "name", "score", "at_peaks")}
    return FoundUnit(layer=one.layer.name, **about)


def _nothing(atlas: Atlas, text: str) -> str:
    every = names_known(atlas.file)
    names = {name for kind, names in every.items() if kind != NOTE for name in names}
    without = [f"{kind}s" if kind != "class" else "classes" for kind, known in every.items() if not known]
    lacks = f"; it holds no {' and no '.join(without)}" if without else ""
    return f'no unit of {atlas.file.path} is known by "{text[:60]}"{nearest(text[:60], sorted(names))}{lacks}'


def data_of(atlas: str, text: str, found: tuple[FoundUnit, ...]) -> dict[str, Any]:
    """What was found, as plain values."""
    rows = [{name: getattr(one, name) for name in FoundUnit.__dataclass_fields__} for one in found]
    return {"atlas": atlas, "text": text, "found": rows}
