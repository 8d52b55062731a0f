"""What a flow of pieces needs of an engine: processes, each of which makes pieces one after the other."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from layerscope.core.engines import Piece


class Lost(Exception):
    """A process has ended, or what it made is gone."""


@dataclass(frozen=True)
class Receipt:
    """What a hand says of a piece.

    made: False for an error. size: bytes. take: gives these once, or ends with Lost. machine: where that was, if it is
    another than the writer's.
    """

    made: bool
    size: int
    take: Callable[[], bytes]
    machine: str = ""


class Hand(ABC):
    """A process that makes pieces, one after the other.

    met: a future that is done when it has begun. where: it, in words. out: what it was given, as stage and place.
    alone: it takes nothing else at the moment.
    """

    met: "Future[Any]"
    where: str = "a process"
    alone: bool = False

    def __init__(self) -> None:
        self.out: dict[Future[Any], tuple[int, int]] = {}

    @abstractmethod
    def greet(self) -> None:
        """It has begun: may it go on? Ends with Lost where it has not, and with what must be so for all of them."""

    @abstractmethod
    def give(self, work: Any, piece: bytes) -> "Future[Any]":
        """Make a piece, pickled with its luggage, of a packed work. Ends with Lost where the process has."""

    @abstractmethod
    def answer(self, done: "Future[Any]") -> Receipt:
        """What came of what was given. Ends with Lost where the process has."""

    @abstractmethod
    def end(self) -> None:
        """End the process, whatever it does."""


@dataclass(frozen=True)
class Packed:
    """A stage's work as hands take it. luggage: from a piece what goes along with it."""

    work: Any
    luggage: Callable[[Piece[Any]], Any]


class Crew(ABC):
    """The processes of an engine. name: of the engine. count: how many there should be."""

    name: str
    count: int

    @abstractmethod
    def begin(self) -> Hand:
        """Another process."""

    @abstractmethod
    def pack(self, work: Any) -> Packed:
        """A stage's work, packed; called once a stage."""

    @abstractmethod
    def nobody(self) -> str:
        """The sentence about no process having come."""
