"""One loop over pieces: what is done is skipped, what is made is committed with its mark, and all of it is told."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from layerscope.core.engines import LOCAL, Made, Opened, Piece, in_turn, one
from layerscope.core.errors import UsageError
from layerscope.core.pieces import Job, NoMarks, make
from layerscope.core.stages import BUILD, DISSECT, EVOLVE, SCAN, SHEETS
from layerscope.testing.watching import Log


class Store:
    """Marks and results in memory; an error inside a transaction takes back what was put."""

    def __init__(self) -> None:
        self.marks: dict[str, dict[int, bytes]] = {}
        self.rows: list[tuple[int, str]] = []

    def done(self, stage: str, /):
        return set(self.marks.get(stage, {}))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        marks, rows = {stage: dict(held) for stage, held in self.marks.items()}, list(self.rows)
        try:
            yield
        except BaseException:
            self.marks, self.rows = marks, rows
            raise

    def mark(self, stage: str, number: int, payload: bytes = b"", /) -> None:
        self.marks.setdefault(stage, {})[number] = payload


class Spelling(Job[str, str]):
    """Each piece is a word, whose letters are its parts. fails: the letter at which making or putting fails."""

    stage, label = SCAN, "spelling"

    def __init__(self, store: Store, words: str, *, fails: str = "", lost: frozenset[int] = frozenset()) -> None:
        self.store, self.fails, self.lost = store, fails, lost
        self.pieces = [Piece(number, len(word), word) for number, word in enumerate(words.split())]
        self.made: list[str] = []
        self.work = self.spell

    def spell(self, pieces):
        return in_turn(pieces, self._letters)

    def _letters(self, piece: Piece[str]) -> Iterator[str]:
        for letter in piece.held:
            if letter == self.fails:
                raise UsageError(f"{letter} cannot be spelled")
            self.made.append(letter)
            yield letter

    def is_there(self, piece: Piece[str]) -> bool:
        return piece.number not in self.lost

    def put(self, piece: Piece[str], part: str) -> int:
        self.store.rows.append((piece.number, part))
        return part.isupper()

    def payload(self, piece: Piece[str]) -> bytes:
        return piece.held.encode()


def test_every_piece_is_put_and_marked_with_its_payload() -> None:
    """Parts come in order; the steps add up to the total, those of parts within their piece."""
    store, log = Store(), Log()
    make(Spelling(store, "oNe two"), store, log)
    assert store.rows == [(0, "o"), (0, "N"), (0, "e"), (1, "t"), (1, "w"), (1, "o")]
    assert store.marks == {"spelling": {0: b"oNe", 1: b"two"}}
    assert log.stages == [("scan", 6, 0, [1, 2, 3])]


def test_what_is_marked_is_skipped_and_what_is_lost_is_made_again() -> None:
    """A mark alone does not count where what it stands for is gone."""
    store, log = Store(), Log()
    make(Spelling(store, "one two three"), store, Log())
    again = Spelling(store, "one two three", lost=frozenset([1]))
    make(again, store, log)
    assert "".join(again.made) == "two" and log.stages == [("scan", 11, 8, [3])]


def test_an_error_takes_back_its_piece_alone() -> None:
    """What was finished before it stays, with its mark; the same job goes on behind it, and ends with the same rows."""
    store, whole = Store(), Store()
    make(Spelling(whole, "one two three"), whole, Log())
    with pytest.raises(UsageError, match="w cannot be spelled"):
        make(Spelling(store, "one two three", fails="w"), store, Log())
    assert store.marks == {"spelling": {0: b"one"}} and store.rows == whole.rows[:3]
    second = Spelling(store, "one two three")
    make(second, store, Log())
    assert "".join(second.made) == "twothree" and (store.rows, store.marks) == (whole.rows, whole.marks)


def test_without_a_label_nothing_is_marked() -> None:
    """Where rows say themselves that they are done, and where results live in memory only."""
    store = Store()
    job = Spelling(store, "one")
    job.label = ""
    make(job, store, Log())
    make(job, NoMarks(), Log())
    assert store.marks == {} and len(store.rows) == 6


def test_an_engine_is_asked_for_what_may_be_made_anywhere_only() -> None:
    """Sheets lie in a file of this machine: their pieces are made here, whatever the engine."""
    asked: list[int] = []

    def far(work, pieces) -> Iterator[Made]:
        asked.extend(piece.number for piece in pieces)
        return work(pieces)

    for stage in (SCAN, SHEETS):
        job = Spelling(Store(), "one two")
        job.stage = stage  # type: ignore[misc]
        make(job, NoMarks(), Log(), engine=Opened("far", far))
    assert asked == [0, 1]


@pytest.mark.parametrize(
    ("given", "said"), [([1, 0], "gave piece 1 in the turn of piece 0"), ([0], "gave nothing in the turn of piece 1")]
)
def test_another_order_is_refused(given: list[int], said: str) -> None:
    """No piece is ever put under another's number."""
    engine = Opened("odd", lambda work, pieces: (one(work, pieces[number]) for number in given))
    store = Store()
    with pytest.raises(UsageError, match=f'the engine "odd" {said}; use another engine'):
        make(Spelling(store, "one two"), store, Log(), engine=engine)
    assert store.done("spelling") == set(range(given[0] == 0))


def test_parts_are_taken_once_and_in_turn() -> None:
    """Whoever asks for the next piece too early, or for parts twice, is told so; what is whole may be read again."""
    job = Spelling(Store(), "one two")
    early = job.work(job.pieces)
    next(early)
    with pytest.raises(RuntimeError, match="before all parts of piece 0 were taken"):
        next(early)
    late = next(job.work(job.pieces))
    assert list(late) == ["o", "n", "e"]
    with pytest.raises(RuntimeError, match="the parts of piece 0 are taken once"):
        list(late)
    whole = one(job.work, job.pieces[1])
    assert list(whole) == list(whole) == ["t", "w", "o"]


def test_an_engine_left_early_is_closed() -> None:
    """Whatever an engine started has ended when an error comes through."""
    closed: list[str] = []

    def careful(work, pieces) -> Iterator[Made]:
        try:
            yield from work(pieces)
        finally:
            closed.append("closed")

    with pytest.raises(UsageError):
        make(Spelling(Store(), "one", fails="n"), NoMarks(), Log(), engine=Opened("careful", careful))
    assert closed == ["closed"]


def test_the_stages_have_names_of_their_own() -> None:
    """One name, one stage: progress and clock tell them apart by it."""
    names = [stage.name for stage in (*BUILD, *DISSECT, EVOLVE)]
    assert len(set(names)) == len(names) and LOCAL.name == "local"
