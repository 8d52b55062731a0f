"""A run as a file: what was measured on what and with what, whole after every line, and marked as complete at the end.

A run that is stopped leaves a bundle with all lines that it had, which says that it is not complete.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill
from typing import Any

from bench.report import Line, markdown
from layerscope.core.files import whole_file

FORM, VERSION = "layerscope bench", 1
# Of the sentences beside a table.
WIDTH = 130


class BundleError(Exception):
    """Why a file cannot be read as a bundle, in one sentence."""


class BundleWriter:
    """The bundle of a run that goes on.

    head: what is known when it starts, as plain values.
    """

    def __init__(self, path: Path, head: Mapping[str, Any]) -> None:
        self.path = path
        self._data: dict[str, Any] = {
            "form": FORM,
            "version": VERSION,
            "complete": False,
            "started": _now(),
            "finished": None,
            **head,
            "networks": {},
            "seconds": {},
            "left out": {},
            "lines": [],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        self._write()

    def add(self, line: Line) -> None:
        """One more line."""
        self._data["lines"].append(line.data())
        self._write()

    def note(self, part: str, name: str, value: Any) -> None:
        """Something under one of the parts: "networks", "seconds" or "left out"."""
        self._data[part][name] = value
        self._write()

    def finish(self) -> None:
        """Everything was measured."""
        self._data |= {"complete": True, "finished": _now()}
        self._write()

    def _write(self) -> None:
        with whole_file(self.path) as file:
            file.write((json.dumps(self._data, indent=1, allow_nan=False) + "\n").encode())


@dataclass(frozen=True)
class Bundle:
    """A complete bundle as it was read. data: all of it."""

    data: Mapping[str, Any]
    lines: tuple[Line, ...]

    def markdown(self) -> str:
        """What was measured where, in a sentence or two, and the table."""
        data, sources = self.data, self.data["sources"]
        tree = {True: "", False: " with changes that are in no commit", None: ""}[sources["clean"]]
        machine = ", ".join(f"{name} {value}" for name, value in data["machine"].items() if value is not None)
        versions = ", ".join(f"{name} {value}" for name, value in data["versions"].items() if value is not None)
        measured = (
            f"Measured on {data['started'][:10]} at commit {str(sources['commit'])[:7]}{tree}: {data['sizes']['name']} "
            f"sizes, {data['pictures']['of']}, {data['sizes']['repeats']} alternating repeats, "
            f"{sum(data['seconds'].values()) / 60:.0f} minutes. Machine: {machine}. Versions: {versions}."
        )
        left_out = [f"Left out: {name}, {why}." for name, why in data["left out"].items()]
        return "\n\n".join((fill(measured, WIDTH), markdown(self.lines), *(fill(said, WIDTH) for said in left_out)))


def read_bundle(path: Path) -> Bundle:
    """The bundle in a file. Raises BundleError where there is none that is complete and of this version."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BundleError(f"{path} is no bundle of python -m bench: it holds no JSON") from error
    if not isinstance(data, dict) or data.get("form") != FORM:
        raise BundleError(f"{path} is no bundle of python -m bench")
    if data.get("version") != VERSION:
        raise BundleError(f"{path} is a bundle of version {data.get('version')}; this program reads version {VERSION}")
    if data.get("complete") is not True:
        raise BundleError(f"{path} is not complete: its run was stopped after {_counted(data.get('lines'))}")
    try:
        bundle = Bundle(data, tuple(map(Line.of, data["lines"])))
        bundle.markdown()
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise BundleError(f"{path} is no whole bundle of version {VERSION}: {error!r}") from error
    return bundle


def pictures_hash(paths: Iterable[Path]) -> str:
    """One SHA-256 over what the files hold, whatever their names and order."""
    each = sorted(hashlib.sha256(path.read_bytes()).digest() for path in paths)
    return hashlib.sha256(b"".join(each)).hexdigest()


def _counted(lines: Sequence[Any] | None) -> str:
    return "1 line" if lines is not None and len(lines) == 1 else f"{len(lines or ())} lines"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
