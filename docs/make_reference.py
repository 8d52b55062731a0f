"""Writes the tables of the reference pages that the table of settings gives: python docs/make_reference.py

In a page such a table stands between `<!-- settings: NAME -->` and `<!-- end -->`; what stands there is replaced.
"""

import builtins
import inspect
import re
from collections.abc import Iterable
from pathlib import Path

import layerscope as ls
from layerscope.core.setting import Setting
from layerscope.core.settings import EXPECTED, READ
from layerscope.core.verb import Verb
from layerscope.core.verbs import COMMANDS, VERBS

PAGES = ("command-line.md", "python.md")
MARKED = re.compile(r"(<!-- (?P<kind>settings|members): (?P<name>[\w.-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
# What several verbs take stands once.
SHARED = {"images": READ, "expected": EXPECTED}


def written(page: str) -> str:
    """A page with its tables made anew."""
    makers = {"settings": table, "members": members}
    return MARKED.sub(lambda found: f"{found[1]}{makers[found['kind']](found['name'])}\n{found[4]}", page)


def table(name: str) -> str:
    """The table of this name: a group that several verbs share, a verb of the shell, or `ls.VERB` for Python's."""
    if name in SHARED:
        return "\n".join(("| option | meaning |", "| --- | --- |", *map(of_shell, shown(SHARED[name].settings))))
    if name.startswith("ls."):
        lines = (of_python(setting) for setting in VERBS[name.removeprefix("ls.")].settings if setting.face)
        return "\n".join(("| argument | meaning |", "| --- | --- |", *lines))
    own = [setting for setting in shown(COMMANDS[name].settings) if not shared(COMMANDS[name], setting)]
    return "\n".join(("| option | meaning |", "| --- | --- |", *map(of_shell, own)))


def members(name: str) -> str:
    """The public members of a class, each with the first sentence of what it says of itself."""
    lines = ["| member | meaning |", "| --- | --- |"]
    for member, value in vars(getattr(ls, name)).items():
        if not member.startswith("_") and (said := inspect.getdoc(value)) and inspect.getmodule(value) is not builtins:
            called = (
                f"`{member}({', '.join(list(inspect.signature(value).parameters)[1:])})`"
                if callable(value)
                else f"`{member}`"
            )
            lines.append(line(called, " ".join(said.split("\n\n")[0].split())))
    return "\n".join(lines)


def shown(settings: Iterable[Setting]) -> list[Setting]:
    """Those that a shell has; places are told in the prose, but where they need a word."""
    return [setting for setting in settings if setting.shell and (not setting.placed or setting.unless)]


def shared(verb: Verb, setting: Setting) -> bool:
    """True for what the shared tables of images and of the network's input tell, for the verbs that take these."""
    return any(group in verb.arguments and setting in group.settings for group in (READ, EXPECTED))


def of_shell(setting: Setting) -> str:
    """One line: how it is written, and what it means."""
    behind = f" {setting.metavar}" if setting.metavar and setting.option else ""
    names = (setting.short, setting.option) if setting.option else (setting.metavar,)
    but = f" but for `--{setting.unless.replace('_', '-')}`" if setting.unless else ""
    return line(
        ", ".join(f"`{name}{behind}`" for name in names if name),
        setting.help + (f"; needed{but}" if setting.needed or setting.unless else ""),
    )


def of_python(setting: Setting) -> str:
    """One line: its name, what it means, its type and default."""
    default = "" if setting.needed or setting.unless else f"; `{shown_in_python(setting.default)}`"
    said = setting.sentence
    if setting.is_flag and setting.default is True:
        said = f"`False`: {said}"
    words = [f'`"{word}"`' for word in setting.kind.words]
    said = said.replace("{words}", ", ".join(words))
    bounds = f", {setting.kind.bounds}" if setting.kind.bounds else ""
    return line(f"`{setting.name}`", f"{said}{bounds} ({setting.kind.python()}){default}")


def shown_in_python(value: object) -> str:
    """A default as Python writes it, in the double quotes of these pages."""
    return repr(value).replace("'", '"')


def line(first: str, second: str) -> str:
    return f"| {first} | {second.replace('|', chr(92) + '|')} |"


if __name__ == "__main__":
    for path in (Path(__file__).parent / "reference" / name for name in PAGES):
        path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
