"""The tree of the command line, made from the table of verbs: argparse parts the words, the table judges the values.

Wrong usage raises UsageError, so that it ends like any other mistake of a user: with one sentence.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence

from layerscope.core.errors import UsageError, nearest
from layerscope.core.verb import Verb
from layerscope.core.verbs import COMMANDS
from layerscope.core.version import __version__

TYPE_CHECKING = False  # see core/verb.py
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from layerscope.core.setting import Setting

EPILOG = (
    "Results go to stdout, progress and remarks to stderr. Exit status: 0 fine; 1 a mistake, said in one sentence, "
    "or Ctrl-C; 2 a bug of layerscope. layerscope VERB --help tells more about a verb."
)


class Parser(argparse.ArgumentParser):
    """argparse, but wrong usage is an exception and an option's name is never guessed from its beginning."""

    def __init__(self, **settings: "Any") -> None:
        super().__init__(allow_abbrev=False, formatter_class=_formatter, **settings)

    def error(self, message: str) -> "NoReturn":
        raise UsageError(f"{message}; see {self.prog} --help")


def _formatter(prog: str) -> argparse.HelpFormatter:
    """As wide as the terminal; argparse would load the compression libraries to learn how wide that is."""
    try:
        columns = int(os.environ.get("COLUMNS", 0)) or os.get_terminal_size(sys.stdout.fileno()).columns
    except (AttributeError, ValueError, OSError):
        columns = 80
    return argparse.HelpFormatter(prog, width=max(columns or 80, 20) - 2)


class Command(argparse.Namespace):
    """A command, understood.

    verb: its name. values: its settings by Python's names, checked, the defaults among them. json, quiet: how it
    speaks. remarks: what a user should know of how it was written.
    """

    verb: str
    values: "dict[str, Any]"
    json: bool
    quiet: bool
    remarks: tuple[str, ...]


def parse(words: Sequence[str]) -> Command:
    """The command that these words are. Raises UsageError, and SystemExit after --help."""
    name = next((word for word in words if not word.startswith("-")), None)
    if name is not None and name not in COMMANDS:
        hint = nearest(name, COMMANDS) or f"; the verbs are {', '.join(COMMANDS)}"
        raise UsageError(f'there is no verb "{name}"{hint}')
    if name is not None:
        _check_options(COMMANDS[name], words)
    written = parser(name).parse_args(words)
    if name is None:
        raise UsageError(f"say what to do: {', '.join(COMMANDS)}; see layerscope --help")
    return _command(COMMANDS[name], vars(written))


def _command(verb: Verb, written: "dict[str, Any]") -> Command:
    values: dict[str, Any] = {}
    given: set[str] = set()
    remarks: list[str] = []
    for setting in settings_of(verb):
        if setting.former and written.get(setting.former) is not None:
            written[setting.name] = written[setting.former]
            remarks.append(f"{setting.former_option} is now called {setting.option}")
        texts = written.get(setting.name)
        if texts is None:
            values[setting.name] = setting.default
            continue
        given.add(setting.name)
        values[setting.name] = (
            texts if setting.is_flag else setting.of_shell([texts] if isinstance(texts, str) else texts)
        )
    verb.require_together(given, "shell")
    flags = {name: bool(values.pop(name, False)) for name in ("json", "quiet")}
    return Command(verb=verb.name, values=values, remarks=tuple(remarks), **flags)


def _check_options(verb: Verb, words: Sequence[str]) -> None:
    """A mistyped option is named first; argparse would first miss what it stands for."""
    known = ["-h", "--help", *(option for setting in settings_of(verb) for option in options_of(setting))]
    former = [setting.former_option for setting in settings_of(verb)]
    for word in words[list(words).index(verb.written) :]:
        option = word.partition("=")[0]
        if option == "--":
            return
        if option.startswith("--") and option not in known and option not in former:
            hint = nearest(option, known) or f"; see layerscope {verb.written} --help"
            raise UsageError(f'layerscope {verb.written} has no option "{option}"{hint}')


def parser(chosen: str | None = None) -> Parser:
    """The whole tree; of its branches only that of the chosen verb has leaves, the others are names in the help."""
    top = Parser(prog="layerscope", description="See what every unit of a trained CNN detects.", epilog=EPILOG)
    top.add_argument("--version", action="version", version=f"layerscope {__version__}")
    leaf: Any = _branch
    branches: Any = top.add_subparsers(dest="verb", metavar="VERB", title="verbs", parser_class=leaf)
    for name, verb in COMMANDS.items():
        branches.add_parser(name, help=_plain(verb.sentence), chosen=verb if name == chosen else None)
    return top


def _branch(chosen: Verb | None, **settings: "Any") -> Parser | None:
    """A verb's own parser, if it is the chosen one."""
    if chosen is None:
        return None
    sentence = _plain(chosen.sentence)
    branch = Parser(description=f"{sentence[0].upper()}{sentence[1:]}.", **settings)
    _grow(branch, chosen)
    return branch


def settings_of(verb: Verb) -> "Iterator[Setting[Any]]":
    """What a verb of the command line takes, in the order of its help."""
    yield from (setting for setting in verb.settings if setting.shell)
    yield from spoken_by(verb)


def spoken_by(verb: Verb) -> "tuple[Setting[Any], ...]":
    """What every verb takes, but for that which prints a shell's own script."""
    from layerscope.core.settings import JSON, QUIET

    return (JSON, QUIET) if verb.face else ()


def options_of(setting: "Setting[Any]") -> tuple[str, ...]:
    """What may be written for it: its short name, then the long one; nothing for what is told by its place."""
    return tuple(option for option in (setting.short, setting.option) if option)


def _grow(branch: Parser, verb: Verb) -> None:
    from layerscope.core.setting import Group

    for argument in (*verb.arguments, *spoken_by(verb)):
        if isinstance(argument, Group):
            group = branch.add_argument_group(argument.title)
            for setting in argument.settings:
                _add(group, setting)
        else:
            _add(branch, argument)


def _add(to: "argparse._ActionsContainer", setting: "Setting[Any]") -> None:
    """One argument; its value stays text, which the table reads."""
    if not setting.shell:
        return
    help_text = _plain(setting.help).replace("%", "%%")
    if setting.is_flag:
        how: dict[str, Any] = {"action": "store_const", "const": not setting.default}
        if setting.former:
            to.add_argument(setting.former_option, dest=setting.former, help=argparse.SUPPRESS, **how)
    else:
        how = {"metavar": setting.metavar}
        how |= {"": {}, "+": {"nargs": "+"}, "again": {"action": "append"}}[setting.kind.repeated]
    if setting.placed:
        if not setting.needed:
            how["nargs"] = "?"
        to.add_argument(setting.name, help=help_text, **how)
    else:
        needed = setting.needed or setting.shell_needs
        to.add_argument(*options_of(setting), dest=setting.name, required=needed, help=help_text, **how)


def _plain(text: str) -> str:
    return text.replace("`", "")
