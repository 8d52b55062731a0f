"""The command line as a tree: every verb with its arguments. Nothing here takes time to import.

Wrong usage raises UsageError, so that it ends like any other mistake of a user: with one sentence.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import NoReturn

from layerscope.cli import values
from layerscope.core.errors import UsageError, nearest
from layerscope.core.version import __version__

# As in core.records and atlas.codecs, which load NumPy: a test holds these to them.
METHODS = ("deconvnet", "guided", "gradient")
VIEWS = ("natural", "signal")
CODECS = ("jpeg", "webp", "webp-lossless", "png")
INTERPOLATIONS = ("bilinear", "bicubic", "nearest", "lanczos")
SHELLS = ("bash", "zsh", "fish")

EPILOG = (
    "Results go to stdout, progress and remarks to stderr. Exit status: 0 fine; 1 a mistake, said in one sentence, "
    "or Ctrl-C; 2 a bug of layerscope. layerscope VERB --help tells more about a verb."
)
NETWORK = "torchvision:NAME, torchvision:NAME/none (random weights), path/file.py:FUNCTION or path/model.pt2"


class Parser(argparse.ArgumentParser):
    """argparse, but wrong usage is an exception and an option's name is never guessed from its beginning."""

    def __init__(self, **options: object) -> None:
        super().__init__(allow_abbrev=False, **options)  # type: ignore[arg-type]

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
    options = [option for action in verb._actions for option in action.option_strings]
    for word in words[list(words).index(name) :]:
        option = word.partition("=")[0]
        if option == "--":
            return
        if option.startswith("--") and option not in options:
            hint = nearest(option, options) or f"; see layerscope {name} --help"
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


def _layers(verb: Parser) -> None:
    _network(verb)
    verb.add_argument("--auto", action="store_true", help='only the layers that "auto" means')
    _expected(verb)
    _spoken(verb)


def _build(verb: Parser) -> None:
    _network(verb)
    _images(verb)
    verb.add_argument(
        "-o", "--out", metavar="FILE", help="the atlas (needed but for --dry-run); a build into it goes on"
    )
    verb.add_argument("--overwrite", action="store_true", help="start anew where FILE exists")
    verb.add_argument("--dry-run", action="store_true", help="only forecast time and size; writes nothing")
    _weights(verb)
    _expected(verb)
    what = verb.add_argument_group("what the atlas holds")
    add = what.add_argument
    add("--layers", metavar="GLOB", action="append", help='layers by name or pattern; repeatable (default "auto")')
    add(
        "--method",
        metavar="METHOD",
        action="extend",
        type=values.Among(METHODS),
        help=f"projections: {', '.join(METHODS)}; commas or repeated (default deconvnet,guided)",
    )
    add("--k", metavar="K", type=values.whole(1), default=9, help="peaks kept per unit (default 9)")
    add("--units", metavar="N", type=values.whole(1), help="pictures for a seeded sample of N units per layer only")
    add("--tile", metavar="PX", type=values.whole(1), default=96, help="largest side of a stored tile (default 96)")
    add("--dense", action="store_true", help="project dense layers too")
    add("--no-pictures", action="store_true", help="keep no small whole pictures")
    add("--keep-signal", action="store_true", help="keep the projections themselves too, as float16")
    add("--codec", choices=CODECS, default="jpeg", help="how tiles and pictures are stored (default jpeg)")
    add("--seed", metavar="N", type=values.whole(0), default=0, help="seed of every sample (default 0)")
    run = verb.add_argument_group("how it runs")
    run.add_argument("--workers", metavar="N", type=values.whole(1), default=2, help="decoding threads (default 2)")
    run.add_argument("--device", metavar="DEVICE", default="cpu", help="cpu, cuda, cuda:1, mps (default cpu)")
    _spoken(verb)


def _show(verb: Parser) -> None:
    _atlas(verb)
    verb.add_argument("layer", metavar="LAYER", nargs="?", help="its units, highest maximum first")
    verb.add_argument("unit", metavar="UNIT", nargs="?", type=values.whole(0), help="its peaks")
    _spoken(verb)


