"""What the tests of training share: drawn pictures, and one run over them that nothing interrupted."""

from pathlib import Path

import pytest

from tests.helpers.training import drawn, small_run


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures, a folder in it for each of three classes."""
    return drawn(tmp_path_factory.mktemp("training") / "noise")


@pytest.fixture(scope="session")
def finished(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    out = tmp_path_factory.mktemp("training") / "whole"
    small_run(pictures, out)
    return out
