"""The benchmark's own arithmetic: turns, ratios, weights; on numbers whose answers are known, with no network run."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.__main__ import LINES, main, parser
from bench.building import PARTS, parts_of, units_of
from bench.memory import write_small
from bench.pictures import SHORT_SIDE, fractal_noise, picture
from bench.projections import WHOLE, K, _on_images, weighted_ours, weighted_theirs
from bench.report import Aim, Line, markdown
from bench.scan_tensors import shards_with_input_sums
from bench.sizes import FULL, QUICK, QUICK_ONES
from bench.stages import Stages
from bench.timing import Ratio, added, alternate, seconds_of
from layerscope.core.geometry import Field, Window
from layerscope.core.records import LayerRecord
from layerscope.pipeline.settings import BATCH, SHARD

SECONDS = st.floats(1e-3, 1e3)


def test_contenders_take_turns_and_keep_what_each_turn_gave(monkeypatch):
    """A B A B A B: never one contender twice in a row, and every turn's value lies under its contender's name."""
    # Of all that the tests hold by now.
    monkeypatch.setattr("bench.timing.gc.collect", lambda: None)
    order = []

    def contender(name: str, step: float):
        return lambda: (order.append(name), step * len(order))[1]

    found = alternate({"a": contender("a", 1.0), "b": contender("b", 10.0)}, repeats=3)
    assert order == ["a", "b"] * 3
    assert found == {"a": [1.0, 3.0, 5.0], "b": [20.0, 40.0, 60.0]}


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=9), st.floats(0.1, 10))
def test_a_machine_that_slows_down_changes_no_ratio(turns, slower):
    """Both times of a turn multiplied by one number leave that turn's ratio, and the lowest is at most the median."""
    above, below = (list(side) for side in zip(*turns, strict=True))
    plain = Ratio.of_pairs(above, below)
    slowed = Ratio.of_pairs([a * slower for a in above], [b * slower for b in below])
    assert np.allclose([plain.median, plain.low, plain.high], [slowed.median, slowed.low, slowed.high])
    assert plain.low <= plain.median <= plain.high


def test_a_ratio_is_of_neighbours_not_of_medians():
    """The median of the pairs' ratios, which is not the ratio of the two medians."""
    ratio = Ratio.of_pairs([1.0, 8.0, 3.0], [2.0, 1.0, 3.0])
    assert ratio.pairs == (0.5, 8.0, 1.0)
    assert (ratio.median, ratio.low, ratio.high) == (1.0, 0.5, 8.0)


def test_seconds_are_those_of_the_call(monkeypatch):
    """The wall clock's difference over the call."""
    ticks = iter([10.0, 12.5])
    monkeypatch.setattr("bench.timing.time.perf_counter", lambda: next(ticks))
    assert seconds_of(lambda: None) == 2.5
    assert added([1.0, 2.0], [10.0, 20.0]) == [11.0, 22.0]


@given(SECONDS, SECONDS, st.integers(1, WHOLE), st.integers(1, 10_368))
def test_our_weights_are_one_for_the_whole_and_proportional_otherwise(forward, cones, images, peaks):
    """Measured on everything, a time counts as it is; twice the images or peaks at twice the time change nothing."""
    assert weighted_ours(forward, cones, images=WHOLE, peaks=peaks, whole=peaks) == pytest.approx(forward + cones)
    once = weighted_ours(forward, cones, images=images, peaks=peaks, whole=10_368)
    twice = weighted_ours(2 * forward, 2 * cones, images=2 * images, peaks=2 * peaks, whole=10_368)
    assert once == pytest.approx(twice)


def test_the_rivals_weight_is_the_layers_number_of_peaks():
    """A layer's seconds per projection count once for each of its units' nine peaks."""
    assert weighted_theirs([(1.0, 10, 64), (4.0, 20, 256)]) == pytest.approx(0.1 * 64 * 9 + 0.2 * 256 * 9)


