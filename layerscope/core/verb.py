"""One verb: its name and sentence, the settings that it takes, and what does not go together.

The settings are loaded when they are asked for: a list of the verbs does without.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property

from layerscope.core.errors import UsageError

# As in `typing`, which a list of the verbs is not to wait for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from layerscope.core.setting import Apart, Group, Setting


class Verb:
    """A verb of the command line and of the package.

    sentence: what it does, as an order without a full stop. apart: what does not go together. resumes: whether the same
    command goes on with what was stopped. face: whether it is a function of the package too; shell: whether it is a
    verb of the command line.
    """

    def __init__(
        self,
        name: str,
        sentence: str,
        arguments: "Callable[[Any], tuple[Setting[Any] | Group, ...]]",
        *,
        apart: "Callable[[Any], tuple[Apart, ...]]" = lambda s: (),
        resumes: bool = False,
        shell: bool = True,
        face: bool = True,
    ) -> None:
        """arguments, apart: from the table of settings."""
        self.name, self.sentence, self._arguments, self._apart = name, sentence, arguments, apart
        self.resumes, self.shell, self.face = resumes, shell, face

    @property
    def written(self) -> str:
        """How a shell writes its name."""
        return self.name.replace("_", "-")

    @cached_property
    def arguments(self) -> "tuple[Setting[Any] | Group, ...]":
        """Settings, and groups of them, in the order of the help."""
        from layerscope.core import settings

        return self._arguments(settings)

    @property
    def settings(self) -> "Iterator[Setting[Any]]":
        """All of them, in the order of the help."""
        from layerscope.core.setting import Group

        for argument in self.arguments:
            yield from argument.settings if isinstance(argument, Group) else (argument,)

    def checked(self, given: Mapping[str, object]) -> "dict[str, Any]":
        """What Python gave, by name, each in its plain form. Raises UsageError."""
        known = {setting.name: setting for setting in self.settings}
        found = {name: known[name].check(value) if name in known else value for name, value in given.items()}
        self.require_together({name for name in known if name in found and _says(known[name], found[name])}, "face")
        return found

    def require_together(self, given: Collection[str], face: str) -> None:
        """Raises UsageError where two settings were given that exclude each other, or what is needed was not.

        face: "shell" or "face", for the way in which the names are written.
        """
        from layerscope.core import settings
        from layerscope.core.setting import Group

        for one in self.settings:
            if one.unless and one.name not in given and one.unless not in given:
                raise UsageError(f"{_written(one, face)} is missing: {one.sentence}")
        for group in self.arguments:
            if not isinstance(group, Group) or not (group.alone or group.needed):
                continue
            named = [_written(one, face) for one in group.settings if one.name in given]
            if group.alone and len(named) > 1:
                raise UsageError(f"{named[1]} does not go with {named[0]}; give one of them")
            if group.needed and not named:
                raise UsageError(f"give {' or '.join(_written(one, face) for one in group.settings)}")
        for rule in self._apart(settings):
            wrong = [one for one in self.settings if one.name in rule.names and one.name in given]
            if wrong and rule.when(given):
                raise UsageError(f"{_written(wrong[0], face)} does not go with {rule.what}; leave it out")


def _says(setting: "Setting[Any]", value: object) -> bool:
    return setting.needed or value != setting.default


def _written(setting: "Setting[Any]", face: str) -> str:
    return setting.written if face == "shell" else f"{setting.name}="
