"""What tests of the live pages share: a small atlas on a shelf, and a network that only says what it was given."""

import pytest

from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import small_atlas
from tests.helpers.live import FakeEngine


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    made = Shelf([small_atlas(tmp_path_factory.mktemp("shelf") / "small.atlas", units=6, images=20)])
    yield made
    made.close()


@pytest.fixture
def engine():
    return FakeEngine()
