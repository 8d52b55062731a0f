"""Facts of runs, layers and units: counted again by hand, on small arrays and a small atlas."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import Neighbour, Peak
from layerscope.core.concepts import ConceptScore, UnitConcept
from layerscope.core.errors import WrongModel
from layerscope.core.geometry import Box, Field, Window
from layerscope.core.records import LayerRecord, Peaks
from layerscope.facts.boxes import on_picture
from layerscope.facts.layer import dead_count, guesses, live, live_units, names, sample, twins
from layerscope.facts.network import NetworkIdentity, differing, require_same
from layerscope.facts.run import first_view, images_of_layer, images_of_run, is_lossy, same_images
from layerscope.facts.unit import class_mean, concept_of, scanned_unit, top_classes, unit_numbers
from tests.helpers.books import full_atlas


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory):
    """Twelve images, of which one was skipped and one is a copy; four units a layer, the last of them dead."""
    path = full_atlas(tmp_path_factory.mktemp("atlas") / "full.atlas", units=4, images=12)
    with AtlasFile(path) as opened:
        yield opened


def test_images_scanned(file: AtlasFile) -> None:
    """Ten of the twelve: by the run, and by each layer."""
    assert images_of_run(file) == 10
    assert [images_of_layer(file, layer) for layer in file.layers] == [10, 10, 10]


def test_live_units(file: AtlasFile) -> None:
    """All but the last have a peak."""
    peaks = Peaks(
        value=np.array([[2, 1], [-np.inf, -np.inf], [3, -np.inf]], np.float32),
        image=np.array([[4, 0], [-1, -1], [0, -1]]),
        row=np.zeros((3, 2), np.int32), col=np.zeros((3, 2), np.int32),
    )  # fmt: skip
    assert live(peaks).tolist() == [True, False, True]
    assert live_units(peaks).tolist() == [0, 2]
    assert [dead_count(file, layer) for layer in file.layers] == [1, 1, 1]


def test_names() -> None:
    """By unit, of those that a concept names."""
    best = ConceptScore(concept="ring", level=2, score=0.3, iou=0.3, frequency=0.1)
    found = (UnitConcept(unit=0), UnitConcept(unit=5, ranked=(best,), best=best), UnitConcept(unit=6, ranked=(best,)))
    assert guesses(found) == {5: best} and names(found) == {5: "ring"}
    assert concept_of(found, 6) is found[2] and concept_of(found, 7) is None


def test_twins() -> None:
    """The most correlated from 0.95 on."""
    near = [(0, 0, 3, 0.97), (0, 1, 2, 0.96), (1, 0, 0, 0.949), (2, 0, 0, 0.95)]
    found = twins([Neighbour(unit=u, rank=r, other=o, correlation=c) for u, r, o, c in near])
    assert {unit: one.other for unit, one in found.items()} == {0: 3, 2: 0}


def test_a_sample_has_tiles(file: AtlasFile) -> None:
    """Only units whose patches were kept, ascending, the same for a seed."""
    layer = file.layers[0]
    assert sample(file, layer, np.arange(4), 9, seed=0) == (0, 1, 2)
    assert sample(file, layer, np.arange(4), 2, seed=5) == sample(file, layer, np.arange(4), 2, seed=5)
    assert sample(file, layer, np.arange(0), 2, seed=5) == ()


def test_numbers_of_a_unit(file: AtlasFile) -> None:
    """As the statistics hold them; none for a unit that was not scanned."""
    statistics = file.unit_statistics(0)
    found, whole = unit_numbers(statistics, 2), scanned_unit(statistics, ["a", "b", "c", "d"], 2)
    assert found is not None and whole is not None
    assert (found.mean, found.maximum) == (float(statistics.mean[2]), float(statistics.maximum[2]))
    assert whole.class_means == dict(zip("abcd", statistics.class_means[2].tolist(), strict=True))
    assert whole.histogram.sum() == 10
    assert unit_numbers(statistics, 4) is None and scanned_unit(statistics, [], 4) is None


def test_classes_of_a_unit(file: AtlasFile) -> None:
    """In the order of their means, with their shares; the mean of all is weighed by the classes' images."""
    layer, counts = file.layers[0], np.array(file.statistic("class_counts"))
    means = file.unit_statistics(0).class_means[1]
    found = top_classes(file, layer, 1, ["ring", None, "ring"])
    assert [one.name for one in found] == [file.statistic("classes")[i] for i in np.argsort(-means)]
    assert sum(one.share for one in found) == pytest.approx(1)
    assert {one.name: one.peaks for one in found}["ring"] == 2
    assert class_mean(file, layer, 1) == pytest.approx((means * counts).sum() / counts.sum())


