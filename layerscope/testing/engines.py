"""Laws of execution engines: whoever makes the pieces, wherever and in whatever order, the atlas is the same.

`laws` holds an engine to all of them. A guest's engine must be installed, so that it is found by its name.
"""

import multiprocessing
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from layerscope.core.engines import ENGINES, Engine, Piece, in_turn, opened
from layerscope.core.errors import LayerscopeError
from layerscope.core.stages import BUILD, DECIDE, SCAN, STRATA, Stage
from layerscope.testing.atlases import Subject, alone, same_rows, stopped_behind_every_piece
from layerscope.testing.watching import Hook, Log, Stopped, stop

# What an engine that proposes leaves as `local` does: the tables whose rows depend on no statistic.
DECIDED = ("node", "edge", "image", "layer", "peak", "sheet")


def laws(engine: Engine, subject: Subject, folder: Path, spoil: Callable[[], Any], mend: Callable[[], Any]) -> None:
    """All laws. spoil, mend: make one image that has peaks unreadable, and as it was again."""
    gives_every_piece_in_its_turn(engine)
    same_rows_as_local(engine, subject, folder)
    stopped_and_resumed(engine, subject, folder)
    ends_in_the_same_sentence(engine, subject, folder, spoil, mend)


def gives_every_piece_in_its_turn(engine: Engine) -> None:
    """What was made of pieces comes in their order, whole, for none, one and many; and closing early is allowed."""
    with opened(engine, 2) as at_work:
        for count in (0, 1, 7):
            pieces = [Piece(3 * number, 1, number) for number in range(count)]
            found = [(made.number, list(made)) for made in at_work.map(_squares, pieces)]
            expected = [(3 * n, [n, n * n]) for n in range(count)]
            assert found == expected, f"of {count} pieces the engine {engine.name} gave {found}, not {expected}"
        first = at_work.map(_squares, [Piece(number, 1, number) for number in range(7)])
        assert list(next(first)) == [0, 0], f"the engine {engine.name} does not begin with the first piece"
        first.close()  # type: ignore[attr-defined]


def same_rows_as_local(engine: Engine, subject: Subject, folder: Path) -> None:
    """The rows of `local`, bit for bit where the engine says that it is exact, and its peaks and projections where it
    proposes; the same counts are told on the way; and neither a file, a thread nor a process is left."""
    out, by_local = folder / f"{engine.name}.atlas", subject.told
    with _nothing_left_behind(engine):
        log = Log()
        subject.build(out, progress=log, engine=engine.name)
    alone(out)
    if engine.exact:
        same_rows(out, subject.whole)
    elif engine.proposer is not None:
        same_rows(out, subject.whole, but=[table for table in subject.whole if table not in DECIDED])
    assert [stage[0] for stage in log.stages] == [stage.name for stage in _stages(engine)], f"it told of {log.stages}"
    told = [stage for stage in log.stages if stage[0] != DECIDE.name]
    for (name, total, done, steps), other in zip(told, by_local.stages, strict=True):
        # Which images lie around a percentile is told by statistics.
        if name == STRATA.name and not engine.exact:
            continue
        assert (total, done) == other[1:3], f"{name} is told as {done} of {total}, by local as {other[2]} of {other[1]}"
        assert done + sum(steps) == total, f"{name}: the steps add up to {done + sum(steps)}, and not to {total}"
    out.unlink()


def stopped_and_resumed(engine: Engine, subject: Subject, folder: Path) -> None:
    """Stopped in every stage, it goes on, and so does `local` with what an exact engine began: the rows are the same,
    and what was running has ended."""
    out = folder / f"{engine.name} stopped.atlas"
    expected = subject.whole if engine.exact else _rows_by(engine, subject, folder)
    for stage in _stages(engine):
        with _nothing_left_behind(engine), suppress(Stopped):
            subject.build(out, progress=Hook(stage_name=stage.name, after=2, do=stop), engine=engine.name)
    subject.build(out, engine="local" if engine.exact else engine.name)
    same_rows(out, expected)
    alone(out)
    out.unlink()


def stopped_anywhere(engine: Engine, subject: Subject, folder: Path) -> None:
    """Stopped between any two pieces, and resumed: the same rows. Many builds, for engines that begin quickly."""
    stopped_behind_every_piece(subject.having(engine=engine.name), folder)


def ends_in_the_same_sentence(
    engine: Engine, subject: Subject, folder: Path, spoil: Callable[[], Any], mend: Callable[[], Any]
) -> None:
    """What goes wrong inside a piece is told in the words of `local`, with the machine where that was another, and the
    file can be gone on with."""
    said = {}
    for name in ("local", engine.name):
        out = folder / f"{name} spoilt.atlas"
        try:
            subject.build(out, progress=Hook(stage_name="project", after=0, do=spoil), engine=name)
        except LayerscopeError as error:
            said[name] = type(error).__name__, str(error)
        finally:
            mend()
    assert "local" in said, "no peak lies in the image that was made unreadable"
    assert engine.name in said, f"the engine {engine.name} did not notice that an image had changed"
    kind, words = said[engine.name]
    words = re.sub(r" \(on the machine [^()]+\)$", "", words)
    assert (kind, words) == said["local"], f"{engine.name} says {said[engine.name]}, local {said['local']}"
    subject.build(out, engine=engine.name)
    if engine.exact:
        same_rows(out, subject.whole)


def _stages(engine: Engine) -> tuple[Stage, ...]:
    """The stages of a build by this engine."""
    if engine.proposer is None:
        return BUILD
    behind = BUILD.index(SCAN) + 1
    return (*BUILD[:behind], DECIDE, *BUILD[behind:])


def _rows_by(engine: Engine, subject: Subject, folder: Path) -> Mapping[str, str]:
    assert ENGINES[engine.name] is engine, f"the engine {engine.name} is not installed"
    return subject.having(engine=engine.name).whole


def _squares(pieces: Any) -> Any:
    """Work of the smallest kind: a number and its square."""
    return in_turn(pieces, lambda piece: iter((piece.held, piece.held**2)))


@contextmanager
def _nothing_left_behind(engine: Engine) -> Any:
    """Behind it, the threads and processes that were there before it are there, and no others."""
    before = set(threading.enumerate()), set(multiprocessing.active_children())
    yield
    threads = [thread.name for thread in threading.enumerate() if thread not in before[0] and thread.is_alive()]
    processes = [child.name for child in multiprocessing.active_children() if child not in before[1]]
    left = threads + processes
    assert not left, f"the engine {engine.name} left {', '.join(left)} running"
