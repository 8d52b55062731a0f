"""Strata and neighbours of a real build: what stands in the atlas is what the network does to the images."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import layerscope as ls
from layerscope.core.strata import PERCENTILES
from tests.helpers.building import LAYERS, K, Log


def build(net: ls.Network, images: object, out: Path, **options) -> None:
    ls.build(net, images, out=out, progress=Log(), **{"layers": LAYERS, "k": K, **options}).close()


def maps_of(net: ls.Network, images: Path, layer: str) -> np.ndarray:
    """The layer's maps over all images, [n, units, rows, cols]; one position for a dense layer."""
    source = ls.images(images)
    maps = net.activations(source.load(range(len(source)), net.input).pixels, layer)
    return maps.reshape(*maps.shape[:2], *(maps.shape[2:] or (1, 1)))


@pytest.mark.parametrize("layer", LAYERS)
def test_strata_are_those_of_the_maps(layer, net, pictures, built) -> None:
    """Every value is the image's maximum, at its place, and has the rank among all images that its row says."""
    maps = maps_of(net, pictures, layer)
    maxima = maps.max((2, 3))
    count, seen = len(maxima), 0
    with ls.open(built.path) as atlas:
        assert atlas.file.sampled(net[layer].node) == count
        for unit in atlas[layer]:
            levels = dict(zip(PERCENTILES, np.percentile(maxima[:, unit.number], PERCENTILES), strict=True))
            assert {one.percentile for one in unit.strata} == {p for p, level in levels.items() if level > 0}
            for one in unit.strata:
                here = maps[one.image, unit.number]
                np.testing.assert_allclose([one.value, here[one.row, one.col]], here.max(), rtol=1e-4)
                at = (100 - one.percentile) * (count - 1) // 100
                rank = max(at - 1, 0) + one.rank
                np.testing.assert_allclose(one.value, np.sort(maxima[:, unit.number])[::-1][rank], rtol=1e-4)
                seen += 1
    assert seen > 0


@pytest.mark.parametrize("layer", LAYERS)
def test_neighbours_are_those_of_the_maps(layer, net, pictures, built) -> None:
    """The correlations are NumPy's, and no unit that is left out correlates more."""
    maxima = maps_of(net, pictures, layer).max((2, 3)).astype(np.float64)
    with ls.open(built.path) as atlas, np.errstate(divide="ignore", invalid="ignore"):
        every = np.nan_to_num(np.corrcoef(maxima, rowvar=False), nan=-1)
        np.fill_diagonal(every, -1)
        for unit in atlas[layer]:
            found = [one.correlation for one in unit.neighbours]
            expected = [c for c in sorted(every[unit.number], reverse=True) if c >= 0.2][:8]
            np.testing.assert_allclose(found, expected, atol=1e-4)
            np.testing.assert_allclose(found, [every[unit.number, one.other] for one in unit.neighbours], atol=1e-4)


def test_every_stratum_can_be_shown(built, net) -> None:
    """It has its boxes, inside input and source picture, and its image a small whole picture."""
    with ls.open(built.path) as atlas:
        sizes = {image.id: (image.height or 0, image.width or 0) for image in atlas.file.images()}
        for layer in atlas:
            side = atlas.file.layer(layer.name).tile
            for one in (one for unit in layer for one in unit.strata):
                height, width = (net.input.height, net.input.width) if layer.map is None else (side, side)
                assert one.tile_box is not None and one.source_box is not None
                assert (one.tile_box.height, one.tile_box.width) == (height, width)
                assert one.tile_box == one.tile_box.clipped(net.input.height, net.input.width)
                assert one.source_box == one.source_box.clipped(*sizes[one.image])
                assert atlas.file.encoded_picture(one.image) is not None


def test_skipped_images_drop_out_and_pictures_may(net, pictures, tmp_path) -> None:
    """An unreadable image is no part of the sample; without pictures strata have their boxes all the same."""
    paths = sorted(pictures.rglob("*.png"))[:20]
    broken = tmp_path / "broken.png"
    broken.write_bytes(paths[0].read_bytes()[:50])
    out = tmp_path / "a.atlas"
    build(net, [*paths[:7], broken, *paths[7:]], out, thumbnails=False)
    with ls.open(out) as atlas:
        strata = [one for layer in atlas for unit in layer for one in unit.strata]
        assert atlas.file.sampled() == 20 and atlas.file.statistic("sample", net["relu2"].node) == {
            "images": 20,
            "seed": 0,
        }
        assert strata and all(one.image != 7 and one.tile_box is not None for one in strata)
        assert all(atlas.file.encoded_picture(image) is None for image in range(21))


def test_one_image_and_a_layer_without_a_rectifier(net, pictures, tmp_path) -> None:
    """A single image stands in every row of a unit above zero; nothing correlates over it."""
    out = tmp_path / "a.atlas"
    build(net, sorted(pictures.rglob("*.png"))[:1], out, layers=["conv2", "classes"])
    with ls.open(out) as atlas:
        for unit in (unit for layer in atlas for unit in layer):
            above = unit.peaks[0].value > 0
            assert [(one.percentile, one.rank, one.image) for one in unit.strata] == [
                (percentile, 0, 0) for percentile in PERCENTILES if above
            ]
            assert unit.neighbours == ()


def test_an_early_atlas_goes_on(net, pictures, tmp_path) -> None:
    """Made before there were strata, it takes another method and another layer; only the new layer has strata."""
    few, out = ls.images(pictures, limit=20), tmp_path / "a.atlas"
    build(net, few, out, layers=["relu1"], methods=("deconvnet",))
    with closing(sqlite3.connect(out)) as connection:
        connection.executescript(
            "DROP TABLE stratum; DROP TABLE neighbour; DELETE FROM statistic WHERE name = 'sample'; "
            "UPDATE run SET finished = NULL"
        )
    early = Path(shutil.copy(out, tmp_path / "b.atlas"))
    build(net, few, early, layers=["relu1"], methods=("deconvnet",))
    build(net, few, early, layers=["relu1"])
    with ls.open(early) as atlas:
        assert atlas.finished and atlas["relu1"][0].strata == () and atlas.file.sampled() is None
        assert atlas["relu1"][0].projection(0, "guided").any()
    build(net, few, early, layers=["relu1", "relu2"])
    with ls.open(early) as atlas:
        assert not any(unit.strata for unit in atlas["relu1"]) and any(unit.strata for unit in atlas["relu2"])
        assert atlas.file.sampled() == 20
