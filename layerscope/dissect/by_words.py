"""From a list of words to names for units: one scan, images and words as a model sees them, then tests by ranks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from layerscope.core.errors import UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.labels import ALPHA, LEAST_AUC
from layerscope.core.progress import Progress, Silent
from layerscope.core.records import Input, LayerRecord
from layerscope.core.stages import WORDS
from layerscope.core.words import SHARES, LayerWords, Texts, WordDissection
from layerscope.dissect.embeddings import Comparer, KeptVectors, embedded, key_of
from layerscope.dissect.maxima import Scanned, scanned
from layerscope.dissect.words import Ranked, name_layers, wanted
from layerscope.graph import Carrier
from layerscope.sources import Source

CORRECTION = "Bonferroni, times the number of words and shares"


@plain_failures("the dissection")
def dissect_by_words(
    program: Carrier,
    input: Input,
    layers: Sequence[LayerRecord],
    source: Source,
    words: Sequence[str],
    comparer: Comparer,
    *,
    untrained: Carrier | None = None,
    kept: Path | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> WordDissection:
    """Name units by the words whose nearest images excite them.

    words: all different. comparer: sees what the network sees, and reads the words. untrained: the
    same network with random weights, to compare with. kept: a file for what it makes of
    the pictures, for the next list of words. seed: of shuffled images. Raises ImageError where no image can be used,
    UsageError where the words are the same to the model, or the images too few.
    """
    progress = progress or Silent()
    texts = comparer.texts(words)
    words, texts, said = _different(words, texts, comparer)
    found = scanned(program, layers, source, input, progress)
    if not wanted(len(found.images)).any():
        raise UsageError(f"{len(found.images)} images are too few for names from words: give at least 50")
    held = KeptVectors(kept, key_of(comparer, input))
    pictures = embedded(comparer, source, input, found.images, held, progress)
    if kept is not None:
        said.append(
            f'what {comparer.name} makes of the images is kept in "{kept.name}" beside the atlas, for other words'
            if held.ours
            else f'"{kept.name}" beside the atlas is another\'s file: what the model makes of images is not kept'
        )
    if len(found.images) < len(source):
        left = len(source) - len(found.images)
        said.append(f"{left:,} of the {len(source):,} images are copies of others or cannot be used")
    ranked = _ranked(found, layers)
    beside = [] if untrained is None else _alike(program, untrained, layers)
    random = _ranked(scanned(untrained, beside, source, input, progress), beside) if untrained and beside else {}
    named: list[LayerWords] = []
    progress.start(WORDS.name, len(words), 0)
    for one in name_layers(ranked, random, words, texts.embeddings, pictures, seed):
        if isinstance(one, LayerWords):
            named.append(one)
        else:
            progress.step(one)
    return WordDissection(
        layers=tuple(named),
        images=len(found.images),
        words=len(words),
        settings={
            "source": source.name,
            "model": comparer.name,
            "model_key": comparer.key,
            "seed": seed,
            "shares": list(SHARES),
            "least_auc": LEAST_AUC,
            "alpha": ALPHA,
            "correction": CORRECTION,
        },
        left_out=tuple(said),
    )


def _ranked(found: Scanned, layers: Sequence[LayerRecord]) -> dict[str, Ranked]:
    return {layer.name: Ranked.of(found.maxima.pop(layer.node)) for layer in layers}


def _alike(program: Carrier, untrained: Carrier, layers: Sequence[LayerRecord]) -> list[LayerRecord]:
    """The layers that both have."""
    own, other = program.graph.nodes, untrained.graph.nodes
    return [layer for layer in layers if layer.node < len(other) and other[layer.node].shape == own[layer.node].shape]


def _different(words: Sequence[str], texts: Texts, comparer: Comparer) -> tuple[list[str], Texts, list[str]]:
    """The words that the model tells apart, and what is to be said of the others."""
    first: dict[tuple[int, ...], int] = {}
    for place, tokens in enumerate(texts.tokens):
        first.setdefault(tokens, place)
    said, places = [], sorted(first.values())
    if texts.cut:
        said.append(
            f"{_words(len(texts.cut))} longer than the {comparer.longest} tokens that the model reads, such as "
            f'"{texts.cut[0][:60]}": there the beginning counts'
        )
    if len(places) < len(words):
        other = next(place for place in range(len(words)) if first[texts.tokens[place]] != place)
        same = words[first[texts.tokens[other]]]
        said.append(
            f"{_words(len(words) - len(places))} to the model the same as another, such as "
            f'"{words[other][:60]}" and "{same[:60]}": the first stands for all'
        )
    embeddings = texts.embeddings[places]
    if len(places) < 2:
        raise UsageError("a word is measured against the others of its list: give at least two different words")
    if np.ptp(embeddings, axis=0).max() < 1e-6:
        raise UsageError(
            f"{comparer.name} makes the same of all words: its weights, config.json and tokenizer are not of one model"
        )
    kept = Texts(embeddings=embeddings, tokens=tuple(texts.tokens[place] for place in places))
    return [words[place] for place in places], kept, said


def _words(count: int) -> str:
    return "1 word is" if count == 1 else f"{count:,} words are"
