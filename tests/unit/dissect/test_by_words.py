"""Units that were built for a colour are named by its word; what a model makes of pictures is kept for other words."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.core.errors import ImageError, UsageError
from layerscope.dissect import dissect_by_words
from layerscope.dissect.embeddings import KeptVectors, image_key, key_of
from layerscope.sources import open_source
from tests.helpers.comparing import COLOURS, OTHERS, Colours, Squares

INPUT = ls.Input(channels=3, height=16, width=16)
WORDS = [*COLOURS, *OTHERS]
COUNT = 120


class Telling:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int, int]] = []

    def start(self, stage: str, total: int, done: int) -> None:
        self.stages.append((stage, total, done))

    def step(self, count: int = 1) -> None: ...

    def say(self, sentence: str) -> None: ...


@cache
def planted(*, random: bool = False) -> ls.Network:
    """Four units that each see one colour, rectified; of the same form with random weights."""
    torch.manual_seed(3)
    conv = nn.Conv2d(3, 4, 1)
    if not random:
        wanted = torch.tensor([[1 if value else -1 for value in colour] for colour in COLOURS.values()])
        with torch.no_grad():
            conv.weight.copy_(wanted[:, :, None, None].float())
            conv.bias.copy_(0.6 - wanted.clamp(0).sum(1).float())
    return ls.trace(nn.Sequential(conv, nn.ReLU()), INPUT)


def found(words=WORDS, comparer=None, count=COUNT, progress=None, **more):
    net = planted()
    source = more.pop("source", None) or open_source(Squares(count))
    return dissect_by_words(
        net.program, INPUT, [net["1"]], source, words, comparer or Colours(), progress=progress, **more
    )


def test_units_are_named_by_the_colour_that_they_see():
    """Of 24 words; of shuffled images none."""
    layer = found(untrained=planted(random=True).program).layers[0]
    assert [unit.best and unit.best.word for unit in layer.units] == list(COLOURS)
    assert all(unit.best.auc >= 0.75 and unit.best.share <= 0.1 for unit in layer.units)
    assert layer.shuffled.named == 0 and layer.untrained is not None and layer.untrained.units == 4
    assert found().layers[0].untrained is None


def test_words_in_another_order_give_the_same_names():
    """Neither order nor other words decide."""
    names = [unit.best and unit.best.word for unit in found(WORDS[::-1]).layers[0].units]
    assert names == list(COLOURS)


def test_pictures_are_looked_at_once(tmp_path: Path):
    """Other words need none; another model, or another input, all; the numbers are the same either way."""
    kept, first, again = tmp_path / "a.clip.safetensors", Colours(), Colours()
    one = found(comparer=first, kept=kept)
    told = Telling()
    other = found(comparer=again, kept=kept, progress=told)
    assert (first.seen, again.seen) == (COUNT, 0) and one.layers == other.layers
    assert ("embeddings", COUNT, COUNT) in told.stages and ("words", len(WORDS), 0) in told.stages
    assert any("is kept in" in sentence for sentence in one.left_out)
    again.key = "another"
    found(comparer=again, kept=kept)
    assert again.seen == COUNT
    assert len(KeptVectors(kept, key_of(again, INPUT))) == COUNT and not len(KeptVectors(kept, key_of(first, INPUT)))


@pytest.mark.wide
def test_a_stopped_run_goes_on(tmp_path: Path):
    """What was made before it was stopped is not made again."""
    kept = tmp_path / "a.clip.safetensors"

    class Stopped(Colours):
        def pictures(self, pixels: np.ndarray) -> np.ndarray:
            if self.seen >= 64:
                raise KeyboardInterrupt
            return super().pictures(pixels)

    with pytest.raises(KeyboardInterrupt):
        found(comparer=Stopped(), kept=kept)
    after = Colours()
    assert found(comparer=after, kept=kept).layers == found().layers
    assert after.seen == COUNT - 64


@pytest.mark.parametrize("content", [b"no tensors", b""])
def test_a_file_of_another_is_left_alone(tmp_path: Path, content: bytes):
    """It is told, and nothing is kept."""
    kept = tmp_path / "a.clip.safetensors"
    kept.write_bytes(content)
    said = found(kept=kept).left_out
    assert any("another's file" in sentence for sentence in said) and kept.read_bytes() == content


def test_tensors_of_another_are_left_alone(tmp_path: Path):
    """A file of weights that happens to have the name."""
    from safetensors.numpy import save_file

    kept = tmp_path / "a.clip.safetensors"
    save_file({"images": np.zeros((2, 2), np.uint8)}, kept)
    content = kept.read_bytes()
    found(kept=kept)
    assert kept.read_bytes() == content


def test_images_are_told_by_content_and_size():
    """An array's bytes do not tell its rows; without a hash an image is not told from others."""
    from layerscope.core.records import ImageRecord

    record = ImageRecord(id=0, source="a", sha256="00" * 32, height=2, width=8)
    other = ImageRecord(id=1, source="b", sha256="00" * 32, height=4, width=4)
    assert image_key(record) != image_key(other) and image_key(ImageRecord(id=0, source="a")) is None


def test_what_is_not_used_is_told():
    """Words that are the same to the model, and those that it reads only in part; the first stands for its equals."""
    told = found([*WORDS, "RED", "green with much more behind"])
    assert told.words == len(WORDS) + 1
    assert any('"RED" and "red"' in sentence for sentence in told.left_out)
    assert any("1 word is longer than the 3 tokens" in sentence for sentence in told.left_out)


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"words": ["red", "Red"]}, UsageError, "at least two different words"),
        ({"comparer": Colours(blind=True)}, UsageError, "makes the same of all words"),
        ({"count": 40}, UsageError, "40 images are too few"),
    ],
)
def test_what_cannot_be_tried_is_a_sentence(more, error, said):
    with pytest.raises(error, match=said):
        found(**more)


def test_an_image_that_is_gone_since_the_scan_is_a_sentence(tmp_path: Path):
    """Not a traceback, and not fewer images."""
    from PIL import Image

    for place, picture in enumerate(Squares(60).pictures):
        Image.fromarray(picture).save(tmp_path / f"{place:03}.png")

    class Removing(Colours):
        def pictures(self, pixels: np.ndarray) -> np.ndarray:
            for path in tmp_path.glob("*.png"):
                path.unlink()
            return super().pictures(pixels)

    with pytest.raises(ImageError, match="was read a moment ago"):
        found(comparer=Removing(), source=_slow(open_source(tmp_path)))


def _slow(source):
    """Read by one thread and not ahead, so that what is removed is missed."""
    plain = source.batches
    source.batches = lambda input, runs, **more: plain(input, runs, threads=1, ahead=0)
    return source
