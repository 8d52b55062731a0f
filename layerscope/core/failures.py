"""What the machine fails with (its files, its memory, its threads), as one sentence: what, where, what to do.

No library's words reach a user, and no call site has to know what may go wrong below it: whatever works on files or
needs memory stands inside `plain_failures`.
"""

import errno
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from layerscope.core.errors import LayerscopeError

AGAIN = "run the same command again"

FULL = tuple(getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name))
_TOO_MANY = (errno.EMFILE, errno.ENFILE)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
# What tells of the file that was named, the same at every attempt; whatever else a file fails with is the matter of a
# disk, a connection or a limit, and says nothing of the file.
OF_THE_FILE = tuple(
    getattr(errno, name)
    for name in ("ENOENT", "EACCES", "EPERM", "EISDIR", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EINVAL", "ENXIO", "ENODEV")
)
_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "bad_alloc")
_THREADS = ("can't start new thread", "Resource temporarily unavailable")


def out_of_memory(error: BaseException) -> bool:
    """True for what Python, PyTorch and Pillow raise when memory is short, on any device."""
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, MemoryError) or any(words in str(error) for words in _MEMORY)


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, the origin last."""
    seen: set[int] = set()
    todo: BaseException | None = error
    while todo is not None and id(todo) not in seen:
        seen.add(id(todo))
        yield todo
        todo = todo.__cause__ or todo.__context__


def require_memory(error: BaseException, doing: str, *, kind: type[LayerscopeError] = LayerscopeError) -> None:
    """Raises the sentence about memory where an error came of too little of it, however it was wrapped on the way.

    doing: what was being done. kind: of the error that is raised.
    """
    if any(map(out_of_memory, chain(error))):
        raise kind(f"{sentence(MemoryError(), doing)}, and {AGAIN}") from error


def require_machine(error: BaseException, place: str | os.PathLike[str], *, kind: type[LayerscopeError]) -> None:
    """Raises the sentence about a file that could not be read just now where an error came of that, however it was
    wrapped on the way: Python's `zipfile`, for one, calls such a file no zip file.

    place: the file. kind: of the error that is raised.
    """
    for one in chain(error):
        if isinstance(one, OSError) and of_the_machine(one):
            raise kind(f"{sentence(one, place)}, and {AGAIN}") from error


def of_the_machine(error: OSError) -> bool:
    """True where a file could not be read for a reason that is not its own: tried again, it may well be sound."""
    return error.errno is not None and error.errno not in OF_THE_FILE


def sentence(error: BaseException, place: str | os.PathLike[str] = "") -> str | None:
    """What failed, where, and what to do about it, as clauses; None for what is a bug.

    place: what is spoken of where the error itself names no file.
    """
    if out_of_memory(error):
        return f"out of memory{f' ({os.fspath(place)})' if place else ''}: free some, or ask for less"
    if isinstance(error, RuntimeError):
        if not any(words in str(error) for words in _THREADS):
            return None
        at = f" ({os.fspath(place)})" if place else ""
        return f"no further thread can be started{at}: end other programs, or ask for fewer workers"
    # Whoever reads our results has gone away: that is no failure of a file.
    if not isinstance(error, OSError) or isinstance(error, BrokenPipeError):
        return None
    where, why = error.filename or os.fspath(place) or "a file", error.strerror or type(error).__name__
    if error.errno in FULL:
        return f"the disk is full: {where} cannot be written; free space"
    if error.errno in _TOO_MANY:
        return f"{where} cannot be opened ({why}); close other programs, or raise the limit (ulimit -n)"
    if error.errno in _FORBIDDEN:
        return f"{where} cannot be read or written ({why}); check the permissions"
    advice = "check the path" if error.errno in OF_THE_FILE else "check the disk"
    return f"{where} cannot be read or written ({why}); {advice}"


def unread(name: object, error: OSError) -> str:
    """The sentence for an image that could not be read for a reason of the machine: to skip it would be a guess."""
    why = error.strerror or type(error).__name__
    return (
        f'"{name}" cannot be read just now ({why}), which says nothing of the image: check its disk or connection, and '
        f"{AGAIN}"
    )


@contextmanager
def plain_failures(
    place: str | os.PathLike[str] = "", *, then: str = AGAIN, kind: type[LayerscopeError] = LayerscopeError
) -> Generator[None, None, None]:
    """Turn what the machine fails with into one sentence; all other errors pass.

    place: what was worked on. then: how the sentence ends, behind "and". kind: the error that is raised.
    """
    try:
        yield
    except (OSError, MemoryError, RuntimeError) as error:
        said = sentence(error, place)
        if said is None:
            raise
        raise kind(f"{said}, and {then}") from error
