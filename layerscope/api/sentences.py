"""What is known of a unit, in sentences, for a prompt, a notebook and a terminal alike."""

from collections.abc import Iterator

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concept_words import concept_words
from layerscope.facts.known_as import favourites
from layerscope.facts.unit import concept_of
from layerscope.facts.wrapping import Reader
from layerscope.figures.words import kept_words, named_words


def unit_sentences(file: Reader, layer: AtlasLayerRecord, unit: int) -> Iterator[str]:
    """What names the unit and how that was found, what came near, the classes that excite it, what its marks keep."""
    concept, classes = concept_of(file.concepts(layer.id), unit), favourites(file, layer, [unit]).get(unit, ())
    others = concept.runners_up if concept is not None else ()
    named, kept = named_words(file, layer, unit), kept_words(file.kept_by(layer.id, unit))
    if named:
        yield named
    if others:
        yield f"Runners-up: {', '.join(f'{concept_words(one.concept)} {one.score:.2f}' for one in others)}."
    if classes:
        yield f"Fires most for {', '.join(classes)}."
    if kept:
        yield kept
