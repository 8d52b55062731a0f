"""A Ray cluster of three machines, as Ray itself tries such things: each has its own raylet and object store, and all
run here."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group

import layerscope as ls
from layerscope.testing.atlases import Subject
from tests.helpers.building import pictures_as_files, small_network

ROOT = Path(__file__).resolve().parents[2]
# What a machine may hold of objects: little, since here all share one memory.
STORE = 100 * 2**20
MACHINES = ("first", "second", "third")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Three machines with two CPUs each; this process is connected to the first."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.update(RAY_worker_niceness="0")  # by itself Ray lets its processes wait for all others
    made = Cluster()
    for name in MACHINES:
        made.add_node(num_cpus=2, object_store_memory=STORE, node_name=name, include_dashboard=False)
    ray.init(made.address, log_to_driver=False, logging_level="CRITICAL")
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def machine(cluster: Cluster) -> Iterator[Callable[..., Any]]:
    """Begins another machine of the cluster, which is gone after the test."""
    begun: list[Any] = []

    def begin(**options: Any) -> Any:
        given = {"num_cpus": 2, "object_store_memory": STORE, "include_dashboard": False, **options}
        begun.append(cluster.add_node(**given))
        return begun[-1]

    yield begin
    for node in begun:
        if node in cluster.worker_nodes:
            cluster.remove_node(node, allow_graceful=False)


@pytest.fixture
def full(cluster: Cluster) -> Iterator[Callable[..., None]]:
    """Takes all CPUs that there are but so many, so that processes go to a machine that begins later; until the test
    has ended."""
    groups: list[PlacementGroup] = []

    def take(*, but: int = 0) -> None:
        groups.append(placement_group([{"CPU": 1}] * (2 * len(MACHINES) - but)))
        assert groups[-1].wait(60)

    yield take
    for group in groups:
        remove_placement_group(group)


@pytest.fixture(scope="session")
def net() -> ls.Network:
    return small_network()


@pytest.fixture(scope="session")
def subject(net: ls.Network, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """The small network on several shards of pictures, with copies of the first in later ones."""
    folder = pictures_as_files(tmp_path_factory.mktemp("drawn"), 600)
    files = sorted(folder.rglob("*.png"))
    for place in (3, 200, 599):
        files[place].write_bytes(files[0].read_bytes())
    return Subject(net, str(folder), ("relu1", "relu3"), {"k": 3, "methods": ("deconvnet",), "workers": 1})
