"""How every test runs: one thread for sums, repeatable examples, and the shapes in signatures checked."""

import gc
import os
import sys
from collections.abc import Generator

import jaxtyping
import pytest
from hypothesis import settings

import tests.typecheck

# Before torch is loaded: two test workers with two threads each would wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No test reads what an earlier one left in the user's own folder; those of the cache name a folder.
os.environ["LAYERSCOPE_CACHE"] = "off"

# Compiling the package and the tests anew takes longer than collecting them: here and in what the tests start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Every drawn law draws twenty times as much in `make laws`.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=25, database=None)
settings.register_profile("wide", derandomize=True, deadline=None, max_examples=500, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# The hook decorates with `jaxtyping.jaxtyped(typechecker=...)`; here the second decides what the first is needed for.
jaxtyping.jaxtyped = lambda *, typechecker: typechecker
# Never undone: whatever of the package a test imports first is checked.
jaxtyping.install_import_hook("layerscope", f"{tests.typecheck.__name__}.checked")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is loaded to collect the tests stays: nobody looks for garbage in it, then or later.

    Later more seldom than Python does by itself: exporting a network makes some hundred thousand objects that stay.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test that is marked `thin(n)` every n-th case is run by default, from the first on; the others are wide."""
    seen: dict[object, int] = {}
    for item in items:
        mark = item.get_closest_marker("thin")
        if mark is not None:
            place = seen[key] = seen.get(key := item.nodeid.split("[")[0], -1) + 1
            if place % mark.args[0]:
                item.add_marker(pytest.mark.wide)
