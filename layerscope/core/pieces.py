"""One loop over the pieces of a stage: skip what is done, make the rest, commit each with its mark, tell how far it is.

A piece may be made anywhere and in any order (`core/engines.py`); it is committed here, by the one writer, in order. A
piece and its mark are one transaction: what was stopped at any moment goes on behind the last whole piece, and ends
with the same rows.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar, Generic, Protocol, TypeVar, runtime_checkable

from layerscope.core.engines import LOCAL, Made, Opened, Piece, Work
from layerscope.core.errors import UsageError
from layerscope.core.progress import Progress
from layerscope.core.stages import Stage

HeldT = TypeVar("HeldT")
PartT = TypeVar("PartT")


@runtime_checkable
class Marks(Protocol):
    """Where results and their marks are kept; an AtlasWriter is one."""

    def done(self, stage: str, /) -> Collection[int]:
        """The pieces that are marked under this label."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All that is put inside is kept, or none of it."""
        ...

    def mark(self, stage: str, number: int, payload: bytes = b"", /) -> None:
        """Note that a piece is done, with something to keep beside the mark."""
        ...


class NoMarks:
    """For what lives in memory only, and begins anew after an interruption."""

    def done(self, stage: str, /) -> Collection[int]:
        return ()

    def transaction(self) -> AbstractContextManager[None]:
        return nullcontext()

    def mark(self, stage: str, number: int, payload: bytes = b"", /) -> None: ...


class Job(ABC, Generic[HeldT, PartT]):
    """A stage's pieces, the work that is to be done on them, and where what was made goes.

    label: under which finished pieces are marked; "" where their own rows say that they are done. pieces: all of them,
    those that are marked too.
    """

    stage: ClassVar[Stage]
    label: str = ""
    pieces: Sequence[Piece[HeldT]]
    work: Work[HeldT, PartT]

    def is_there(self, piece: Piece[HeldT]) -> bool:
        """True where what a marked piece left is still to be had."""
        return True

    @abstractmethod
    def put(self, piece: Piece[HeldT], part: PartT) -> int:
        """Store one part of a piece, within its transaction; how much of the piece's size is done with it."""

    def payload(self, piece: Piece[HeldT]) -> bytes:
        """What is kept beside the mark of a piece whose parts were all put."""
        return b""


def make(job: Job[HeldT, PartT], marks: Marks, progress: Progress, *, engine: Opened = LOCAL) -> None:
    """Make the pieces of a stage that are not made yet, and commit them in order.

    Raises UsageError where an engine does not give every piece in its turn, and whatever making and storing raise.
    """
    done = marks.done(job.label) if job.label else ()
    todo = [piece for piece in job.pieces if piece.number not in done or not job.is_there(piece)]
    total = sum(piece.size for piece in job.pieces)
    progress.start(job.stage.name, total, total - sum(piece.size for piece in todo))
    if not todo:
        return
    chosen = engine if job.stage.anywhere else LOCAL
    made = iter(chosen.map(job.work, todo))
    try:
        for piece in todo:
            _commit(job, piece, _taken(made, piece, chosen.name), marks, progress)
    finally:
        if hasattr(made, "close"):
            made.close()  # type: ignore[attr-defined]


def _taken(made: Iterator[Made[PartT]], piece: Piece[HeldT], engine: str) -> Made[PartT]:
    """What was made of the piece whose turn it is."""
    found = next(made, None)
    if found is None or found.number != piece.number:
        what = "nothing" if found is None else f"piece {found.number}"
        raise UsageError(f'the engine "{engine}" gave {what} in the turn of piece {piece.number}; use another engine')
    return found


def _commit(job: Job[HeldT, PartT], piece: Piece[HeldT], made: Made[PartT], marks: Marks, progress: Progress) -> None:
    reported = 0
    with marks.transaction():
        for part in made:
            count = job.put(piece, part)
            if count:
                reported += count
                progress.step(count)
        if job.label:
            marks.mark(job.label, piece.number, job.payload(piece))
    if piece.size > reported:
        progress.step(piece.size - reported)
