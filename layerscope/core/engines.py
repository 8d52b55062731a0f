"""The engines, in words and functions: who makes the pieces of a build, and in which process or on which machine.

A stage's work is a function over pieces: it gives for each piece, in their order, what it made, which depends on that
piece alone. An engine calls it on whatever pieces it likes, wherever it likes, and hands the results back in order; the
one writer commits them (`core/pieces.py`). Work, pieces and what is made of them pickle, so that they can travel.
"""

import pickle
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from layerscope.core.errors import UsageError
from layerscope.core.registry import Registry, Row, later

HeldT = TypeVar("HeldT")
PartT = TypeVar("PartT")


@dataclass(frozen=True)
class Piece(Generic[HeldT]):
    """One piece of a stage. number: its place and its mark. size: by how much progress goes on. held: what the work
    needs to know of it."""

    number: int
    size: int
    held: HeldT


class Made(Generic[PartT]):
    """What was made of one piece: parts, which are taken once and in order, before those of the next piece.

    While parts are taken they may still be computed, so that a piece never needs to lie in memory as a whole; what was
    pickled, or made by `one`, is whole.
    """

    def __init__(self, number: int, parts: Iterable[PartT]) -> None:
        self.number = number
        self._parts, self._state = parts, "whole" if isinstance(parts, tuple) else "new"

    def __iter__(self) -> Iterator[PartT]:
        if self._state == "whole":
            yield from self._parts
            return
        if self._state != "new":
            raise RuntimeError(f"the parts of piece {self.number} are taken once, and before those of the next piece")
        self._state = "begun"
        yield from self._parts
        self._state = "taken"

    def __reduce__(self) -> tuple[Any, ...]:
        return Made, (self.number, tuple(self))

    def whole(self) -> "Made[PartT]":
        """The same, with every part made now."""
        return Made(self.number, tuple(self))

    def end(self) -> None:
        """The next piece's turn comes. Raises RuntimeError where parts were left."""
        if self._state in ("new", "begun"):
            raise RuntimeError(f"the next piece was asked for before all parts of piece {self.number} were taken")


@runtime_checkable
class Work(Protocol[HeldT, PartT]):
    """What a stage does with pieces. One thread at a time may use it; a copy (`copy.copy`, or a pickled one) stands
    alone."""

    def __call__(self, pieces: Sequence[Piece[HeldT]], /) -> Iterator[Made[PartT]]:
        """What is made of each piece, in their order; it depends on the piece alone."""
        ...


def in_turn(pieces: Iterable[Piece[HeldT]], parts: Callable[[Piece[HeldT]], Iterable[PartT]]) -> Iterator[Made[PartT]]:
    """What is made of each piece; all parts of one are taken before the next one's turn comes."""
    for piece in pieces:
        made = Made(piece.number, parts(piece))
        yield made
        made.end()


def one(work: Work[HeldT, PartT], piece: Piece[HeldT]) -> Made[PartT]:
    """What is made of one piece, whole, here and now."""
    made = work((piece,))
    try:
        return next(made).whole()
    finally:
        made.close()  # type: ignore[attr-defined]


def packed(work: Work[HeldT, PartT], engine: str) -> bytes:
    """Work as another process takes it (`pickle.loads`). Raises UsageError where the network or the images cannot
    travel."""
    with travelling(engine):
        return pickle.dumps(work)


@contextmanager
def travelling(engine: str) -> Generator[None, None, None]:
    """Raises UsageError where what is pickled inside does not allow it."""
    try:
        yield
    except Exception as failure:  # of whatever a user's Dataset holds
        raise UsageError(
            f'the engine "{engine}" hands network and images to other processes, which these do not allow '
            f"({type(failure).__name__}: {failure}); use the engine local"
        ) from failure


# Over work and pieces: what was made of each piece, in their order.
Map = Callable[[Work[Any, Any], Sequence[Piece[Any]]], Iterator[Made[Any]]]


@dataclass(frozen=True, kw_only=True)
class Engine(Row):
    """A way to make the pieces of a build.

    open: (how many threads or processes a user allows) a context manager; while it is open, the Map that it gives makes
    pieces, and behind it nothing is left that it started. An iterator that a Map gave may be closed before its end.
    exact: its numbers are those of `local` bit for bit, so that either may go on with what the other began. runner:
    from a Carrier (`graph/runner.py`) the Runner that passes images forward in its place; None for the Carrier itself.
    proposer: from a Carrier a Runner that is faster and rounds more. In a scan it says which images may hold peaks, and
    the Carrier decides (`scan/proposed.py`): peaks are those of `local` bit for bit, statistics are the proposer's.
    unfit: from a Carrier why the engine cannot run it here, as a clause; "" where it can. takes: the settings that are
    handed to `open` too, by name; `say` is a function that tells users a sentence. own_threads: its processes share the
    cores, so each computes with one thread unless OMP_NUM_THREADS or the atlas says another number. elsewhere: its
    machines may see other files than this one.
    """

    open: Callable[..., AbstractContextManager[Map]]
    exact: bool = True
    takes: tuple[str, ...] = ()
    own_threads: bool = False
    elsewhere: bool = False
    runner: Callable[[Any], Any] | None = None
    proposer: Callable[[Any], Any] | None = None
    unfit: Callable[[Any], str] | None = None


@dataclass(frozen=True)
class Opened:
    """An engine at work. elsewhere: as its row says."""

    name: str
    map: Map
    elsewhere: bool = False


@contextmanager
def opened(engine: Engine, workers: int, **settings: Any) -> Generator[Opened, None, None]:
    """An engine while it is open. settings: by name; those that it does not take are left out."""
    taken = {name: value for name, value in settings.items() if name in engine.takes}
    with engine.open(workers, **taken) as made_by:
        yield Opened(engine.name, made_by, engine.elsewhere)


def _here(work: Work[HeldT, PartT], pieces: Sequence[Piece[HeldT]]) -> Iterator[Made[PartT]]:
    return work(pieces)


def _local(workers: int) -> AbstractContextManager[Map]:
    return nullcontext(_here)


DEFAULT_ENGINE = "local"
# What makes pieces where only the number of processes is said.
OF_PROCESSES = "processes"

ENGINES = Registry(
    "engine",
    "layerscope.engines",
    Engine,
    (
        Engine(
            name=DEFAULT_ENGINE,
            sentence="one piece after the other in this process, with images decoded ahead by threads",
            open=_local,
        ),
        Engine(
            name="bfloat16",
            sentence="as local, but a scan proposes peaks in bfloat16 and decides them in float32",
            open=_local,
            exact=False,
            proposer=later("layerscope.graph.lowered:in_bfloat16"),
            unfit=later("layerscope.graph.lowered:why_not"),
        ),
        Engine(
            name=OF_PROCESSES,
            sentence="every piece in one of several processes of this machine",
            open=later("layerscope.engines.processes:started"),
            takes=("processes", "device", "say"),
            own_threads=True,
        ),
        Engine(
            name="ray",
            sentence="every piece in one of the processes of a Ray cluster",
            needs=("ray", "grpc"),
            install="layerscope[ray]",
            open=later("layerscope.engines.ray:started"),
            takes=("processes", "address", "device", "say"),
            own_threads=True,
            elsewhere=True,
        ),
    ),
)

# The engine local, open: there is nothing to close.
LOCAL = Opened(DEFAULT_ENGINE, _here)
