"""A plugin for pytest (-p tests.slow_paths): all that is run with it is run with every fast path switched off."""

from collections.abc import Iterator

import pytest

from layerscope.testing.slow import slow_paths


@pytest.fixture(autouse=True, scope="session")
def fast_paths_are_off() -> Iterator[None]:
    with slow_paths():
        yield
