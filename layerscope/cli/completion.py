"""Completion scripts for shells, written from the table of verbs: what it knows, they know."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from layerscope.cli.parser import options_of, settings_of
from layerscope.core.setting import Setting
from layerscope.core.verbs import COMMANDS


class Argument(NamedTuple):
    """An option, or an argument without a name. kind: "" for a switch, else "path", "word" or "other"."""

    names: tuple[str, ...]
    kind: str
    words: tuple[str, ...]
    placeholder: str
    help: str
    repeated: bool


def script(shell: str) -> str:
    """The script for "bash", "zsh" or "fish"."""
    writers: dict[str, Callable[[], Iterator[str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    return "\n".join(writers[shell]())


def arguments(verb: str) -> list[Argument]:
    """What a verb takes, in the order of its help."""
    asked = Argument(("-h", "--help"), "", (), "", "what the verb does and takes", False)
    return [asked, *(_argument(setting) for setting in settings_of(COMMANDS[verb]))]


def _argument(setting: Setting[Any]) -> Argument:
    words = setting.kind.words
    kind = "" if setting.is_flag else "word" if words else "path" if setting.kind.path else "other"
    return Argument(
        names=options_of(setting),
        kind=kind,
        words=words,
        placeholder=setting.metavar,
        help=setting.help.replace("`", ""),
        repeated=bool(setting.kind.repeated),
    )


def _bash() -> Iterator[str]:
    """One case per verb for the options, one per option for its values; all else is a path."""
    yield '# layerscope in bash: eval "$(layerscope completion bash)"'
    yield "_layerscope() {"
    yield "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} words="
    yield "    COMPREPLY=()"
    yield '    if [ "$COMP_CWORD" -eq 1 ]; then'
    yield f"        words='{' '.join((*COMMANDS, '--help', '--version'))}'"
    yield "    else"
    yield '        case "$verb $before" in'
    for name in COMMANDS:
        for argument in arguments(name):
            if argument.words:
                keys = argument.names or (name,)
                patterns = " | ".join(f"'{name} {key}'" for key in keys)
                yield f"            {patterns}) words='{' '.join(argument.words)}' ;;"
    yield "        esac"
    yield '        if [ -z "$words" ] && [ "${word#-}" != "$word" ]; then'
    yield '            case "$verb" in'
    for name in COMMANDS:
        names = " ".join(option for argument in arguments(name) for option in argument.names)
        yield f"                {name}) words='{names}' ;;"
    yield "            esac"
    yield "        fi"
    yield "    fi"
    yield '    if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$word")); fi'
    yield "}"
    yield "complete -o default -F _layerscope layerscope"


def _zsh() -> Iterator[str]:
    """The argument descriptions of _arguments, one call per verb."""
    yield "#compdef layerscope"
    yield '# layerscope in zsh: save as _layerscope in a folder of $fpath, or eval "$(layerscope completion zsh)"'
    yield "_layerscope() {"
    yield "    if (( CURRENT == 2 )); then"
    yield "        local -a known=("
    for name, verb in COMMANDS.items():
        yield f"            {_quoted(f'{name}:{verb.sentence}')}"
    yield "        )"
    yield "        _describe verb known"
    yield "        return"
    yield "    fi"
    yield "    local verb=$words[2]"
    yield "    shift words"
    yield "    (( CURRENT-- ))"
    yield '    case "$verb" in'
    for name in COMMANDS:
        described = (line for argument in arguments(name) for line in _zsh_argument(argument))
        yield f"        {name}) _arguments {' '.join(map(_quoted, described))} ;;"
    yield "    esac"
    yield "}"
    # Loaded by name from $fpath, the file itself is the first call; else it only registers.
    yield 'if [ "$funcstack[1]" = _layerscope ]; then _layerscope "$@"; else compdef _layerscope layerscope; fi'


def _zsh_argument(argument: Argument) -> Iterator[str]:
    values = {"path": "_files", "word": f"({' '.join(argument.words)})", "other": " ", "": ""}[argument.kind]
    taken = f":{_plain(argument.placeholder)}:{values}" if argument.kind else ""
    if not argument.names:
        yield taken
    for name in argument.names:
        # Every option may be given again, or both of its names: the last one counts.
        yield f"*{name}[{_plain(argument.help)}]{taken}"


def _plain(text: str) -> str:
    """Without what _arguments takes for its own."""
    return text.translate(str.maketrans({"[": "(", "]": ")", ":": "\\:"}))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish() -> Iterator[str]:
    """One `complete` per verb and per option."""
    yield "# layerscope in fish: layerscope completion fish > ~/.config/fish/completions/layerscope.fish"
    for name, verb in COMMANDS.items():
        yield f"complete -c layerscope -f -n __fish_use_subcommand -a {name} -d {_fish_quoted(verb.sentence)}"
        condition = f"-n '__fish_seen_subcommand_from {name}'"
        for argument in arguments(name):
            values = {
                "path": "-r -F",
                "word": f"-x -a '{' '.join(argument.words)}'",
                "other": "-x",
                "": "-f",
            }[argument.kind]
            if argument.names:
                names = " ".join(f"-{'l' if n.startswith('--') else 's'} {n.lstrip('-')}" for n in argument.names)
                yield f"complete -c layerscope {condition} {names} {values} -d {_fish_quoted(argument.help)}"
            elif argument.words:
                yield f"complete -c layerscope {condition} -f -a '{' '.join(argument.words)}'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
