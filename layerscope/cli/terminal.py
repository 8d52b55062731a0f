"""What stands behind stdout: whether a person watches, how wide it is, and which colours and characters it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ALL_COLOURS = 1 << 24
# Of terminals that say in TERM that they have every colour, without COLORTERM.
DIRECT = ("direct", "truecolor", "kitty", "ghostty", "wezterm", "foot", "alacritty", "contour")
# Below this nothing can be drawn side by side; above it a line is no longer read.
LEAST_COLUMNS, MOST_COLUMNS = 40, 160
STANDARD = (80, 24)


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """A terminal, or what stands in its place.

    watched: a person reads it; False for a file and a pipe. colours: 0, 16, 256 or all of 24 bits. blocks: it has the
    characters that bars and pictures are made of. columns, lines: its size.
    """

    watched: bool = False
    colours: int = 0
    blocks: bool = False
    columns: int = STANDARD[0]
    lines: int = STANDARD[1]


# A file or a pipe, which gets plain text.
NOBODY = Terminal()


def terminal_of(stream: Any, environment: Mapping[str, str], size: tuple[int, int] | None = None) -> Terminal:
    """The terminal behind a stream. size: columns and lines; None asks the system."""
    if stream is None or not stream.isatty():
        return NOBODY
    columns, lines = size or _size()
    return Terminal(
        watched=True,
        colours=_colours(environment),
        blocks=_has_blocks(stream),
        columns=min(max(columns, LEAST_COLUMNS), MOST_COLUMNS),
        lines=lines,
    )


def _size() -> tuple[int, int]:
    from shutil import get_terminal_size

    # Some terminals say that they have no columns and no lines (docker, CI).
    found = get_terminal_size(STANDARD)
    return found.columns or STANDARD[0], found.lines or STANDARD[1]


def _colours(environment: Mapping[str, str]) -> int:
    """How many colours: none where NO_COLOR says so, or TERM is missing or dumb."""
    term = environment.get("TERM", "")
    if environment.get("NO_COLOR") or term in ("", "dumb"):
        return 0
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit") or any(word in term for word in DIRECT):
        return ALL_COLOURS
    return 256 if "256" in term else 16


def _has_blocks(stream: Any) -> bool:
    try:
        "▀█▏".encode(getattr(stream, "encoding", None) or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
