"""Pieces go to processes and come back in order, whatever these do, and no more are on the way than was said."""

import pickle
import random
from concurrent.futures import Future
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.engines import Piece
from layerscope.core.errors import ImageError, LayerscopeError, UsageError
from layerscope.engines import flow as of
from layerscope.engines.crew import Crew, Hand, Lost, Packed, Receipt
from layerscope.engines.flow import Flow


class Paper(Hand):
    """A process on paper: what it was given lies there until somebody says that it is made, or that it has died."""

    machine = ""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number, self.dead = number, False
        self.given: list[tuple[Future, int]] = []
        self.met = Future()
        self.met.set_result(None)

    def greet(self) -> None:
        self.where = f"process {self.number}"

    def give(self, work: Any, piece: bytes) -> Future:
        future = Future()
        self.given.append((future, pickle.loads(piece)[0].held))
        return future

    def answer(self, done: Future) -> Receipt:
        return done.result()

    def end(self) -> None:
        self.dead = True

    def finish(self, made: Any, size: int) -> None:
        """It has made what it was given first."""
        future, held = self.given.pop(0)
        value = made(held)
        error = isinstance(value, Exception)
        data = pickle.dumps((value, "traceback") if error else (value,))
        future.set_result(Receipt(not error, size, lambda: data, self.machine))

    def die(self) -> None:
        """All that it was given is lost."""
        for future, _ in self.given:
            future.set_exception(Lost("it died"))
        self.given.clear()


class Papers(Crew):
    """Processes on paper."""

    name = "paper"

    def __init__(self, count: int) -> None:
        self.count, self.begun = count, list[Paper]()

    def begin(self) -> Hand:
        self.begun.append(Paper(len(self.begun)))
        return self.begun[-1]

    def pack(self, work: Any) -> Any:
        return Packed(work, lambda piece: None)

    def nobody(self) -> str:
        return "nobody came"

    @property
    def busy(self) -> list[Paper]:
        return [paper for paper in self.begun if paper.given and not paper.dead]


class Drawn:
    """In the place of the queue of events: where nothing has happened, something that is drawn happens."""

    def __init__(self, queue: Any, happen: Any) -> None:
        self._queue, self._happen = queue, happen
        self.put = queue.put

    def get(self, timeout: float | None = None) -> Any:
        if self._queue.empty():
            self._happen()
        return self._queue.get(timeout=0)


def flow_of(crew: Papers, happen: Any) -> Flow:
    flow = Flow(crew)
    flow.gather()
    flow._events = Drawn(flow._events, happen)  # type: ignore[assignment]
    return flow


def squared(held: int) -> int:
    return held * held


def pieces(count: int) -> list[Piece[int]]:
    return [Piece(number, 1, number) for number in range(count)]


@given(seed=st.integers(0, 2**32), count=st.integers(1, 40), hands=st.integers(1, 6), deaths=st.integers(0, 2))
def test_every_piece_comes_once_and_in_order(seed: int, count: int, hands: int, deaths: int) -> None:
    """Whatever is made first, and whichever processes die; never more lies about than may, on a process or in all."""
    draw, crew, left = random.Random(seed), Papers(hands), [deaths]

    def happen() -> None:
        assert all(len(paper.given) <= of.DEPTH for paper in crew.busy)
        paper = draw.choice(crew.busy)
        if left[0] and draw.random() < 0.2:
            left[0] -= 1
            paper.die()
        else:
            paper.finish(squared, 1)

    flow = flow_of(crew, happen)
    found = [(made.number, *made) for made in flow("work", pieces(count))]
    assert found == [(number, number**2) for number in range(count)]
    again = [(made.number, *made) for made in flow("work", pieces(3))]
    assert again == [(number, number**2) for number in range(3)]


