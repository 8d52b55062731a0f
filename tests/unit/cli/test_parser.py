"""The tree of the command line: its words are those of the package, and wrong usage is one sentence."""

import pkgutil
from inspect import signature

import pytest

from layerscope.api import verbs
from layerscope.cli import options
from layerscope.cli import parser as tree
from layerscope.cli import verbs as cli_verbs
from layerscope.cli.parser import parse
from layerscope.core import records
from layerscope.core.codecs import CODECS
from layerscope.core.errors import UsageError
from layerscope.core.methods import METHODS
from layerscope.models.named import NAMED
from layerscope.sources import decode
from layerscope.sources.prepare import RESAMPLING

VERBS = (
    "layers",
    "build",
    "show",
    "figure",
    "serve",
    "live",
    "look",
    "export",
    "info",
    "check",
    "dissect",
    "evolve",
    "train",
    "evaluate",
    "ops",
    "demo",
    "world",
    "completion",
)


def test_the_verbs_are_those_of_the_design():
    """All of them, each with a module to carry it out."""
    assert tuple(tree.verbs(tree.parser())) == VERBS
    modules = {module.name for module in pkgutil.iter_modules(cli_verbs.__path__)}
    assert modules == set(VERBS)


def test_words_that_the_tree_repeats_are_the_packages_own():
    """They are written out again only since the originals load NumPy."""
    assert METHODS.names == options.METHODS
    assert options.VIEWS == records.VIEWS
    assert set(options.CODECS) == set(CODECS.names)
    assert set(options.INTERPOLATIONS) == set(RESAMPLING)
    assert options.ORIENTATIONS == decode.ORIENTATIONS
    assert options.MAX_PIXELS == decode.LARGEST_PICTURE == signature(verbs.images).parameters["max_pixels"].default
    assert set(options.NAMED) == set(NAMED)


@pytest.mark.parametrize("verb", VERBS)
def test_every_argument_says_what_it_is(verb):
    """No argument without a word of help."""
    assert all(action.help for action in tree.verbs(tree.parser())[verb]._actions)


def test_a_build_in_full():
    """Options end as values of the types that build takes."""
    what = "--layers f.* --layers g --method guided,gradient --method deconvnet --k 4 --units 8 --no-pictures"
    line = f"build net.py:f --images a.tar b.tar -o x.atlas --input 1x8x9 --mean 0.5 {what}"
    arguments = parse(line.split())
    assert (arguments.network, arguments.images, arguments.out) == ("net.py:f", ["a.tar", "b.tar"], "x.atlas")
    assert arguments.layers == ["f.*", "g"]
    assert arguments.method == ["guided", "gradient", "deconvnet"]
    assert (arguments.k, arguments.units, arguments.input, arguments.mean) == (4, 8, (1, 8, 9), (0.5,))
    assert arguments.no_pictures and not arguments.json


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "say what to do: layers, build"),
        ("bild", 'no verb "bild"; did you mean build?'),
        ("xyzzy", 'no verb "xyzzy"; the verbs are layers, build'),
        ("build x --imgaes y", 'build has no option "--imgaes"; did you mean --images'),
        ("show x --verbose=1", 'show has no option "--verbose"'),
        ("build x", "required: --images; see layerscope build --help"),
        ("show x layer unit", 'UNIT: expected a whole number of at least 0, got "unit"'),
        ("show x layer 1 2", "unrecognized arguments: 2"),
        ("build x --images y --k 0", '--k: expected a whole number of at least 1, got "0"'),
        ("build x --images y --over", 'no option "--over"; did you mean --'),
        ("figure x l -o p.png --unit 1 --units 2", "--units: not allowed with argument --unit"),
        ("build x --images y --codec gif", "--codec: invalid choice: 'gif'"),
        ("completion", "required: SHELL"),
    ],
)
def test_wrong_usage_is_a_sentence_that_names_it(line, sentence):
    """What was wrong is said, with the nearest right word or where to look; nothing is guessed from a beginning."""
    with pytest.raises(UsageError) as refusal:
        parse(line.split())
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