def test_peaks_on_the_first_images_are_as_dense_as_on_all():
    """Every unit has nine different images of 1,000; on the first n lies their n-thousandth, with the map's own
    values and places there."""
    units, images, side = 300, 250, 5
    window = Field(rows=Window(size=1, step=1, start=0), cols=Window(size=1, step=1, start=0))
    layer = LayerRecord(name="a", path="a", node=1, kind="conv2d", units=units, map=(side, side), field=window)
    rng = np.random.default_rng(0)
    value, place = rng.random((images, units), np.float32), rng.integers(0, side**2, (images, units))
    peaks = _on_images(layer, value, place, np.random.default_rng(1))
    here = peaks.image >= 0
    assert here.sum() == pytest.approx(units * K * images / WHOLE, rel=0.1)
    assert all(len(set(row[row >= 0])) == (row >= 0).sum() for row in peaks.image)
    unit, rank = np.nonzero(here)
    found = peaks.image[unit, rank]
    assert np.array_equal(peaks.value[unit, rank], value[found, unit])
    assert np.array_equal(peaks.row[unit, rank] * side + peaks.col[unit, rank], place[found, unit])
    assert (peaks.value[~here] == -np.inf).all()


def test_a_sampled_build_keeps_the_density_of_peaks():
    """n images and n / 1,000 of the units: the units' peaks per image are those of the whole."""
    whole = sum(units * K for units in (64, 192, 384, 256, 256)) / WHOLE
    sampled = sum(units_of(units, 0.25) * K for units in (64, 192, 384, 256, 256)) / 250
    assert sampled == whole
    assert units_of(3, 0.01) == 1


def test_the_parts_of_a_build_add_up_to_its_time():
    """Waiting is taken out of the scan that holds it, writing is told apart by stage, the rest is "other"."""
    scan = {"scan": 10.0, "wait for images": 4.0, "write": 1.0}
    project = {"wait for images": 0.5, "forward": 2.0, "cones": 3.0, "views": 1.5, "encode": 0.25, "write": 0.75}
    sheets = {"encode": 1.0, "write": 2.0}
    counted = {"scan": scan, "sample": {"sample": 5.0}, "project": project, "sheets": sheets}
    parts = parts_of(counted, elapsed=40.0)
    assert tuple(parts) == PARTS
    assert sum(parts.values()) == pytest.approx(40.0)
    assert (parts["scan"], parts["waiting"], parts["write of the scan"]) == (6.0, 4.0, 1.0)
    assert (parts["encode"], parts["write"]) == (1.25, 2.75)


def test_stages_are_told_apart_by_their_beginnings(monkeypatch):
    """A stage lasts until the next one begins, and has what the build's clock gained meanwhile."""
    ticks = iter([0.0, 3.0, 10.0])
    monkeypatch.setattr("bench.stages.time.perf_counter", lambda: next(ticks))
    stages = Stages()
    stages.build = type("Watched", (), {"clock": type("Clock", (), {"seconds": {"write": 1.0}})})()
    stages.start("scan", 1, 0)
    stages.build.clock.seconds["write"] = 2.5
    stages.start("project", 1, 0)
    stages.build.clock.seconds["views"] = 4.0
    stages.finish()
    assert (stages.elapsed("scan"), stages.elapsed("project")) == (3.0, 7.0)
    assert stages.within("scan") == {"write": 1.5}
    assert stages.within("project") == {"write": 0.0, "views": 4.0}


def test_the_pictures_own_sums_are_taken_in_a_quarter_of_the_shards():
    """As in a scan of 1,000 images, whose first 256 they are; never in none."""
    assert [shards_with_input_sums(n) for n in (1, 4, 8)] == [1, 1, 2]


def line(above: float, below: float, aim: Aim | None = None) -> Line:
    samples = {"loop": [above], "scan": [below]}
    return Line(name="scan", what="loop / scan", samples=samples, above=("loop",), below=("scan",), aim=aim)