@given(seed=st.integers(0, 2**32), hands=st.integers(1, 4))
def test_what_waits_is_bounded_by_pieces_and_by_bytes(seed: int, hands: int) -> None:
    """A first piece that takes for ever lets the others come only so far."""
    draw, crew = random.Random(seed), Papers(hands)
    large = draw.choice([1, of.MOST_BYTES // 4, of.MOST_BYTES])
    made = [0]

    def happen() -> None:
        others = [paper for paper in crew.busy if paper.given[0][1] > 0]
        if others:
            made[0] += 1
            draw.choice(others).finish(squared, large)
        else:
            next(paper for paper in crew.busy).finish(squared, large)

    before = next(flow_of(crew, happen)("work", pieces(200)))
    assert list(before) == [0]
    assert made[0] <= of.AHEAD * hands
    # Sizes are known when the first has come: what was sent before that is not held back.
    assert made[0] * large <= of.MOST_BYTES + 2 * hands * of.DEPTH * large


@given(seed=st.integers(0, 2**32), count=st.integers(1, 20), hands=st.integers(1, 4))
def test_what_kills_its_process_is_named_and_nobody_else(seed: int, count: int, hands: int) -> None:
    """The piece that ends every process is made three times; what was with it by chance is not accused of it."""
    draw, crew = random.Random(seed), Papers(hands)
    poison, tries = draw.randrange(count), [0]

    def happen() -> None:
        paper = draw.choice(crew.busy)
        if paper.given[0][1] == poison:
            tries[0] += 1
            paper.die()
        else:
            paper.finish(squared, 1)

    found = []
    with pytest.raises(UsageError, match=rf"made piece {poison} ended 3 times \(process \d+, process"):
        for made in flow_of(crew, happen)("work", pieces(count)):
            found.append(made.number)
    assert found == list(range(poison)) and tries[0] == of.TRIES


def test_an_error_comes_in_its_turn_as_it_is() -> None:
    """Pieces before it are made; a mistake of the user is raised as it was, a bug with what it looked like there."""

    def broken(held: int) -> Any:
        return ImageError("no picture") if held == 2 else KeyError("bug") if held == 3 else held

    crew = Papers(2)
    flow = flow_of(crew, lambda: crew.busy[-1].finish(broken, 1))
    made = flow("work", pieces(5))
    assert [list(next(made)) for _ in range(2)] == [[0], [1]]
    with pytest.raises(ImageError, match=r"^no picture$"):
        next(made)
    with pytest.raises(KeyError) as caught:
        list(flow("work", [Piece(0, 1, 3)]))
    assert "traceback" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("failure", "raised", "said"),
    [
        (ImageError("no picture"), ImageError, r"^no picture \(on the machine far\)$"),
        (OSError(28, "No space left on device", "/tmp/x"), LayerscopeError, r"disk is full: /tmp/x .* machine far\)$"),
        (MemoryError(), LayerscopeError, r"^out of memory: .*\(on the machine far\)$"),
        (KeyError("bug"), KeyError, "^'bug'$"),
    ],
)
def test_an_error_of_another_machine_names_it(failure: Exception, raised: type[Exception], said: str) -> None:
    """What a user can mend, and what that machine failed with; a bug is the same everywhere."""
    crew = Papers(1)
    flow = flow_of(crew, lambda: crew.busy[0].finish(lambda held: failure, 1))
    crew.begun[0].machine = "far"
    with pytest.raises(raised, match=said):
        next(flow("work", pieces(1)))


def test_where_no_process_lives_to_begin_it_is_said() -> None:
    """Three that end as they begin are enough."""

    class Stillborn(Paper):
        def greet(self) -> None:
            raise Lost("no memory")

    crew = Papers(2)
    crew.begin = lambda: crew.begun.append(Stillborn(0)) or crew.begun[-1]  # type: ignore[method-assign]
    with pytest.raises(UsageError, match=r"nobody came \(no memory\)"):
        Flow(crew).gather()
    assert len(crew.begun) == 4 and all(paper.dead for paper in crew.begun)


def test_a_stage_that_was_left_early_leaves_the_next_alone() -> None:
    """What still comes of the earlier one is dropped."""
    crew = Papers(2)
    flow = flow_of(crew, lambda: crew.busy[0].finish(squared, 1))
    first = flow("work", pieces(9))
    assert list(next(first)) == [0]
    first.close()
    assert [list(made) for made in flow("work", pieces(4))] == [[0], [1], [4], [9]]


def test_a_piece_in_words_names_its_images() -> None:
    """As numbers, of whatever kind the piece is."""
    assert of.told(Piece(3, 128, range(384, 512))) == "piece 3 (images 384 to 511)"
    assert of.told(Piece(1, 1, "layer")) == "piece 1"


def test_a_long_wait_for_the_first_process_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of none that comes; nothing of those that are there at once."""

    class Late(Papers):
        def begin(self) -> Hand:
            late = Paper(len(self.begun))
            late.met = Future()
            self.begun.append(late)
            return late

    monkeypatch.setattr(of, "QUIET_SECONDS", 0.01)
    monkeypatch.setattr(of, "FIRST_SECONDS", 0.05)
    said: list[str] = []
    Flow(Papers(3), said.append).gather()
    assert not said
    with pytest.raises(UsageError, match="nobody came"):
        Flow(Late(3), said.append).gather()
    assert said == ["waiting for the first of 3 processes"]
