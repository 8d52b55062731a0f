"""The name of a source tells which images are taken: what is read from it takes the same, and parts join again."""

from hypothesis import assume, given
from hypothesis import strategies as st

from layerscope.core.choice import ChosenImages, images_told, joined

NAMES = st.sampled_from(["photos/", "drawn (2)/", "shards-{0..9}.tar", "a of 3 b"])
NUMBER = st.none() | st.integers(1, 4000)


@given(NAMES, st.integers(1, 3000), NUMBER, NUMBER, NUMBER, NUMBER)
def test_what_is_said_is_read(
    name: str, count: int, sample: int | None, begin: int | None, end: int | None, limit: int | None
) -> None:
    """Of any choice that leaves something; its limit is told as an end."""
    assume(end is None or (begin or 0) < end)
    assume((begin or 0) < min(count, sample or count))
    choice = ChosenImages(sample=sample, begin=begin, end=end, limit=limit)
    told = images_told(f"{name} ({choice.words(count, 'file')})")
    assert told is not None and (told.name, told.count, told.counted, told.choice.limit) == (name, count, "file", None)
    names = [str(place) for place in range(count)]
    assert list(told.choice.places(names, count)) == list(choice.places(names, count))
    assert len(told) == len(choice.places(names, count))


@given(st.integers(3, 2000), st.data())
def test_parts_in_their_order_are_the_whole(count: int, data: st.DataObject) -> None:
    """Cut anywhere; in another order, with one left out or of another list they are no part of a list."""
    sample = data.draw(st.none() | st.integers(3, count - 1) if count > 3 else st.none())
    one, two = sorted(data.draw(st.sets(st.integers(1, (sample or count) - 1), min_size=2, max_size=2)))
    cuts = [(None, one), (one, two), (two, None)]
    parts = []
    for begin, end in cuts:
        words = ChosenImages(sample=sample, begin=begin, end=end).words(count, "row")
        told = images_told(f"a:b ({words})")
        assert told is not None
        parts.append(told)
    a, b, c = parts
    whole = joined(parts)
    assert whole is not None and whole.choice == ChosenImages(sample=None if sample is None else sample)
    assert joined([a, c]) is None and joined([b, a]) is None and joined([a]) == a
    part = joined([b, c])
    assert part is not None and (part.choice.begin, part.choice.end) == (one, None)
    other = images_told("a:c (5 rows)")
    assert other is not None and joined([a, other]) is None


def test_other_names_tell_nothing() -> None:
    """Of lists of a guest's source, and of a Dataset without a number."""
    assert images_told("drawn by hand") is None and images_told("mine, 5 images") is None
