"""The connection to a Ray cluster: found or begun, silent, and ended only as far as it was begun here."""

import contextlib
import logging
import os
import warnings
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import ray
from ray.exceptions import RayError

from layerscope.core.errors import UsageError
from layerscope.engines.asking import START, require_cluster


class Cluster:
    """The cluster that this process is connected to."""

    @cached_property
    def here(self) -> str:
        """The machine, by Ray's number of it, on which the writer is; of a `ray://` address the one that it reached."""
        return ray.get_runtime_context().get_node_id()

    def room(self, threads: int, *, gpu: bool) -> int:
        """How many processes of so many threads, or with a GPU each, all machines have room for."""
        counts = [
            min(int(has.get("CPU", 0)) // threads, int(has.get("GPU", 0)) if gpu else 1 << 30)
            for has in (node["Resources"] for node in self._nodes())
        ]
        return sum(counts)

    def told(self) -> str:
        """What it has, in words."""
        has = Counter[str]()
        nodes = self._nodes()
        for node in nodes:
            has.update({name: int(node["Resources"].get(name, 0)) for name in ("CPU", "GPU")})
        return f"the cluster has {len(nodes)} machines with {has['CPU']} CPUs and {has['GPU']} GPUs in all"

    def name_of(self, number: str) -> str:
        """A machine in words, by Ray's number of it."""
        for node in ray.nodes():
            if node["NodeID"] == number:
                name = node["NodeName"]
                return name if name != node["NodeManagerAddress"] else f"{node['NodeManagerHostname']} ({name})"
        return number[:12]

    def _nodes(self) -> list[dict[str, Any]]:
        return [node for node in ray.nodes() if node["Alive"]]


@contextmanager
def connected(address: str | None, cpus: int) -> Generator[Cluster, None, None]:
    """A cluster, until it is left. cpus: that one which is begun here offers.

    A connection that this process has already is used, and stays. Raises UsageError where there is no such cluster.
    """
    if ray.is_initialized():
        if address not in (None, "auto"):
            raise UsageError(
                f"this process is connected to a Ray cluster already, so that address={address} cannot be used: leave "
                "the address out, or call ray.shutdown() before"
            )
        yield Cluster()
        return
    with _silent():
        try:
            _connect(address or "auto", cpus)
            yield Cluster()
        finally:
            ray.shutdown()


def _connect(address: str, cpus: int) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
    if address == "local":
        # Of what we begin nobody is told; a cluster of somebody else has its own rules.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # By itself Ray lets its processes wait for all others of the machine (niceness 15).
        os.environ.setdefault("RAY_worker_niceness", "0")
        options |= {"num_cpus": cpus, "include_dashboard": False}
    else:
        named = os.environ.get("RAY_ADDRESS", "") if address == "auto" else address
        if ":" in named:
            require_cluster(named)
    try:
        ray.init(address, **options)
    except ConnectionError as failure:
        raise UsageError(f"no Ray cluster was found (address {address}): {START}") from failure
    except RuntimeError as failure:
        if "mismatch" not in str(failure).lower():
            raise UsageError(f"the Ray cluster at {address} cannot be used: {_first_line(failure)}") from failure
        raise UsageError(
            f"the Ray cluster at {address} runs another Ray or Python than this process: install the same versions on "
            f"every machine ({_in_one_line(failure)})"
        ) from failure
    except (ValueError, RayError) as failure:
        raise UsageError(f"the Ray cluster at {address} cannot be used: {_first_line(failure)}") from failure


def _first_line(failure: Exception) -> str:
    return (str(failure).strip().splitlines() or [type(failure).__name__])[0]


def _in_one_line(failure: Exception) -> str:
    return "; ".join(line.strip() for line in str(failure).splitlines() if line.strip())


@contextmanager
def _silent() -> Iterator[None]:
    """Ray says nothing. Of a process that died it would tell on stdout whatever logs it was asked to forward; there is
    no public word against that, and a Ray that knows this one no longer only says more."""
    worker: Any = None
    with contextlib.suppress(ImportError):
        from ray._private import worker
    said = getattr(worker, "_worker_logs_enabled", None)
    # Not by `logging_level=`: that is for Ray's own handlers, which would be put into the user's program.
    log = logging.getLogger("ray")
    level = log.level
    log.setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        if said is not None:
            worker._worker_logs_enabled = False
        try:
            yield
        finally:
            log.setLevel(level)
            if said is not None:
                worker._worker_logs_enabled = said
