"""Histories of an atlas, drawn at random: it always opens, and always ends as what a straight build makes."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.reliability.commands import Bench
from tests.reliability.histories import World, histories

HEALTH = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


@pytest.fixture(scope="session")
def world(bench: Bench) -> World:
    return World(bench)


def run(world: World, examples: int, steps: int) -> None:
    how = settings(max_examples=examples, stateful_step_count=steps, suppress_health_check=HEALTH, deadline=None)
    run_state_machine_as_test(histories(world), settings=how)


def test_a_few_histories(world: World) -> None:
    """Killed, resumed, added to, dissected, read while it is written, copied, overwritten: the rows are as wished."""
    run(world, 3, 6)


@pytest.mark.wide
def test_many_histories(world: World) -> None:
    """The same, longer and more often."""
    run(world, 150, 14)
