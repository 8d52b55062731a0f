"""A store's first answer comes soon, or the store is said to be silent, whatever its library does in the meantime.

A library may look for credentials where there is no network, and try each question many times by itself, for minutes;
not all can be told otherwise. So a small question is asked first, by a thread that is left behind when its time is up.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from layerscope.core.addresses import links
from layerscope.core.errors import ImageError
from layerscope.remote.answers import NotThere, Unanswered, answered
from layerscope.remote.systems import WEB, path_in, root_of, store_named, system_of

FoundT = TypeVar("FoundT")

LONGEST = 30.0  # s; of the first answer, attempts included

# Roots of stores that have answered this process.
_HEARD: set[str] = set()


def require_heard(address: str, place: str) -> None:
    """Ask a store for what lies at an address, unless it has answered before; of a chain what the archive lies in.

    place: the address, as people may see it. Raises Unanswered. A refusal is an answer: what is asked next says it.
    """
    last = links(address)[-1]
    if "://" not in last:
        return  # an archive of this machine
    root = root_of(last)
    if root in _HEARD:
        return

    def ask() -> None:
        system, path = system_of(root), path_in(root, last)
        answered(
            lambda: system.info(path) if path.startswith(WEB) else system.isdir(path),
            store=store_named(root),
            place=place,
        )

    with suppress(NotThere, ImageError):
        _within(LONGEST, ask)
    _HEARD.add(root)


def _within(seconds: float, ask: Callable[[], FoundT]) -> FoundT:
    """What a function gives or raises; Unanswered where it takes longer, and it goes on alone."""
    found: list[FoundT] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            found.append(ask())
        except BaseException as failure:
            failed.append(failure)

    thread = threading.Thread(target=work, name="layerscope-first-answer", daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not found:
        raise Unanswered(f"no answer within {seconds:g} s")
    return found[0]
