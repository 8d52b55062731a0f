"""Dissecting an atlas by words: where the words, the model and the pictures lie, and where what is found is kept."""

from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.api import before
from layerscope.api.behind import network_behind, untrained_behind
from layerscope.api.reporting import reporting
from layerscope.core.errors import UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.networks import How
from layerscope.core.words import WordDissection
from layerscope.dissect import Comparer, dissect_by_words, record_words
from layerscope.sources import open_source

if TYPE_CHECKING:
    from layerscope.api.network import Network
    from layerscope.core.progress import Progress

MOST_WORDS, MOST_BYTES = 100_000, 1 << 25
# Beside mine.atlas lies mine.clip.safetensors.
KEPT = ".clip.safetensors"


@plain_failures("the dissection")
def dissect_worded(
    path: Path, net: "Network | str | PathLike[str] | None", words: Any, clip: Any, data: Any, count: int | None,
    how: How, seed: int, progress: "bool | Progress | None",
) -> WordDissection:  # fmt: skip
    """Name the units of an atlas by words, and keep the names in it. Raises as `layerscope.dissect` does."""
    if clip is None:
        raise UsageError("words are compared with pictures by a model: give its folder, as --clip DIR or clip=")
    if data is None:
        raise UsageError("words are compared with pictures: give these, as --data PICTURES or data=")
    different, said = words_in(words)
    source = open_source(data, limit=count)
    with reporting(progress) as reporter:
        for sentence in said:
            reporter.say(sentence)
        comparer = _comparer(clip)
        named = fspath(net) if isinstance(net, PathLike) else net
        run, layers, spec, network = network_behind(path, named, how, reporter.say)
        untrained = untrained_behind(spec, network, layers, how, reporter.say)
        found = dissect_by_words(
            network.program, run.input, layers, source, different, comparer, untrained=untrained,
            kept=path.with_suffix(KEPT), seed=seed, progress=reporter,
        )  # fmt: skip
        for sentence in found.left_out:
            reporter.say(sentence)
    record_words(path, found)
    return found


def _comparer(clip: str | PathLike[str]) -> Comparer:
    """The model of a folder."""
    from layerscope.models.clip import open_clip

    return open_clip(Path(clip))


def words_in(words: Any) -> tuple[list[str], list[str]]:
    """The words of a list or of a file, each once, in their order, and remarks. Raises UsageError."""
    if isinstance(words, (str, PathLike)):
        file = before.readable(fspath(words), "the words")  # type: ignore[reportUnknownArgumentType]
        where, lines = f'the words "{file}"', _lines(file)
    else:
        if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):  # type: ignore[reportUnknownVariableType]
            raise UsageError("words= must be a file with a word a line, or a list of texts")
        where, lines = "the words", [str(word) for word in words]  # type: ignore[reportUnknownVariableType]
    spaced = [" ".join(line.split()) for line in lines]
    every = [line for line in spaced if line]
    different = list(dict.fromkeys(every))
    if not different:
        raise UsageError(f"{where} are none: give one a line")
    if len(different) > MOST_WORDS:
        raise UsageError(f"{where} are {len(different):,}; at most {MOST_WORDS:,} can be tried at once")
    twice = len(every) - len(different)
    return different, [f"{where} hold {twice:,} lines that stood there before: each word counts once"] if twice else []


def _lines(file: Path) -> list[str]:
    if file.stat().st_size > MOST_BYTES:
        raise UsageError(f'the words "{file}" are {file.stat().st_size:,} bytes long: give a text with a word a line')
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UsageError(f'the words "{file}" are no text in UTF-8: save them as a text with a word a line') from None