def test_an_aim_is_met_by_the_median():
    """Bounds include themselves; a line without an aim is neither met nor missed."""
    assert Aim(shown="", at_least=0.9).met(Ratio((0.5, 0.9, 1.0)))
    assert not Aim(shown="", at_least=0.9).met(Ratio((0.5, 0.89, 1.0)))
    assert not Aim(shown="", at_most=1.05).met(Ratio((1.0, 1.06, 1.2)))
    assert line(1, 1).met is None


def test_the_table_is_markdown():
    """Every row has the five cells of the head: medians, the ratio with its ends, and whether the aim is met. What a
    side adds up is added turn by turn."""
    aim = Aim(shown="at least 0.90", at_least=0.9)
    samples = {"decoding": [1.0, 2.0, 3.0], "loop": [3.0, 2.0, 1.0], "other": [9.0] * 3, "stage": [5.0, 4.0, 8.0]}
    made = Line(name="a", what="sum / stage", samples=samples, above=("decoding", "loop"), below=("stage",), aim=aim)
    rows = markdown([made, line(1e-5, 2)]).splitlines()
    assert {row.count("|") for row in rows} == {6}
    shown = "decoding 2 s, loop 2 s, stage 5 s"
    assert rows[2] == f"| sum / stage | {shown} | 0.80 (0.50..1.00) | at least 0.90 | no |"
    assert "| 5e-06 (5e-06..5e-06) |" in rows[3]


def test_pictures_are_repeatable_and_as_rough_as_photographs():
    """The same seed draws the same picture; its short side is 256 px, and it takes 20 to 80 kB as a JPEG."""
    first, again, other = (picture(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert min(first.shape[:2]) == SHORT_SIDE
    encoded = io.BytesIO()
    Image.fromarray(first).save(encoded, "JPEG", quality=90)
    assert 20_000 < len(encoded.getvalue()) < 80_000


def test_noise_falls_with_frequency():
    """An octave up, the power of a 1 / f noise is a quarter."""
    power = np.abs(np.fft.rfft2(fractal_noise(np.random.default_rng(0), 128, 128))) ** 2
    assert power[0, 8] / power[0, 16] == pytest.approx(4, rel=1e-6)


def test_small_files_differ_and_show_the_same(tmp_path):
    """No two files have the same bytes, yet all decode to one picture."""
    write_small(tmp_path, 3)
    files = sorted(tmp_path.iterdir())
    assert len({path.read_bytes() for path in files}) == 3
    assert len({Image.open(path).convert("RGB").tobytes() for path in files}) == 1


def test_full_sizes_are_what_the_weights_rest_on():
    """At least five repeats; whole shards, so that no batch is padded; and a quick run is smaller in everything."""
    assert FULL.repeats >= 5
    assert FULL.scanned % SHARD == FULL.built % SHARD == FULL.projected % BATCH == 0
    assert FULL.scans == (1_000, 10_000)
    assert FULL.measured == (*LINES,) and QUICK.measured == QUICK_ONES
    assert all(getattr(QUICK, size) < getattr(FULL, size) for size in ("repeats", "scanned", "projected", "pictures"))


def test_options_name_the_lines():
    """`--only` takes the name of every line and no other."""
    assert parser().parse_args([]).only is None
    assert parser().parse_args([word for name in LINES for word in ("--only", name)]).only == [*LINES]
    with pytest.raises(SystemExit):
        parser().parse_args(["--only", "speed"])


def test_a_folder_with_too_few_pictures_is_refused(tmp_path):
    """One sentence and exit 1; nothing is measured."""
    with pytest.raises(SystemExit) as stopped:
        main(["--quick", "--images", str(tmp_path)])
    assert stopped.value.code == f"{tmp_path} holds 0 JPEG files; {QUICK.pictures} are needed"
