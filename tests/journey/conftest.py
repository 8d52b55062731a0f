"""One set of drawn pictures, one small network and its atlas, shared by all journeys."""

from dataclasses import dataclass
from pathlib import Path

import pytest

import layerscope as ls
from layerscope.atlas.compare import content_digest
from tests.helpers.building import LAYERS, K, Log, pictures_as_files, small_network

COUNT = 150


@dataclass(frozen=True)
class Built:
    """A finished atlas: where it is, what its build told, and the digest of each of its tables."""

    path: Path
    log: Log
    digest: dict[str, str]


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of drawn pictures, a folder for each class in it: two shards. Not to be changed."""
    return pictures_as_files(tmp_path_factory.mktemp("pictures") / "drawn", COUNT)


@pytest.fixture(scope="session")
def net() -> ls.Network:
    """A small network with random weights."""
    return small_network()


@pytest.fixture(scope="session")
def built(net: ls.Network, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The atlas that an undisturbed build makes. Not to be changed."""
    path, log = tmp_path_factory.mktemp("built") / "small.atlas", Log()
    ls.build(net, pictures, out=path, layers=LAYERS, k=K, progress=log).close()
    return Built(path, log, content_digest(path))
