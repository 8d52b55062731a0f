"""One setting: its name, what it may be, its default and its sentence, and how Python and a shell write it."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Generic, TypeVar, cast

from layerscope.core.errors import UsageError
from layerscope.core.values import Flag, Kind, Maybe, Unfit, shown

T = TypeVar("T")
_NEEDED: Any = object()


class Setting(Generic[T]):
    """One thing that a user can say.

    name: Python's. kind: what it may be. sentence: what it is, without a full stop; `code` stands in backticks, {words}
    for the words of its kind, and {forms} for how it is written. default: a value, or a function that finds it where
    another table states it. option, short: how a shell writes it; by default its name behind two dashes, or --no-name
    for a flag that is True by default. Without an option it is told by its place, as `metavar`. default_text: the
    default in words, where it is None. stored: its name in a run's fingerprint; empty where a finished atlas does not
    depend on it. former: an earlier name that is still taken. unless: the flag without which it is needed. shell, face:
    whether the command line, and Python, have it. shell_needs: a command must say it where Python need not.
    """

    def __init__(
        self, name: str, kind: Kind[T], sentence: str, default: T | Callable[[], T] = _NEEDED, *, option: str = "",
        short: str = "", metavar: str = "", default_text: str = "", stored: str = "", former: str = "",
        placed: bool = False, unless: str = "", shell: bool = True, face: bool = True, shell_needs: bool = False,
    ) -> None:  # fmt: skip
        self.name, self.kind, self._sentence, self._default = name, kind, sentence, default
        self._option, self.short, self.metavar, self.default_text = option, short, metavar, default_text
        self.stored, self.former, self.placed = stored, former, placed
        self.unless, self.shell, self.face, self.shell_needs = unless, shell, face, shell_needs

    @property
    def sentence(self) -> str:
        """What it is; forms of guests are among those that it tells."""
        return self._sentence.replace("{forms}", self.kind.forms) if "{forms}" in self._sentence else self._sentence

    @property
    def needed(self) -> bool:
        """True where it must be given."""
        return self._default is _NEEDED

    @property
    def default(self) -> T:
        assert not self.needed, f"{self.name} has no default"
        return cast(T, self._default() if callable(self._default) else self._default)

    @property
    def is_flag(self) -> bool:
        return isinstance(self.kind, Flag)

    @property
    def option(self) -> str:
        """What a shell writes; empty where the place says it."""
        if self.placed:
            return ""
        return self._option or _dashed(self.name, turns_off=self.is_flag and self._default is True)

    @property
    def former_option(self) -> str:
        return _dashed(self.former, turns_off=self.is_flag and self._default is True) if self.former else ""

    @property
    def written(self) -> str:
        """What a shell calls it: the option, or what stands for the value at its place."""
        return self.option or self.metavar

    @property
    def help(self) -> str:
        """The sentence with range and default behind it, as `--help` and the reference tell it."""
        words = [f"`{word}`" for word in self.kind.words] if "{words}" in self.sentence else []
        said = self.sentence.replace(
            "{words}", " or ".join((", ".join(words[:-1]), *words[-1:])) if words[1:] else "".join(words)
        )
        said = f"{said}, {self.kind.bounds}" if self.kind.bounds else said
        default = self.default_text
        if not default and not self.needed and not self.is_flag and self.default not in (None, (), ""):
            default = ",".join(map(str, self.default)) if isinstance(self.default, tuple) else str(self.default)  # type: ignore[reportUnknownArgumentType]
        return f"{said} (default {default})" if default else said

    def check(self, value: object, of: str = "") -> T:
        """The value in its plain form, from Python. of: whose it is, before the name. Raises UsageError."""
        return self._checked(value, f"{of}{self.name}=")

    def of_shell(self, texts: Sequence[str]) -> T:
        """The value that a command's words write. Raises UsageError, with the sentence that Python gets."""
        kind = self.kind
        return self._checked(
            kind.read_all(texts) if kind.repeated else kind.read(texts[-1]), self.option or self.metavar
        )

    def _checked(self, value: object, written: str) -> T:
        try:
            return self.kind.check(value)
        except Unfit as unfit:
            expected = self.kind.expected
            raise UsageError(f"{written} must be {expected}, got {shown(unfit.got)}{unfit.hint}") from None

    def but(self, **changes: Any) -> "Setting[T]":
        """The same with another sentence, default or way to be written."""
        made = object.__new__(cast("type[Setting[T]]", Setting))
        made.__dict__.update(self.__dict__)
        for name, value in changes.items():
            made.__dict__[f"_{name}" if name in ("option", "default", "sentence") else name] = value
        return made

    def asked(self, **changes: Any) -> "Setting[T | None]":
        """The same where nothing need be said: None is its default."""
        kind = self.kind if isinstance(self.kind, Maybe) else Maybe(self.kind)
        return cast("Setting[T | None]", self.but(kind=kind, default=None, **changes))


def _dashed(name: str, *, turns_off: bool) -> str:
    return f"--{'no-' if turns_off else ''}{name.replace('_', '-')}"


class Group:
    """Settings under a title of the help. alone: at most one of them can be given; needed: one of them must be."""

    def __init__(self, title: str, *settings: Setting[Any], alone: bool = False, needed: bool = False) -> None:
        self.title, self.settings, self.alone, self.needed = title, settings, alone, needed


class Apart:
    """What does not go with a choice. when: whether, of these names of settings given, the choice was made."""

    def __init__(self, when: Callable[[Collection[str]], bool], what: str, *names: str) -> None:
        self.when, self.what, self.names = when, what, names
