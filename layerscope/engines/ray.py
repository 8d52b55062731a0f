"""The engine `ray`: every piece by an actor of a Ray cluster.

What actors need lies in the cluster's object store, put there once and fetched once by every machine; what they made
stays with them until its turn comes. Ray places and finds; what is done about a loss is decided in `flow.py`, since
only there it is known which piece it was.
"""

import contextlib
import os
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import ray
from ray import cloudpickle
from ray.exceptions import RayError

from layerscope.core.errors import UsageError
from layerscope.core.parcels import Packing
from layerscope.engines import maker
from layerscope.engines.cluster import Cluster, connected
from layerscope.engines.crew import Crew, Hand, Lost, Packed, Receipt
from layerscope.engines.flow import Flow
from layerscope.engines.processes import cores


@contextmanager
def started(
    workers: int,
    processes: int | None = None,
    address: str | None = None,
    device: str = "cpu",
    say: Callable[[str], None] = lambda sentence: None,
) -> Generator[Flow, None, None]:
    """The engine while it is open. processes: how many actors; None for all that the cluster has room for. address: of
    the cluster, as `layerscope build --address` takes it. say: tells of a long wait."""
    import torch  # not by the processes that load this module

    threads, gpu = torch.get_num_threads(), device.startswith("cuda")
    with connected(address, max(cores(), (processes or 1) * threads)) as cluster, _travels_by_value():
        room = cluster.room(threads, gpu=gpu)
        if not room:
            raise UsageError(
                f"no machine of the Ray cluster has {'a GPU and ' if gpu else ''}{threads} CPUs, which one process "
                f"computes with: {cluster.told()}"
            )
        flow = Flow(Actors(cluster, processes or room, threads, gpu=gpu), say)
        flow.gather()
        try:
            yield flow
        finally:
            flow.end()


@contextmanager
def _travels_by_value() -> Generator[None, None, None]:
    """A machine without layerscope can say so."""
    cloudpickle.register_pickle_by_value(maker)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(maker)


class Actors(Crew):
    """The actors of a build, each with CPUs for its threads, and a GPU of its own where networks run on one."""

    name = "ray"

    def __init__(self, cluster: Cluster, count: int, threads: int, *, gpu: bool) -> None:
        self.count, self._cluster, self._threads = count, cluster, threads
        self._stored: dict[str, Any] = {}
        self._packing = Packing(self.name, self._store)
        self._stage, self._rest = 0, None
        self._kind: Any = ray.remote(maker.PieceMaker).options(
            num_cpus=threads, num_gpus=int(gpu), max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD"
        )

    def begin(self) -> Hand:
        """Another actor, wherever there is room."""
        return _Actor(self._kind.remote(maker.from_ray, self._threads, folder=os.getcwd()), self._cluster)

    def pack(self, work: Any) -> Packed:
        """A work as references to its parts."""
        parcel = self._packing.parcel(work, elsewhere=True)
        self._stage += 1
        # The former stage's goes with the last reference to it. In a list: Ray looks up what stands by itself.
        self._rest = [ray.put(parcel.rest)]
        return Packed((self._stage, self._rest, {key: [self._stored[key]] for key in parcel.alone}), parcel.luggage)

    def nobody(self) -> str:
        return (
            "no process of the Ray cluster came to work: its CPUs may all be taken, or memory may be short; "
            f"{self._cluster.told()}"
        )

    def _store(self, key: str, data: bytes) -> None:
        self._stored[key] = ray.put(data)


class _Actor(Hand):
    """One actor."""

    def __init__(self, actor: Any, cluster: Cluster) -> None:
        super().__init__()
        self._actor, self._cluster = actor, cluster
        self._machine = ""
        self._data: dict[Future[Any], Any] = {}
        self.met = actor.meet.remote().future()

    def greet(self) -> None:
        found = _done(self.met)
        node = found.pop("node")
        self.where = self._cluster.name_of(node)
        self._machine = "" if node == self._cluster.here else self.where
        require_same(found, self.where)

    def give(self, work: Any, piece: bytes) -> "Future[Any]":
        said, data = self._actor.make.options(num_returns=2).remote(*work, piece)
        future = said.future()
        self._data[future] = data
        return future

    def answer(self, done: "Future[Any]") -> Receipt:
        held = [self._data.pop(done, None)]
        made, size = _done(done)
        # It is on its way while earlier pieces are written.
        ray.wait(held, timeout=0)
        return Receipt(made, size, lambda: _taken(held), self._machine)

    def end(self) -> None:
        self._data.clear()
        with contextlib.suppress(RayError, RuntimeError, ConnectionError):
            ray.kill(self._actor)


def require_same(found: dict[str, str], where: str) -> None:
    """Raises UsageError where what the numbers depend on is another there. found: versions, as `maker` tells them."""
    other = [
        f"{name} {found[name]} (here {own})" if found[name] != "none" else f"no {name} (here {own})"
        for name, own in maker.versions().items()
        if found[name] != own
    ]
    if other:
        raise UsageError(
            f"the machine {where} of the Ray cluster has {', '.join(other)}: install the same versions on every machine"
        )


def _done(future: "Future[Any]") -> Any:
    try:
        return future.result()
    except RayError as failure:
        raise Lost(_why(failure)) from None


def _taken(held: list[Any]) -> bytes:
    """What an actor made, which the cluster then keeps no longer."""
    try:
        return ray.get(held.pop())
    except RayError as failure:
        raise Lost(_why(failure)) from None


def _why(failure: Exception) -> str:
    """The end of what Ray tells, which is the cause."""
    return (str(failure).strip().splitlines() or [type(failure).__name__])[-1]
