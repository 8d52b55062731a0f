"""A list of cases of which a test takes a few every time, and the rest in the wide sweep."""

from collections.abc import Iterable
from typing import Any

import pytest


def swept(cases: Iterable[Any], every: int) -> list[Any]:
    """The cases as parameters: the first of each `every` always, the others only with `make laws`."""
    return [
        case if place % every == 0 else pytest.param(case, marks=pytest.mark.wide) for place, case in enumerate(cases)
    ]
