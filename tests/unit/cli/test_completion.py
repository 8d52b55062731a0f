"""Completion scripts know every verb, option and choice of the tree, and bash's works."""

import shutil
import subprocess

import pytest

from layerscope.cli.completion import arguments, script
from layerscope.core.codecs import CODECS
from layerscope.core.methods import METHODS
from layerscope.core.settings import SHELLS
from layerscope.core.verbs import COMMANDS


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_names_every_verb_option_and_choice(shell, command):
    """Whatever the tree knows can be completed."""
    status, written, said = command("completion", shell)
    assert (status, said) == (0, "")
    for name in COMMANDS:
        assert name in written
        for argument in arguments(name):
            dashed = argument.names if shell != "fish" else [option.lstrip("-") for option in argument.names]
            assert all(option in written for option in dashed)
            assert all(word in written for word in argument.words)


def completed(*words: str) -> list[str]:
    """What bash offers for the last of these words."""
    bash = shutil.which("bash")
    assert bash is not None, "the tests run in bash"
    quoted = " ".join(f"'{word}'" for word in words)
    typed = f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}"
    code = f'{script("bash")}\n{typed}; _layerscope; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run([bash, "--norc", "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("layerscope", "bu"), ["build"]),
        (("layerscope", "build", "net", "--over"), ["--overwrite"]),
        (("layerscope", "build", "net", "--codec", ""), list(CODECS.own)),
        (("layerscope", "build", "net", "--method", ""), list(METHODS.own)),
        (("layerscope", "completion", "z"), ["zsh"]),
        (("layerscope", "show", "my.at"), []),
    ],
)
def test_bash_offers_verbs_options_and_choices(words, offered):
    """Verbs first, options after a dash, an option's own words behind it; paths are left to bash itself."""
    assert completed(*words) == offered


@pytest.mark.parametrize("shell", SHELLS)
def test_quotes_are_balanced(shell):
    """No help text ends a quoted string early: outside of escapes, single quotes come in pairs on every line."""
    escape = "\\'" if shell == "fish" else "'\\''"
    lines = [line for line in script(shell).splitlines() if not line.startswith("#")]
    assert all(line.replace(escape, "").count("'") % 2 == 0 for line in lines)
