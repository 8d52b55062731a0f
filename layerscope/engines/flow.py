"""Pieces to processes and back in order: never more on the way than the limits say, and what a process that died held
is made again by another.

It knows neither Ray nor `concurrent.futures`: a `Crew` begins processes, and a `Hand` is one of them (`crew.py`).
"""

import heapq
import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any

from layerscope.core.engines import Made, Piece
from layerscope.core.errors import LayerscopeError, UsageError
from layerscope.core.failures import sentence
from layerscope.engines.crew import Crew, Hand, Lost, Packed, Receipt

# A hand has one piece in work, and one that waits for it.
DEPTH = 2
# So many pieces a hand may be on the way or wait for their turn.
AHEAD = 4
# What waits for its turn, and what is expected to come, is at most so large; the next one in turn comes always.
MOST_BYTES = 2**30
# So often a piece may end with its process.
TRIES = 3
# For the first process one waits so long without a word, and so long behind it; then so long for the others.
QUIET_SECONDS, FIRST_SECONDS, OTHERS_SECONDS = 10.0, 300.0, 30.0


class Flow:
    """Makes pieces by the hands of a crew; a Map of `core/engines.py`. Between stages the hands stay.

    say: tells users a sentence, of a long wait.
    """

    def __init__(self, crew: Crew, say: Callable[[str], None] = lambda sentence: None) -> None:
        self._crew, self._say = crew, say
        self._hands: list[Hand] = []
        self._coming: set[Hand] = set()
        self._events: SimpleQueue[tuple[Hand, Future[Any]]] = SimpleQueue()
        self._stage = 0
        self._stillborn = 0

    def gather(self) -> None:
        """Begin all processes, and wait for the first, and a little for the others: what cannot be is said here."""
        try:
            while len(self._hands) + len(self._coming) < self._crew.count:
                self._begin()
            while self._coming:
                if not (self._next(OTHERS_SECONDS) if self._hands else self._first()):
                    self._require_hands()
                    return
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """End all processes."""
        for hand in (*self._hands, *self._coming):
            hand.end()
        self._hands, self._coming = [], set()

    def __call__(self, work: Any, pieces: Sequence[Piece[Any]]) -> Iterator[Made[Any]]:
        if pieces:
            self._stage += 1
            yield from _Passage(self, self._crew.pack(work), pieces, self._stage).made()

    def _begin(self) -> None:
        hand = self._crew.begin()
        self._coming.add(hand)
        hand.met.add_done_callback(lambda done: self._events.put((hand, done)))

    def _next(self, seconds: float | None) -> tuple[Hand, Future[Any], tuple[int, int]] | bool:
        """What happened next: an answer, with what it is of; True for anything else, False where nothing did."""
        try:
            hand, done = self._events.get(timeout=seconds)
        except Empty:
            return False
        if hand in self._coming:
            self._coming.discard(hand)
            self._arrived(hand)
        of = hand.out.pop(done, None)
        return True if of is None else (hand, done, of)

    def _first(self) -> tuple[Hand, Future[Any], tuple[int, int]] | bool:
        """What happens next while no process is there."""
        found = self._next(QUIET_SECONDS)
        if found is False:
            self._say(f"waiting for the first of {self._crew.count} processes")
            found = self._next(FIRST_SECONDS)
        return found

    def _arrived(self, hand: Hand) -> None:
        try:
            hand.greet()
            self._hands.append(hand)
            self._stillborn = 0
        except BaseException as failure:
            hand.end()
            if not isinstance(failure, Lost):
                raise
            lost = failure
            self._stillborn += 1
            if self._stillborn < TRIES:
                self._begin()
            elif not self._hands and not self._coming:
                raise UsageError(f"{self._crew.nobody()} ({lost})") from None

    def _require_hands(self) -> None:
        if not self._hands:
            raise UsageError(self._crew.nobody())

    def give(self, hand: Hand, work: Any, piece: bytes, of: tuple[int, int]) -> None:
        """Hand a piece over. of: the stage and the piece's place in it."""
        try:
            future = hand.give(work, piece)
        except Lost as lost:
            future = Future[Any]()
            future.set_exception(lost)
        hand.out[future] = of
        future.add_done_callback(lambda done: self._events.put((hand, done)))

    def bury(self, hand: Hand) -> list[tuple[int, int]]:
        """A hand has died: another begins. What it was given."""
        if hand not in self._hands:
            return []
        self._hands.remove(hand)
        held = list(hand.out.values())
        hand.out.clear()
        hand.end()
        self._begin()
        return held

    def wait(self) -> tuple[Hand, Future[Any], tuple[int, int]] | bool:
        """What happens next. Raises UsageError where all processes have died, and none comes."""
        found = self._next(None) if self._hands else self._first()
        if found is False:
            self._require_hands()
        return found

    def free(self) -> Hand | None:
        """The hand that has least to do, if it can take another piece."""
        ready = [hand for hand in self._hands if len(hand.out) < DEPTH and not hand.alone]
        return min(ready, key=lambda hand: len(hand.out), default=None)

    @property
    def most(self) -> int:
        """How many pieces may be on the way or wait."""
        return AHEAD * max(len(self._hands), 1)