def _figure(verb: Parser) -> None:
    _atlas(verb)
    verb.add_argument("layer", metavar="LAYER", nargs="?", help="the layer shown; without it, an overview of all")
    add = verb.add_argument
    add("-o", "--out", metavar="PLATE", required=True, help="a .png, .pdf or .svg file; one that exists is replaced")
    what = verb.add_mutually_exclusive_group()
    what.add_argument("--units", metavar="LIST", type=values.unit_numbers, help="these units, such as 1,2,5-9")
    what.add_argument("--count", metavar="N", type=values.whole(1), help="a seeded sample of N units (default 16)")
    what.add_argument("--unit", metavar="N", type=values.whole(0), help="the page of one unit")
    what.add_argument("--filters", action="store_true", help="the filters of the first layer, or of LAYER")
    add("--method", choices=METHODS, help="projections by this method (default: the layer's own)")
    add("--view", choices=VIEWS, help="how projections are shown (default natural)")
    add("--shared-scale", action="store_true", help="one gray scale for all tiles of a unit")
    add("--width", metavar="INCHES", type=values.above_zero, help="width of the figure (default 7)")
    add("--dpi", metavar="N", type=values.whole(1), default=300, help="dots per inch of a .png (default 300)")
    _spoken(verb)


def _info(verb: Parser) -> None:
    _atlas(verb)
    _spoken(verb)


def _check(verb: Parser) -> None:
    _atlas(verb)
    _network(verb)
    _images(verb)
    _weights(verb)
    _expected(verb)
    verb.add_argument(
        "--sample",
        metavar="N",
        type=values.whole(1),
        default=32,
        help="peaks of each layer computed again (default 32)",
    )
    verb.add_argument("--seed", metavar="N", type=values.whole(0), default=0, help="seed of the sample (default 0)")
    _spoken(verb)


def _demo(verb: Parser) -> None:
    verb.add_argument("-o", "--out", metavar="DIR", default="demo", help="the folder to fill (default demo)")
    verb.add_argument("--images", metavar="N", type=values.whole(1), default=288, help="pictures (default 288)")
    _spoken(verb)


def _completion(verb: Parser) -> None:
    verb.add_argument("shell", metavar="SHELL", choices=SHELLS, help=f"one of {', '.join(SHELLS)}")


def _network(verb: Parser) -> None:
    verb.add_argument("network", metavar="NET", help=NETWORK)


def _atlas(verb: Parser) -> None:
    verb.add_argument("atlas", metavar="FILE", help="an atlas that layerscope build wrote")


def _images(verb: Parser) -> None:
    group = verb.add_argument_group("images")
    sources = "a folder, a glob, picture files or .tar files"
    group.add_argument("--images", metavar="SRC", nargs="+", required=True, help=sources)
    group.add_argument("--labels", metavar="FILE", help='classes: a CSV or TSV file of lines "file, class"')
    group.add_argument("--limit", metavar="N", type=values.whole(1), help="only the first N images")


def _weights(verb: Parser) -> None:
    verb.add_argument("--weights", metavar="FILE", help="a state dict for NET: .safetensors or .pt")


def _expected(verb: Parser) -> None:
    add = verb.add_argument_group("what the network expects, where NET does not say or is to be overruled").add_argument
    add("--input", metavar="CxHxW", type=values.shape, help="channels, height and width, such as 3x224x224")
    add("--mean", metavar="LIST", type=values.numbers, help="per channel, of values in 0..1, such as 0.5,0.5,0.5")
    add("--std", metavar="LIST", type=values.numbers, help="per channel, likewise")
    add("--order", choices=("RGB", "BGR"), help="order of the channels")
    add("--resize", metavar="PX", type=values.whole(1), help="short side of the picture before the crop")
    add("--crop", choices=("center", "squash"), help="cut the middle out, or resize without regard to the aspect")
    add("--interpolation", choices=INTERPOLATIONS, help="of the resizing")
    add("--show", metavar="R,G,B", type=values.three_channels, help="channels shown as red, green and blue")


def _spoken(verb: Parser) -> None:
    verb.add_argument("--json", action="store_true", help="results as JSON")
    verb.add_argument("--quiet", action="store_true", help="no progress and no remarks")


VERBS: dict[str, tuple[str, Callable[[Parser], None]]] = {
    "layers": ("list the layers of a network, with their receptive fields; needs no weights", _layers),
    "build": ("scan images with a network, project its peaks, write an atlas; resumes", _build),
    "show": ("print the layers of an atlas, the units of a layer, or the peaks of a unit", _show),
    "figure": ("draw a plate of a layer, the page of a unit, first-layer filters, or an overview", _figure),
    "info": ("print what made an atlas and what it holds", _info),
    "check": ("compute a sample of an atlas's peaks again and compare", _check),
    "ops": ("list the operations that networks may be made of, and those declined", _spoken),
    "demo": ("build the atlas of a network whose every unit's meaning is known, and check it", _demo),
    "completion": ("print a completion script for a shell", _completion),
}
