"""Concepts are taken out of drawn pictures alone: another atlas, and pictures that are only read, are refused first."""

import sqlite3
from contextlib import closing

import pytest

import layerscope as ls
from layerscope.api.intervening import world_of
from layerscope.core.errors import UsageError
from layerscope.sources.image import pixels_digest
from layerscope.world import World
from tests.helpers.atlases import small_atlas

COUNT = 40  # images of the small atlas


@pytest.fixture
def path(tmp_path):
    return small_atlas(tmp_path / "a.atlas", units=2)


def test_an_atlas_of_other_pictures_is_refused(path, tmp_path):
    """In one sentence, before anything is drawn for it; so are masks that were only read."""
    with pytest.raises(UsageError, match="were not drawn by layerscope"):
        ls.dissect(path, world=True, intervene=True)
    with pytest.raises(UsageError, match="intervene= does not go with pictures that are only read"):
        ls.dissect(path, masks=tmp_path, intervene=True)
    with pytest.raises(UsageError, match="intervene= does not go with the known network"):
        ls.demo(tmp_path / "demo", known=True, intervene=False)


def test_the_world_is_found_by_its_first_and_last_picture(path):
    """Whatever its seed, below a hundred."""
    world = World(COUNT, seed=5, size=32)
    with closing(sqlite3.connect(path)) as atlas, atlas:
        for image in range(COUNT):
            digest = pixels_digest(world[image][0])[0].hex()
            change = "UPDATE image SET sha256 = ?, height = 32, width = 32, skipped = NULL WHERE id = ?"
            atlas.execute(change, (digest, image))
    found = world_of(path)
    assert (found.seed, found.size, len(found)) == (5, 32, COUNT)
