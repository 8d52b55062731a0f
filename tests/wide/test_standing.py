"""The whole known network: its planted units stand the intervention with their own pattern and with no other."""

import pytest

from layerscope.known.again import KnownPictures
from layerscope.known.network import UNIT_NAMES
from tests.helpers.planted import tried, with_patterns


@pytest.mark.wide
def test_planted_units_stand_with_their_pattern_alone():
    """At least 95 % of the units pass both tests with the pattern that they were built for, and with no other."""
    found = tried(KnownPictures(432), tuple(UNIT_NAMES), each=24)
    stand = [[one.concept for one in unit.tried if one.stands] == [pattern] for pattern, unit in with_patterns(found)]
    assert len(stand) == 56
    assert sum(stand) >= 0.95 * len(stand)
