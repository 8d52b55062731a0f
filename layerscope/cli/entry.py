"""From the words of a command to its exit status: 0 fine, 1 the user's mistake or Ctrl-C, 2 a bug.

A user's mistake is one sentence on stderr; a bug is a traceback and a request to report it.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from layerscope.cli import output
from layerscope.cli.parser import parse
from layerscope.core.errors import LayerscopeError
from layerscope.core.failures import plain_failures
from layerscope.core.verbs import COMMANDS
from layerscope.core.version import __version__

FINE, MISTAKE, BUG = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status. argv: the words behind `layerscope`, by default those of the process."""
    words = list(sys.argv[1:] if argv is None else argv)
    output.never_fail_to_encode()
    try:
        with plain_failures():
            return carry_out(words)
    except output.ReaderGone:
        # Whoever reads the results has seen enough (`layerscope ops | head`).
        return FINE
    except LayerscopeError as error:
        output.complain(str(error))
        return MISTAKE
    except KeyboardInterrupt:
        goes_on = (
            "; the same command goes on where it was"
            if words and words[0] in COMMANDS and COMMANDS[words[0]].resumes
            else ""
        )
        output.complain(f"stopped{goes_on}")
        return MISTAKE
    except Exception:
        import traceback

        output.complain(f"{traceback.format_exc()}\n{bug_sentence(words)}", one_line=False)
        return BUG


def carry_out(words: Sequence[str]) -> int:
    """Parse the command and hand it to its verb."""
    try:
        command = parse(words)
    except SystemExit:  # argparse, after --help and --version
        status = FINE
    else:
        from layerscope.cli.silence import others_silent

        printer = output.Output(json=command.json, quiet=command.quiet)
        for sentence in command.remarks:
            printer.remark(sentence)
        with others_silent():
            status = import_module(f"layerscope.cli.verbs.{command.verb}").run(command, printer)
    output.flush()
    return status


def bug_sentence(words: Sequence[str]) -> str:
    """What to do about a bug, and what its report must say."""
    import platform
    import shlex

    torch = sys.modules.get("torch")
    versions = [f"layerscope {__version__}", f"Python {platform.python_version()}", platform.system()]
    versions += [f"torch {torch.__version__}"] if torch else []
    return (
        f"layerscope: this is a bug in layerscope; please report it with the lines above, the command "
        f'"layerscope {shlex.join(words)}" and these versions: {", ".join(versions)}'
    )
