"""The laws over drawn networks, on many more of them."""

import pytest
from hypothesis import given

from tests.laws.checks import traced
from tests.laws.strategies import FEW, Drawn, networks
from tests.laws.test_fields import assert_edges_seen, assert_nothing_outside, make_monotone
from tests.laws.test_held import assert_edges_seen_when_held, assert_nothing_outside_when_held
from tests.laws.test_projection import assert_projections


@pytest.mark.wide
@FEW
@given(drawn=networks())
def test_projections_equal_the_reference(drawn: Drawn) -> None:
    """Every layer, method and place of random networks."""
    assert_projections(drawn)


@pytest.mark.wide
@FEW
@given(drawn=networks())
def test_nothing_outside_the_field_is_seen(drawn: Drawn) -> None:
    """Px outside a position's field change nothing at it, once gates and statistics of whole maps are held."""
    net = traced(drawn.model, drawn.channels, drawn.height, drawn.width)
    assert_nothing_outside(net, drawn.images(2))
    assert_nothing_outside_when_held(net, drawn.model, drawn.images(2))


@pytest.mark.wide
@FEW
@given(drawn=networks(monotone=True))
def test_each_edge_of_the_field_is_seen(drawn: Drawn) -> None:
    """Each edge of a field that lies in the picture can change the position."""
    net = traced(make_monotone(drawn.model), drawn.channels, drawn.height, drawn.width)
    assert_edges_seen(net, drawn.images(1).shape)
    assert_edges_seen_when_held(net, drawn.model, drawn.images(1).shape)
