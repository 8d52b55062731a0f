"""Brace patterns stand for what a shell would make of them."""

import pytest

from layerscope.core.braces import expanded, has_braces
from layerscope.core.errors import UsageError


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a-{000..002}.tar", ["a-000.tar", "a-001.tar", "a-002.tar"]),
        ("{8..11}", ["8", "9", "10", "11"]),
        ("{08..11}", ["08", "09", "10", "11"]),
        ("{2..0}", ["2", "1", "0"]),
        ("{train,val}-{0..1}", ["train-0", "train-1", "val-0", "val-1"]),
        ("{a,}b", ["ab", "b"]),
        ("s3://b/{x,y}.tar", ["s3://b/x.tar", "s3://b/y.tar"]),
        ("{}", ["{}"]), ("{a}", ["{a}"]), ("{a..c}", ["{a..c}"]), ("plain", ["plain"]), ("{1..", ["{1.."]),
    ],
)  # fmt: skip
def test_a_pattern_stands_for_its_names_in_order(pattern: str, names: list[str]) -> None:
    """Zeros are kept, the last pattern runs the fastest, and what is no pattern is a name."""
    assert expanded(pattern) == names and has_braces(pattern) == (names != [pattern])


def test_a_slip_of_the_pen_is_refused_before_it_is_expanded() -> None:
    """A million files can be named, and not ten."""
    with pytest.raises(UsageError, match=r"stands for 10,000,000 files"):
        expanded("{0000000..9999999}")
    with pytest.raises(UsageError, match=r"stands for 1,000,000,000 files"):
        expanded("{000..999}/{000..999}/{000..999}")
    assert len(expanded("{00000..09999}")) == 10_000
