"""Some of the images: each kind of source gives of those that are chosen what it gave of them among all."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerscope.core.choice import ChosenImages
from layerscope.core.errors import ImageError
from layerscope.core.records import Input
from layerscope.sources import Entry, Source, of_pixels, open_source
from layerscope.sources.chosen import ChosenSource

INPUT = Input(channels=3, height=8, width=8)
CHOICES = (ChosenImages(sample=5), ChosenImages(begin=3, end=9), ChosenImages(sample=9, begin=2, limit=4))


def pixels(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)


class Drawn(Source):
    """A guest's source, whose images are told by their numbers."""

    in_threads = False

    def __init__(self) -> None:
        super().__init__([Entry(identity=f"drawn {n}", label="ab"[n % 2]) for n in range(12)], name="drawn")

    def read(self, id: int):
        return of_pixels(self.record(id), pixels(id))

    def stamp(self, id: int) -> int:
        return id


@pytest.fixture
def kinds(tmp_path: Path):
    """A folder, a Dataset and a guest's source, each of twelve images."""
    for n in range(12):
        (tmp_path / f"{n % 3}").mkdir(exist_ok=True)
        Image.fromarray(pixels(n)).save(tmp_path / f"{n % 3}" / f"{n:02}.png")
    return str(tmp_path), [(pixels(n), str(n)) for n in range(12)], Drawn()


def opened(images, choice: ChosenImages) -> Source:
    if isinstance(images, Source):  # as the kind of a guest is opened
        from layerscope.sources.opening import Asked, _chosen

        return _chosen(images, Asked(choice=choice))
    return open_source(images, choice=choice)


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_each_image_is_the_same_as_among_all(kinds, choice: ChosenImages) -> None:
    for images in kinds:
        whole = opened(images, ChosenImages())
        places = choice.places([name for name, _ in whole.listing()], 12)
        some = opened(images, choice)
        assert some.listing() == [whole.listing()[place] for place in places]
        assert some.labelling() == [whole.labelling()[place] for place in places]
        one, other = some.load(range(len(some)), INPUT), whole.load(places, INPUT)
        np.testing.assert_array_equal(one.pixels, other.pixels)
        assert [r.sha256 for r in one.records] == [r.sha256 for r in other.records]
        assert [r.id for r in one.records] == list(range(len(places)))
        assert list(some.identity()) != list(whole.identity())
        assert choice.words(12, "").split(" of ")[0] in some.name


def test_of_a_guest_only_the_chosen_travel(kinds) -> None:
    some = opened(kinds[2], ChosenImages(begin=3, end=9))
    assert isinstance(some, ChosenSource) and some.stamp(1) == 4 and not some.in_threads
    away = some.hollow()
    away.know(some.named([2, 5]))
    np.testing.assert_array_equal(away.load([2, 5], INPUT).pixels, some.load([2, 5], INPUT).pixels)
    with pytest.raises(RuntimeError, match="was not named"):
        away.load([0], INPUT)
    assert some.load([0], INPUT).records[0].source == "drawn 3"  # and the one that stayed knows all


def test_a_part_behind_the_last_is_refused(kinds) -> None:
    for images in kinds:
        with pytest.raises(ImageError, match="there is no image 12: they are 12"):
            opened(images, ChosenImages(begin=12))
