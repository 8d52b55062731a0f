"""Which of the listed images are taken: a sample that is spread and nested, a part, the first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.choice import ChosenImages
from layerscope.core.errors import ImageError, UsageError

NAMES = st.lists(st.text(max_size=6), max_size=60, unique=True)


def taken(names: list[str], **choice: int) -> list[int]:
    return list(ChosenImages(**choice).places(iter(names), len(names)))


@given(NAMES, st.integers(1, 70), st.integers(1, 70))
def test_a_larger_sample_holds_a_smaller_one(names: list[str], a: int, b: int) -> None:
    """In the order of the list; as many as are asked for; all, where there are no more."""
    few, many = (taken(names, sample=n) for n in sorted((a, b)))
    assert set(few) <= set(many) and few == sorted(few)
    assert len(few) == min(min(a, b), len(names)) and len(many) == min(max(a, b), len(names))


@given(NAMES, st.integers(1, 20), st.randoms())
def test_whether_an_image_is_drawn_is_a_matter_of_names(names: list[str], sample: int, random) -> None:
    """The same images whatever their order is."""
    other = list(names)
    random.shuffle(other)
    assert {names[i] for i in taken(names, sample=sample)} == {other[i] for i in taken(other, sample=sample)}


def test_a_sample_is_spread_over_the_list() -> None:
    """Of 40 classes in a row 400 of 4,000 images hold each: the odds against are one in 10^16."""
    names = [f"class {n // 100}/{n}.png" for n in range(4000)]
    found = taken(names, sample=400)
    assert {n // 100 for n in found} == set(range(40))
    assert max(sum(n // 1000 == part for n in found) for part in range(4)) < 150


@given(NAMES, st.integers(1, 7), st.integers(1, 70))
def test_parts_are_the_whole(names: list[str], size: int, sample: int) -> None:
    """Parts side by side hold every image once, of a sample too."""
    every = taken(names, sample=sample)
    parts = [taken(names, sample=sample, begin=first, end=first + size) for first in range(0, len(every), size)]
    assert [place for part in parts for place in part] == every
    assert taken(names, begin=2, end=9, limit=3) == list(range(len(names)))[2:9][:3] if len(names) > 2 else True


def test_what_leaves_nothing_is_refused() -> None:
    for choice in ({"sample": 0}, {"limit": 0}, {"begin": -1}, {"begin": 4, "end": 4}, {"end": 0}):
        with pytest.raises(UsageError):
            ChosenImages(**choice)
    with pytest.raises(ImageError, match="there is no image 5: they are 5, counted from 0"):
        taken(list("abcde"), begin=5)


def test_the_words() -> None:
    assert ChosenImages().words(1, "file") == "1 file"
    assert ChosenImages(limit=3).words(1000, "file") == "the first 3 of 1,000 files"
    assert ChosenImages(limit=1000, sample=1000, end=1000).words(1000, "file") == "1,000 files"
    assert ChosenImages(sample=500, begin=100, end=200, limit=10).words(9000, "file") == (
        "the first 10 of numbers 100 to 199 of a sample of 500 of 9,000 files"
    )