def test_boxes_on_a_picture() -> None:
    """By hand: a tile of 8 px of input, at 16..32 of the source, so 2 px a px; the field reaches 4 px farther."""
    peak = Peak(
        rank=0, value=1.0, image=0, row=0, col=0, box=Box(top=4, left=-4, bottom=20, right=12),
        tile_box=Box(top=8, left=0, bottom=16, right=8), source_box=Box(top=16, left=10, bottom=32, right=26),
    )  # fmt: skip
    assert on_picture(peak) == (Box(top=8, left=2, bottom=40, right=34), Box(top=16, left=10, bottom=32, right=26))
    assert on_picture(peak, (0.5, 0.5)) == (
        Box(top=4, left=1, bottom=20, right=17),
        Box(top=8, left=5, bottom=16, right=13),
    )
    assert on_picture(replace(peak, tile_box=None)) is None


def test_runs(file: AtlasFile) -> None:
    """Views in their order, codecs by their row, images by their hash."""
    run = file.run
    assert first_view(run) == "natural" and first_view(replace(run, views=())) == ""
    lossy = {
        codec: is_lossy(replace(run, settings={"codec": codec})) for codec in ("jpeg", "webp", "webp-lossless", "png")
    }
    assert lossy == {"jpeg": True, "webp": True, "webp-lossless": False, "png": False}
    assert is_lossy(replace(run, settings={}))
    assert same_images(run, run) and not same_images(run, replace(run, fingerprint={}))
    assert not same_images(replace(run, fingerprint={}), replace(run, fingerprint={}))


def test_is_this_the_network(file: AtlasFile) -> None:
    """What differs is named, in one sentence; where all the same, a layer that it lacks is."""
    run = file.run
    nodes = (("input", (3, 64, 64)), ("conv", (4, 8, 8)))
    same = NetworkIdentity(
        name="mine", input=None, graph=run.fingerprint["graph"], weights=run.fingerprint["weights"], nodes=nodes,
        torch="9.9",
    )  # fmt: skip
    axis = Window(size=3, step=1, start=0)
    layer = LayerRecord(
        name="c", path="conv", node=1, kind="relu", units=4, map=(8, 8), field=Field(rows=axis, cols=axis)
    )
    assert differing(run, same) == ()
    require_same("a.atlas", run, [layer], same)
    assert differing(run, replace(same, input=replace(run.input, height=32))) == ("input",)
    assert differing(run, replace(same, nodes=(("input", (1, 64, 64)),))) == ("input",)
    with pytest.raises(WrongModel, match="mine differs from torchvision:smallnet in its graph and weights; name the"):
        require_same("a.atlas", run, [layer], replace(same, graph="0", weights="0"))
    with pytest.raises(WrongModel, match=r"in its graph \(the atlas was made with torch 2.6.0, this is 9.9\)"):
        require_same("a.atlas", run, [layer], replace(same, graph="0"))
    with pytest.raises(WrongModel, match='in its layer "c"'):
        require_same("a.atlas", run, [replace(layer, units=5)], same)
    with pytest.raises(WrongModel, match='in its layer "c"'):
        require_same(Path("a.atlas"), run, [replace(layer, node=2)], same)
