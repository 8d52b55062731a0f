"""A file that is the same whenever it is written with the same words: written once in a process, then copied."""

from collections.abc import Callable, Hashable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec

Words = ParamSpec("Words")
Writer = Callable[Concatenate[str | Path, Words], Path]


def once(write: Writer[Words]) -> Writer[Words]:
    """A function that writes a file to a path: what it wrote with the same words before is put there as it was.

    A path where something stands goes to the function itself, which knows what to say of that.
    """
    written: dict[Hashable, bytes] = {}

    @wraps(write)
    def put(path: str | Path, *args: Words.args, **words: Words.kwargs) -> Path:
        key = args, tuple(sorted(words.items()))
        if key not in written or Path(path).exists():
            write(path, *args, **words)
            written[key] = Path(path).read_bytes()
        Path(path).write_bytes(written[key])
        return Path(path)

    return put