class _Passage:
    """The pieces of one stage."""

    def __init__(self, flow: Flow, packed: Packed, pieces: Sequence[Piece[Any]], stage: int) -> None:
        self._flow, self._packed, self._pieces, self._stage = flow, packed, pieces, stage
        self._todo = list(range(len(pieces)))
        self._turn = 0
        self._out = 0
        self._waiting: dict[int, Receipt] = {}
        self._lost: dict[int, list[str]] = {}
        self._sizes: Counter[str] = Counter()

    def made(self) -> Iterator[Made[Any]]:
        """What was made of each piece, in order."""
        while self._turn < len(self._pieces):
            self._send()
            answer = self._waiting.pop(self._turn, None)
            if answer is None:
                self._hear()
                continue
            try:
                data = answer.take()
            except Lost:
                self._again(self._turn, "a machine that is gone")
                continue
            made = self._opened(answer, data)
            del answer, data
            self._turn += 1
            yield made

    def _send(self) -> None:
        while self._todo and self._may(self._todo[0]):
            hand = self._flow.free()
            # What has ended with its process before has a process to itself: who ends with it is then known.
            alone = self._todo[0] in self._lost
            if hand is None or (alone and hand.out):
                return
            index = heapq.heappop(self._todo)
            hand.alone = alone
            self._out += 1
            piece = self._pieces[index]
            sent = pickle.dumps((piece, self._packed.luggage(piece)))
            self._flow.give(hand, self._packed.work, sent, (self._stage, index))

    def _may(self, index: int) -> bool:
        if index == self._turn:
            return True
        each = self._sizes["bytes"] / max(self._sizes["pieces"], 1)
        expected = sum(answer.size for answer in self._waiting.values()) + each * (self._out + 1)
        return self._out + len(self._waiting) < self._flow.most and expected <= MOST_BYTES

    def _hear(self) -> None:
        event = self._flow.wait()
        if isinstance(event, bool):
            return
        hand, done, (stage, index) = event
        hand.alone = False
        mine = stage == self._stage
        self._out -= mine
        try:
            answer = hand.answer(done)
        except Lost:
            held = [*([index] if mine else []), *(other for of, other in self._flow.bury(hand) if of == self._stage)]
            self._out -= len(held) - mine
            for lost in held:
                self._again(lost, hand.where)
            return
        if mine:
            self._waiting[index] = answer
            self._sizes.update(bytes=answer.size, pieces=1)

    def _again(self, index: int, where: str) -> None:
        """A piece ended with its process: it is made once more, and after the third time is an error in its turn."""
        places = self._lost.setdefault(index, [])
        places.append(where)
        if len(places) < TRIES:
            heapq.heappush(self._todo, index)
            return
        failure = UsageError(
            f"the process that made {told(self._pieces[index])} ended {TRIES} times ({', '.join(places)}), which "
            "memory that is short may do, or an image: free memory or ask for fewer processes, and run the same "
            "command again, which goes on"
        )
        self._waiting[index] = Receipt(False, 0, lambda: pickle.dumps((failure, "")))

    def _opened(self, answer: Receipt, data: bytes) -> Made[Any]:
        found = pickle.loads(data)
        if answer.made:
            return Made(self._pieces[self._turn].number, found)
        error, text = found
        error = _placed(error, answer.machine)
        if isinstance(error, LayerscopeError):
            raise error
        raise error from _Elsewhere(text)


class _Elsewhere(Exception):
    """What a bug looked like in the process that it was met in."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def _placed(error: Exception, machine: str) -> Exception:
    """What a user can mend, with the machine where it was, if that is another than the writer's; bugs as they are."""
    said = str(error) if isinstance(error, LayerscopeError) else sentence(error)
    if not machine or said is None:
        return error
    kind = type(error) if isinstance(error, LayerscopeError) else LayerscopeError
    return kind(f"{said} (on the machine {machine})")


def told(piece: Piece[Any]) -> str:
    """A piece in words, with its images where it says them."""
    held = piece.held
    for name in ("images", "ids"):
        held = getattr(held, name, held)
    ids = held if isinstance(held, Sequence) and all(isinstance(one, int) for one in held) else ()  # type: ignore[reportUnknownVariableType]
    return f"piece {piece.number} (images {min(ids)} to {max(ids)})" if ids else f"piece {piece.number}"
