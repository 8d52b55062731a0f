"""One synthetic atlas for all tests of figures: they only read it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from layerscope.atlas.read import AtlasFile
from tests.helpers.atlases import small_atlas


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtlasFile]:
    with AtlasFile(small_atlas(tmp_path_factory.mktemp("figures") / "small.atlas")) as opened:
        yield opened


@pytest.fixture
def copy(file: AtlasFile, tmp_path: Path) -> Path:
    """The same atlas, to be changed."""
    return Path(shutil.copy(file.path, tmp_path / "copy.atlas"))
