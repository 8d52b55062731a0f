"""A small finished atlas that the tests of this room read, and may copy to damage."""

from pathlib import Path

import pytest

from tests.helpers.atlases import small_atlas


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    return small_atlas(tmp_path_factory.mktemp("atlas") / "small.atlas", units=6, images=24)
