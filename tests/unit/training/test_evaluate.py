"""Top-1 and top-5 are counted as they are defined, over all that can be read."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from layerscope.core.errors import TraceError, UsageError
from layerscope.core.records import Input
from layerscope.sources import open_source
from layerscope.training import evaluate
from layerscope.training.pictures import Pictures
from layerscope.training.score import Score, Tally, score
from tests.helpers.training import CLASSES, EACH, drawn

INPUT = Input(height=20, width=20)


class Brightest(nn.Module):
    """Scores of three classes: how red, green and blue a picture is; `turn` of them are moved on."""

    def __init__(self, turn: int = 0) -> None:
        super().__init__()
        self.turn = turn

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3)).roll(self.turn, 1)


def test_the_definition():
    """The right class first, or among the first five."""
    draws = np.random.default_rng(0)
    scores, labels = draws.normal(size=(60, 8)).astype(np.float32), draws.integers(0, 8, 60)
    tally = Tally()
    for part in (slice(0, 25), slice(25, 60)):
        tally.add(torch.from_numpy(scores[part]), labels[part])
    ranks = (scores > scores[np.arange(60), labels][:, None]).sum(axis=1)
    assert tally.score == Score(top1=(ranks == 0).mean(), top5=(ranks < 5).mean(), images=60)


def test_the_middle_of_pictures_with_a_margin_is_scored():
    """And the network is left in the mode it was in."""
    pixels = np.zeros((4, 8, 8, 3), np.uint8)
    pixels[:, 0], pixels[:, 2:6, 2:6, 1] = 255, 9
    network = Brightest().train()
    pictures = Pictures(pixels, np.array([1, 1, 1, 0]), ("a", "b", "c"))
    assert score(network, pictures, Input(height=4, width=4), window=4) == Score(top1=0.75, top5=1.0, images=4)
    assert network.training


@pytest.mark.parametrize(("turn", "top1"), [(0, 1.0), (1, 0.0)])
def test_a_network_is_evaluated_by_the_names_of_its_classes(turn, top1, pictures):
    """All pictures of a folder, by the network's names, or all WordNet ids in order."""
    for classes in (CLASSES, ()):
        found = evaluate(Brightest(turn), INPUT, open_source(pictures), classes=classes)
        assert found == Score(top1=top1, top5=1.0, images=3 * EACH)


def test_files_that_cannot_be_read_do_not_count(tmp_path):
    """Nor need they have a class."""
    folder = drawn(tmp_path / "some", each=2)
    (folder / "README.md").write_text("not a picture")
    (folder / CLASSES[0] / "0.png").write_bytes(b"broken")
    assert evaluate(Brightest(), INPUT, open_source(folder)).images == 5


def test_a_table_tells_what_folders_do_not(tmp_path, pictures):
    """The index in it is the output."""
    table = tmp_path / "classes.tsv"
    table.write_text("index\twnid\n" + "".join(f"{2 - place}\t{name}\n" for place, name in enumerate(CLASSES)))
    assert evaluate(Brightest(), INPUT, open_source(pictures), table=table).top1 == pytest.approx(1 / 3)


def test_what_cannot_be_evaluated_is_a_sentence(tmp_path, pictures):
    """Classes that nobody knows; a network that scores no classes."""
    with pytest.raises(UsageError, match="which of the 3 outputs is right for"):
        evaluate(Brightest(), INPUT, open_source(Path(pictures) / CLASSES[0]))
    with pytest.raises(TraceError, match="gives no scores of classes"):
        evaluate(nn.Conv2d(3, 2, 3), INPUT, open_source(pictures))
