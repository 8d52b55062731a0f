"""The command line as a tree: every verb with its arguments. Nothing here takes time to import.

Wrong usage raises UsageError, so that it ends like any other mistake of a user: with one sentence.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import NoReturn

from layerscope.cli import options
from layerscope.core.errors import UsageError, nearest
from layerscope.core.version import __version__

EPILOG = (
    "Results go to stdout, progress and remarks to stderr. Exit status: 0 fine; 1 a mistake, said in one sentence, "
    "or Ctrl-C; 2 a bug of layerscope. layerscope VERB --help tells more about a verb."
)


class Parser(argparse.ArgumentParser):
    """argparse, but wrong usage is an exception and an option's name is never guessed from its beginning."""

    def __init__(self, **settings: object) -> None:
        super().__init__(allow_abbrev=False, **settings)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The arguments of a command; `verb` names its verb. Raises UsageError, and SystemExit after --help."""
    top = parser()
    known = verbs(top)
    verb = next((word for word in words if not word.startswith("-")), None)
    if verb is not None and verb not in known:
        hint = nearest(verb, known) or f"; the verbs are {', '.join(known)}"
        raise UsageError(f'there is no verb "{verb}"{hint}')
    if verb is not None:
        _check_options(verb, known[verb], words)
    arguments = top.parse_args(words)
    if arguments.verb is None:
        raise UsageError(f"say what to do: {', '.join(known)}; see layerscope --help")
    return arguments


def _check_options(name: str, verb: Parser, words: Sequence[str]) -> None:
    """A mistyped option is named first; argparse would first miss what it stands for."""
    known = [option for action in verb._actions for option in action.option_strings]
    for word in words[list(words).index(name) :]:
        option = word.partition("=")[0]
        if option == "--":
            return
        if option.startswith("--") and option not in known:
            hint = nearest(option, known) or f"; see layerscope {name} --help"
            raise UsageError(f'layerscope {name} has no option "{option}"{hint}')


def parser() -> Parser:
    """The whole tree."""
    top = Parser(prog="layerscope", description="See what every unit of a trained CNN detects.", epilog=EPILOG)
    top.add_argument("--version", action="version", version=f"layerscope {__version__}")
    top.set_defaults(json=False, quiet=False)
    branches = top.add_subparsers(dest="verb", metavar="VERB", title="verbs", parser_class=Parser)
    for name, (sentence, grow) in VERBS.items():
        grow(branches.add_parser(name, help=sentence, description=f"{sentence[0].upper()}{sentence[1:]}."))
    return top


def verbs(top: Parser) -> dict[str, Parser]:
    """The branches of the tree by verb."""
    (branches,) = (action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    return dict(branches.choices)


VERBS: dict[str, tuple[str, Callable[[Parser], None]]] = {
    "layers": ("list the layers of a network, with their receptive fields; needs no weights", options.layers),
    "build": ("scan images with a network, project its peaks, write an atlas; resumes", options.build),
    "show": ("print the layers of an atlas, the units of a layer, or the peaks of a unit", options.show),
    "figure": ("draw a plate of a layer, the page of a unit, first-layer filters, or an overview", options.figure),
    "serve": ("show atlases in the browser, from this machine", options.serve),
    "live": ("show an atlas in the browser with its network, which watches a camera or pictures", options.live),
    "look": ("write a page of the units that a picture of your own excites at every layer", options.look),
    "export": ("write an atlas as a folder of web pages that opens anywhere, without a server", options.export),
    "info": ("print what made an atlas and what it holds", options.info),
    "check": ("compute a sample of an atlas's peaks again and compare", options.check),
    "dissect": ("find which unit detects which concept, on pictures whose content is known", options.dissect),
    "evolve": ("show how features develop over the checkpoints of a training run", options.evolve),
    "train": ("train a network that layerscope brings along; resumes", options.train),
    "evaluate": ("count how often a network is right about pictures whose classes are known", options.evaluate),
    "ops": ("list the operations that networks may be made of, and those declined", options.spoken),
    "demo": ("look into a small trained network with pictures of known content: atlas, plates, a report", options.demo),
    "world": ("write pictures whose content is known, with masks of every concept; resumes", options.world),
    "completion": ("print a completion script for a shell", options.completion),
}
