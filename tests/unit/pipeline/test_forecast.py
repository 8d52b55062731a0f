"""A forecast counts all that a build does: what is kept of marks and of signals is counted as it is made."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

import layerscope as ls
from layerscope.api.verbs import forecast
from layerscope.core.methods import METHODS
from layerscope.pipeline import forecast as module
from layerscope.pipeline.forecast_kept import AT_PEAK, AT_SAMPLE, KeepingCost
from layerscope.pipeline.sampling import SAMPLE
from layerscope.project.retention import Kept
from layerscope.world import World

LAYERS = ["layer1.relu", "layer3.relu"]
UNITS, K, COUNT = 5, 3, 24


def options(**more: object) -> dict:
    return {"layers": LAYERS, "k": K, "units": UNITS, "methods": ["deconvnet", "guided"], **more}


@pytest.fixture(scope="module")
def world() -> World:
    return World(COUNT, seed=4)


def test_what_is_kept_is_counted_by_units_peaks_and_methods(world, monkeypatch):
    """Marks of every shown unit at its first peak and of the sample; signals of every peak; and their bytes."""
    found = {}
    for name, cost in (
        ("none", KeepingCost(mark=0.0)),
        ("some", KeepingCost(mark=1.0, signal=100.0, signal_bytes=1e6)),
    ):
        monkeypatch.setattr(module, "keeping_cost", lambda *of, cost=cost, **how: cost)
        found[name] = forecast("worldnet", world, **options(keep_signal=True))
    none, some = found["none"], found["some"]
    peaks, units = len(LAYERS) * UNITS * K, {"layer1.relu": 32, "layer3.relu": 96}
    sampled = sum(min(SAMPLE, units[layer]) for layer in LAYERS)
    # Marks by chance and by each of two methods; edges, chance, and each method's for the unit and its partner.
    expected = {"project": len(LAYERS) * UNITS * 3 + peaks * 100, "sample": sampled * 6}
    for stage in ("project", "sample"):
        # The rest is measured anew, and takes a few seconds at most.
        assert some.seconds[stage] - none.seconds[stage] == pytest.approx(expected[stage], abs=30)
    assert some.bytes - none.bytes == pytest.approx(peaks * 1e6, abs=2)


@pytest.mark.wide
def test_a_build_measures_as_many_marks_as_are_counted(world, tmp_path, monkeypatch):
    """By stage: of the sample those of partners only where there is one."""
    counted: Counter[bool] = Counter()
    shares = Kept.shares

    def watched(self, marks):
        counted["edges" in marks] += len(marks) * len(self.entries)
        return shares(self, marks)

    monkeypatch.setattr(Kept, "shares", watched)
    ls.build("worldnet", world, tmp_path / "a.atlas", progress=False, **options()).close()
    one, methods = KeepingCost(mark=1.0), 2
    assert counted[False] == len(LAYERS) * UNITS * one.retention(methods, AT_PEAK)
    assert counted[True] == (32 + SAMPLE) * one.retention(methods, AT_SAMPLE)


@pytest.mark.wide
def test_signals_take_the_room_that_was_told(world, tmp_path):
    """What --keep-signal adds to the file is told within a factor of two, and its time is not left out."""
    sizes, told = [], []
    for number, keep in enumerate((False, True)):
        path: Path = tmp_path / f"{number}.atlas"
        ls.build("worldnet", world, path, progress=False, **options(keep_signal=keep)).close()
        sizes.append(path.stat().st_size)
        told.append(forecast("worldnet", world, **options(keep_signal=keep)))
    added = told[1].bytes - told[0].bytes
    assert added / 2 < sizes[1] - sizes[0] < added * 2


def test_the_sums_for_a_merge_are_counted(world, tmp_path):
    """They are told as large as they then are in the file, but for what is summed over the images themselves."""
    told = [forecast("worldnet", world, **options(mergeable=keep)).bytes for keep in (False, True)]
    ls.build("worldnet", world, tmp_path / "a.atlas", progress=False, **options(mergeable=True)).close()
    with closing(sqlite3.connect(tmp_path / "a.atlas")) as rows:
        ((held,),) = rows.execute("SELECT sum(length(payload)) FROM shard WHERE stage LIKE 'merge %'")
    assert told[1] - told[0] == pytest.approx(held, rel=0.05)


@pytest.mark.parametrize("methods", [list(METHODS.own), pytest.param(["deconvnet"], marks=pytest.mark.wide)])
def test_every_layer_is_measured_with_every_method(world, monkeypatch, methods):
    """A mark takes time in each layer; signals take time and room where they are kept alone."""
    real, costs = module.keeping_cost, []

    def watched(*of, **how):
        costs.append((how["signals"], real(*of, **how)))
        return costs[-1][1]

    monkeypatch.setattr(module, "keeping_cost", watched)
    for keep in (False, True):
        forecast("worldnet", world, **options(keep_signal=keep, methods=methods))
    assert len(costs) == 2 * len(LAYERS)
    for keep, cost in costs:
        assert cost.mark > 0 and (cost.signal > 0) == (cost.signal_bytes > 0) == keep
