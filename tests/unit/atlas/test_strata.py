"""Strata and neighbours in the file, and atlases that were made before there were any."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import Neighbour
from layerscope.atlas.write import AtlasWriter
from layerscope.core.geometry import Box
from layerscope.core.strata import PERCENTILES, Neighbours, Strata

UNITS = 6
HERE, THERE = Box(top=1, left=2, bottom=9, right=10), Box(top=2, left=24, bottom=18, right=40)


@pytest.fixture
def atlas(finished, tmp_path) -> Path:
    """The small atlas, to be changed."""
    return Path(shutil.copy(finished, tmp_path / "copy.atlas"))


def strata() -> Strata:
    """Unit 0 has full rows, unit 1 only its first place at the 95th percentile, the others none."""
    found = Strata.empty(UNITS)
    found.image[0] = np.arange(16).reshape(4, 4)
    found.value[0] = 20 - found.image[0]
    found.row[0], found.col[0] = found.image[0] % 5, found.image[0] // 5
    found.image[1, 1, 0], found.value[1, 1, 0] = 3, 0.5
    return found


def without_later_tables(path: Path) -> None:
    """The atlas as an earlier layerscope wrote it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE stratum; DROP TABLE neighbour")


def test_strata_come_back(atlas) -> None:
    """In order of percentile and rank; empty places make no row; put again, they replace what stood there."""
    with AtlasWriter.resume(atlas) as writer:
        writer.put_strata(0, strata())
        writer.put_strata(0, strata())
    with AtlasFile(atlas) as file:
        found = file.strata(0, 0)
        assert [(one.percentile, one.rank) for one in found] == [(p, r) for p in PERCENTILES for r in range(4)]
        assert [one.image for one in found] == list(range(16))
        assert [(one.value, one.row, one.col) for one in found] == [(20 - i, i % 5, i // 5) for i in range(16)]
        assert [(one.percentile, one.rank, one.image, one.value) for one in file.strata(0, 1)] == [(95, 0, 3, 0.5)]
        assert file.strata(0, 2) == file.strata(1, 0) == ()
        assert all(one.tile_box is None and one.source_box is None for one in found)


def test_boxes_are_given_image_by_image(atlas) -> None:
    """What is to be placed gets fewer with each image, and layers whose tiles are not known wait."""
    with AtlasWriter.resume(atlas) as writer:
        writer.put_strata(0, strata())
        assert writer.images_to_place() == list(range(16))
        ((key, image, row, col),) = writer.strata_to_place([7])
        assert (key, image, row, col) == ((0, 0, 95, 3), 7, 2, 1)
        assert len(writer.strata_to_place([3, 7])) == 3
        writer.place_strata([(key, HERE, THERE)])
        assert 7 not in writer.images_to_place() and writer.strata_to_place([7]) == []
        writer.set_layer_plate(0, tile=None, method=None, why=None)
        assert writer.images_to_place() == []
    with AtlasFile(atlas) as file:
        placed = [one for one in file.strata(0, 0) if one.tile_box is not None]
        assert [(one.image, one.tile_box, one.source_box) for one in placed] == [(7, HERE, THERE)]


def test_images_without_a_picture_are_known(atlas) -> None:
    """Those that have one are left out, in order."""
    with AtlasFile(atlas) as file:
        expected = [image for image in range(24) if file.encoded_picture(image) is None]
    with AtlasWriter.resume(atlas) as writer:
        assert writer.without_picture(range(23, -1, -1)) == expected
        writer.put_picture(expected[0], "jpeg", b"", 1, 1)
        assert writer.without_picture(range(24)) == expected[1:]


def test_neighbours_come_back(atlas) -> None:
    """In order of unit and rank, as records; of other layers none."""
    found = Neighbours.empty(UNITS, 2)
    found.other[1], found.correlation[1] = [4, 0], [0.97, 0.25]
    found.other[4, 0], found.correlation[4, 0] = 1, 0.97
    with AtlasWriter.resume(atlas) as writer:
        writer.put_neighbours(0, found)
    with AtlasFile(atlas) as file:
        assert file.neighbours(0) == (
            Neighbour(unit=1, rank=0, other=4, correlation=0.97),
            Neighbour(unit=1, rank=1, other=0, correlation=0.25),
            Neighbour(unit=4, rank=0, other=1, correlation=0.97),
        )
        assert file.neighbours(1) == ()


def test_the_sample_is_told(atlas) -> None:
    """By layer, and the fewest of all; None before there was one."""
    with AtlasFile(atlas) as file:
        assert file.sampled() is None and file.sampled(0) is None
    with AtlasWriter.resume(atlas) as writer:
        for layer, images in enumerate((512, 300)):
            writer.put_statistic("sample", {"images": images, "seed": 0}, layer=layer)
    with AtlasFile(atlas) as file:
        assert [file.sampled(), file.sampled(0), file.sampled(1), file.sampled(2)] == [300, 512, 300, None]


def test_early_atlases_have_none(atlas) -> None:
    """Without the tables an atlas opens and answers with nothing; a writer adds them, and then they can be filled."""
    without_later_tables(atlas)
    with AtlasFile(atlas) as file:
        assert (file.strata(0, 0), file.neighbours(0), file.sampled()) == ((), (), None)
        assert len(file.peaks(0, 0)) == 9
    with AtlasWriter.resume(atlas) as writer:
        writer.add_later_tables()
        writer.add_later_tables()
        writer.put_strata(0, strata())
    with AtlasFile(atlas) as file:
        assert len(file.strata(0, 0)) == 16 and file.strata(1, 0) == ()


def test_all_strata_come_back_at_once(atlas) -> None:
    """Images and values as they were put, empty places too; of an early atlas none."""
    with AtlasWriter.resume(atlas) as writer:
        writer.put_strata(0, strata())
    with AtlasFile(atlas) as file:
        found = file.all_strata(0)
        assert (found.image == strata().image).all() and (found.value == strata().value).all()
        assert (file.all_strata(1).image == -1).all()
    without_later_tables(atlas)
    with AtlasFile(atlas) as file:
        assert (file.all_strata(0).image == -1).all()
