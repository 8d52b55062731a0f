"""Rows by name, ours and those of other packages: every kind of thing that can be added is found here.

A table of the house is a `Registry`: its own rows, then those that installed packages name in their entry points, under
the registry's group. Names are known without loading anybody's code; a guest's row is loaded when it is used. A row
states words; what it does are functions, which a row of the house names by `later`, so that nothing heavy is loaded.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from layerscope.core.errors import UsageError, nearest
from layerscope.core.points import look_anew, points

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

HOUSE = "layerscope"


@dataclass(frozen=True, kw_only=True)
class Row:
    """What every row says of itself.

    name: the word that users write, and that atlases may store: never renamed. sentence: what it is, for help, docs and
    pages, without a full stop. needs: modules without which it cannot work. install: what brings them, as pip takes it.
    """

    name: str
    sentence: str
    needs: tuple[str, ...] = ()
    install: str = ""

    def missing(self) -> tuple[str, ...]:
        """The needed modules that are not installed."""
        return tuple(module for module in self.needs if not _is_there(module))


RowT = TypeVar("RowT", bound=Row)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A row that was found, for `layerscope plugins`.

    home: the package that brings it, with its version. row: None where it cannot be loaded. trouble: why it cannot be
    used, as a clause; empty where it can.
    """

    name: str
    home: str
    row: Row | None
    trouble: str = ""


class Registry(Generic[RowT]):
    """A table of rows of one kind.

    kind: what one row is, in a word or two ("codec"). group: of the entry points by which packages add rows. form: the
    class of the rows. own: the rows of the house, in the order in which they are told.
    """

    def __init__(self, kind: str, group: str, form: type[RowT], own: tuple[RowT, ...]) -> None:
        self.kind, self.group, self.form = kind, group, form
        self.own = {row.name: row for row in own}
        assert len(self.own) == len(own), f"two {kind}s of one name"
        self._loaded: dict[str, RowT] = {}

    @cached_property
    def guests(self) -> "Mapping[str, EntryPoint]":
        """The rows that other packages name; a name of the house stays the house's."""
        found: dict[str, EntryPoint] = {}
        for point in sorted(points(self.group), key=lambda point: (point.name, point.value)):
            if point.name not in self.own:
                found.setdefault(point.name, point)
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """All names, those of the house first; no row is loaded."""
        return (*self.own, *self.guests)

    def __contains__(self, name: object) -> bool:
        return name in self.own or name in self.guests

    def __iter__(self) -> Iterator[RowT]:
        """Every row that can be loaded."""
        return (found.row for found in self.found() if isinstance(found.row, self.form))

    def __getitem__(self, name: str) -> RowT:
        """A row by its name. Raises UsageError for one that is not known, cannot be loaded, or lacks what it needs."""
        row = self.known(name)
        missing = row.missing()
        if missing:
            raise UsageError(f'the {self.kind} "{name}" needs {" and ".join(missing)}: {_installs(row)}')
        return row

    def known(self, name: str) -> RowT:
        """A row by its name, whether or not what it needs is installed. Raises UsageError."""
        if name in self.own:
            return self.own[name]
        if name not in self.guests:
            raise UsageError(self.unknown(name))
        if name not in self._loaded:
            self._loaded[name] = self._load(self.guests[name])
        return self._loaded[name]

    def unknown(self, name: object) -> str:
        """The sentence about a name that no row has."""
        hint = nearest(str(name), self.names)
        return f'{self.kind} "{name}" is not known; choose one of {", ".join(self.names)}{hint}'

    def found(self) -> list[Found]:
        """Every row with its home; one that cannot be used comes with the reason."""
        found: list[Found] = []
        for name in self.names:
            home = _home(self.guests[name]) if name in self.guests else HOUSE
            try:
                row: RowT | None = self.known(name)
            except UsageError as error:
                found.append(Found(name=name, home=home, row=None, trouble=str(error)))
                continue
            assert row is not None
            missing = row.missing()
            trouble = f"needs {' and '.join(missing)}: {_installs(row)}" if missing else ""
            found.append(Found(name=name, home=home, row=row, trouble=trouble))
        return [*found, *self._shadowed()]

    def refresh(self) -> None:
        """Look anew at what is installed."""
        self.__dict__.pop("guests", None)
        self._loaded.clear()
        look_anew()

    def _shadowed(self) -> Iterator[Found]:
        """Rows that are never used, since another has their name."""
        for point in points(self.group):
            if point.name in self.own or point != self.guests[point.name]:
                owner = HOUSE if point.name in self.own else _home(self.guests[point.name])
                yield Found(name=point.name, home=_home(point), row=None, trouble=f"{owner} has this name already")

    def _load(self, point: "EntryPoint") -> RowT:
        try:
            row = point.load()
        except Exception as failure:  # a guest's code
            said = f"{type(failure).__name__}: {failure}".splitlines()[0]
            raise UsageError(f'the {self.kind} "{point.name}" of {_home(point)} cannot be loaded: {said}') from failure
        if not isinstance(row, self.form):
            raise UsageError(
                f'the {self.kind} "{point.name}" of {_home(point)} is a {type(row).__name__}; '
                f"expected a {self.form.__module__}.{self.form.__qualname__}"
            )
        if row.name != point.name:
            raise UsageError(
                f'the {self.kind} "{point.name}" of {_home(point)} calls itself "{row.name}": entry point and row must '
                "have one name"
            )
        return row


def later(reference: str) -> Callable[..., Any]:
    """A function by its address, "package.module:name"; its module is loaded when it is first called."""

    def call(*args: Any, **options: Any) -> Any:
        module, _, name = reference.partition(":")
        return getattr(import_module(module), name)(*args, **options)

    call.__qualname__ = call.__name__ = reference
    return call


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _installs(row: Row) -> str:
    return f"pip install '{row.install}'" if row.install else "install them"


def _home(point: "EntryPoint") -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.module
