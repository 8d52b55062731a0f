"""The kinds of values: what is written as documented comes back, from a shell and from Python; all else is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.sequences import Names, Numbers, Several, Shape, UnitNumbers
from layerscope.core.texts import Place, Reporter, Text, Word
from layerscope.core.values import Bytes, Flag, Kind, Maybe, Number, Unfit, Whole

SHAPE = Shape(1, "x", "CHANNELSxHEIGHTxWIDTH")
CHANNELS = Shape(0, ",", "three channel numbers")
WORDS = Word(("deconvnet", "guided"))
sizes = st.integers(1, 10_000)


def written(kind: Kind, text: str) -> object:
    """The value of one text of a shell."""
    return kind.check(kind.read_all([text]) if kind.repeated else kind.read(text))


@given(sizes, sizes, sizes)
def test_a_shape_comes_back(channels, height, width):
    """CHANNELSxHEIGHTxWIDTH is what it says, with either kind of x, and a list of the same numbers is the same."""
    assert written(SHAPE, f"{channels}x{height}x{width}") == (channels, height, width)
    assert written(SHAPE, f"{channels}X{height}X{width}") == SHAPE.check([channels, height, width])


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 20)), min_size=1, max_size=6))
def test_unit_numbers_keep_their_order_and_ranges_hold_both_ends(parts):
    """Each part adds its numbers, in the order written."""
    text = ",".join(f"{first}-{first + more}" if more else str(first) for first, more in parts)
    assert written(UnitNumbers(), text) == tuple(n for first, more in parts for n in range(first, first + more + 1))


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=5))
def test_numbers_come_back(wanted):
    """Numbers with commas are those numbers."""
    assert written(Numbers(), ",".join(map(repr, wanted))) == tuple(wanted)


@given(st.integers(-5, 5), st.integers(0, 5), st.integers(-9, 12))
def test_whole_numbers_have_a_least_and_a_most(least, more, value):
    """A number outside is refused from either face, any other comes back as a plain int."""
    kind = Whole(least, least + more)
    if least <= value <= least + more:
        assert written(kind, str(value)) == kind.check(np.int32(value)) == value
        assert type(kind.check(np.int32(value))) is int
    else:
        for refused in (lambda: written(kind, str(value)), lambda: kind.check(value)):
            with pytest.raises(Unfit) as refusal:
                refused()
            assert refusal.value.got == value


def test_words_may_be_joined_and_a_wrong_one_is_named():
    """Names with commas are those names, each once; a wrong one is named beside the nearest."""
    some = Several(WORDS, "a list")
    assert written(some, "guided, deconvnet,guided") == some.check(["guided", "deconvnet"]) == ("guided", "deconvnet")
    with pytest.raises(Unfit) as refusal:
        written(some, "guided,deconv")
    assert (refusal.value.got, refusal.value.hint) == ("deconv", "; did you mean deconvnet?")


@pytest.mark.parametrize(
    ("text", "count"),
    [("200MB", 200_000_000), ("1.5 GB", 1_500_000_000), ("300 kB", 300_000), ("7", 7), ("2m", 2_000_000)],
)
def test_sizes_are_in_powers_of_ten(text, count):
    """With or without the B, in either case; Python may give the text or the number."""
    assert written(Bytes(), text) == Bytes().check(text) == Bytes().check(count) == count


def test_a_path_is_taken_as_it_was_written():
    """Text and Path are the same path."""
    assert Place().check("a/b") == Place().check(Path("a/b")) == "a/b"


def test_nothing_is_a_value_of_maybe_alone():
    """None is nothing asked, where that is allowed."""
    assert Maybe(Whole(1)).check(None) is None
    with pytest.raises(Unfit):
        Whole(1).check(None)


class Listener:
    """What is told of progress."""

    def start(self, *_): ...
    def step(self, *_): ...
    def say(self, *_): ...


def test_who_is_told_of_progress_can_be_told():
    """True, False, None, or an object with all three; a class is no object."""
    for fine in (True, False, None, listener := Listener()):
        assert Reporter().check(fine) is fine
    for wrong in (Listener, "bars", 1, object(), listener.start):
        with pytest.raises(Unfit):
            Reporter().check(wrong)


REFUSED_TEXTS = [
    (SHAPE, ["", "3x20", "3x20x20x1", "0x20x20", "3x-1x20", "axbxc", "3x2.5x2"]),
    (UnitNumbers(), ["", "1,", "5-2", "-3", "a", "1-2-3", "1.5"]),
    (Numbers(), ["", "1,,2", "a", "nan", "1,inf"]),
    (Numbers(above_zero=True), ["0", "1,-1"]),
    (CHANNELS, ["", "1,2", "1,2,3,4", "a,b,c", "-1,2,3"]),
    (Whole(1), ["", "a", "1.5", "0", "nan", "1_0", "True", "9" * 5000]),
    (Number(), ["", "a", "0", "-1", "nan", "inf"]),
    (Number(1, 100), ["0.5", "101"]),
    (Bytes(), ["", "0", "-1", "MB", "nanMB", "infGB", "lots", "0.0001kB", "0.5"]),
    (WORDS, ["", "guide", "GUIDED"]),
    (Several(WORDS, "a list"), ["", ",", "guided,"]),
    (Names(), ["", " ", ","]),
    (Text("a name"), [""]),
    (Place(), ["", " ", "a\0b"]),
]


@pytest.mark.parametrize(("kind", "texts"), REFUSED_TEXTS)
def test_what_a_shell_writes_wrongly_is_refused(kind, texts):
    """Each text is no value of the kind."""
    for text in texts:
        with pytest.raises(Unfit):
            written(kind, text)


REFUSED = [
    (Whole(1), [True, 1.0, "1", None, [1], np.float32(1), np.ones(2, int), b"1", float("nan")]),
    (Number(), [True, "1", None, [1.0], float("nan"), float("inf"), 10**400]),
    (Flag(), [0, 1, "yes", None, [], "True"]),
    (Bytes(), [True, 1.5, None, [1], 0, -3]),
    (WORDS, [None, 3, True, ["guided"], b"guided"]),
    (Several(WORDS, "a list"), ["guided", (), [], None, 3, {"guided": 1}, [["guided"]], b"guided"]),
    (Names(), [(), [], None, 3, [None], [3], {"a": 1}, [""]]),
    (UnitNumbers(), ["1", (), None, 3, [True], [1.0], [-1], {1: 2}]),
    (Numbers(), ["1", None, 3, [True], ["1"], [float("nan")], {1: 2}]),
    (SHAPE, ["3x2x2", (3, 2), (3, 2, 2, 2), (3, 0, 2), (3, 2.0, 2), None, 3, (True, 2, 2)]),
    (Text("a name"), [None, 3, b"a", ["a"]]),
    (Place(), [None, 3, b"a", ["a"], {}]),
]


@pytest.mark.parametrize(("kind", "values"), REFUSED)
def test_what_python_gives_wrongly_is_refused(kind, values):
    """Nothing is rounded, parted or guessed: another type is another type."""
    for value in values:
        with pytest.raises(Unfit):
            kind.check(value)
