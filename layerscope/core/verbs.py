"""The table of verbs: what each is called, its sentence, and the settings that it takes.

From it come the parser with its help, completion, the checks, the functions of the package and the reference pages.
"""

from collections.abc import Callable, Collection

from layerscope.core.other_verbs import OTHERS
from layerscope.core.verb import Verb

TYPE_CHECKING = False  # see core/verb.py
if TYPE_CHECKING:
    from typing import Any

    from layerscope.core.setting import Setting


def _no_layer(given: Collection[str]) -> bool:
    return not {"layer", "filters"} & set(given)


def _with(*names: str) -> Callable[[Collection[str]], bool]:
    """Whether any of these settings is given."""
    return lambda given: any(name in given for name in names)


def _in_a_terminal(s: "Any") -> "tuple[Setting[Any], ...]":
    """What `show` takes; the setting of pictures is of a terminal alone."""
    from layerscope.core.terminal_settings import PICTURES

    return s.ATLAS, s.LAYER.but(sentence="its units, highest maximum first"), s.UNIT, PICTURES


def _without(name: str) -> Callable[[Collection[str]], bool]:
    """Whether this setting is not given."""
    return lambda given: name not in given


_ALL = (
    Verb(
        "layers",
        "list the layers of a network, with their receptive fields; needs no weights",
        lambda s: (
            s.NET,
            s.Setting("auto", s.Flag(), "only the layers that `auto` means", False),
            s.WEIGHTS,
            s.TRUST,
            s.BIND,
            s.EXPECTED,
        ),
    ),
    Verb(
        "build",
        "scan images with a network, project its peaks, write an atlas; resumes",
        lambda s: (
            s.NET,
            s.READ,
            s.out("the atlas; a build into it goes on", "FILE", unless="dry_run").asked(),
            s.OVERWRITE,
            s.DRY_RUN.but(face=False),
            s.WEIGHTS,
            s.TRUST,
            s.BIND,
            s.EXPECTED,
            s.HELD,
            s.GOING,
        ),
        resumes=True,
    ),
    Verb(
        "forecast",
        "tell what a build will take",
        lambda s: (
            s.NET,
            s.READ,
            s.WEIGHTS,
            s.TRUST,
            s.BIND,
            s.EXPECTED,
            s.HELD,
            s.Group("how it runs", s.WORKERS, s.DEVICE, s.NO_PROGRESS),
        ),
        shell=False,
    ),
    Verb("show", "print the layers of an atlas, the units of a layer, or the peaks of a unit", _in_a_terminal),
    Verb(
        "figure",
        "draw a plate of a layer, the page or the tree of a unit, first-layer filters, or an overview",
        lambda s: (
            s.ATLAS,
            s.LAYER,
            s.out(f"{s.FIGURE}; one that exists is replaced", "PLATE").asked(shell_needs=True),
            s.Group(
                "what is shown",
                s.SHOWN_UNITS,
                s.SHOWN_COUNT,
                s.Setting("unit", s.UNIT.kind, "the page of one unit", None, metavar="N"),
                s.FILTERS,
                alone=True,
            ),
            s.TREES,
            s.METHOD,
            s.VIEW.asked(default_text="natural"),
            s.SHARED_SCALE,
            s.FIGURE_WIDTH,
            s.DPI,
        ),
        apart=lambda s: (
            s.Apart(_with("filters"), "the filters of a layer", "method", "view"),
            s.Apart(
                _no_layer,
                "an overview of all layers (none was named)",
                "units",
                "unit",
                "method",
                "shared_scale",
            ),
            s.Apart(_without("unit"), "a figure of many units (a tree is that of one, named as unit)", "tree"),
            s.Apart(_without("tree"), "a figure that is no tree", "depth", "branches"),
            s.Apart(_with("tree"), "a tree, which shows patches", "method", "view", "shared_scale"),
            s.Apart(
                _with("unit"),
                "the page of a unit, which shows every method and view",
                "method",
                "view",
                "shared_scale",
            ),
        ),
    ),
    Verb(
        "serve",
        "show atlases in the browser, from this machine",
        lambda s: (
            s.ATLAS.but(
                kind=s.Anything("one or more atlases", path=True, repeated="+", python="str, Path, or a list"),
                sentence="atlases that `layerscope build` wrote",
            ),
            s.SERVED,
        ),
    ),
    Verb(
        "live",
        "show an atlas in the browser with its network, which watches a camera or pictures",
        lambda s: (
            s.ATLAS,
            s.NET,
            s.IMAGES.but(sentence="where the atlas's images lie").asked(default_text="looked for near it"),
            *(s.WEIGHTS, s.TRUST, s.BIND, s.SERVED),
        ),
    ),
    Verb(
        "look",
        "write a page of the units that a picture of your own excites at every layer",
        lambda s: (
            s.ATLAS,
            s.NET,
            s.PICTURE,
            s.out("an `.html` file; one that exists is replaced", "PAGE"),
            s.METHOD.but(default_text="that of the deepest layer's plate"),
            s.ORIENTATION,
            s.MAX_PIXELS.but(sentence="refuse a larger picture"),
            s.WEIGHTS,
            s.TRUST,
            s.BIND,
        ),
    ),
    Verb(
        "export",
        "write an atlas as a folder of web pages that opens anywhere, without a server",
        lambda s: (
            s.ATLAS,
            s.FOLDER,
            s.LAYERS.asked(default_text="all"),
            s.EXPORT_TILE,
            s.BUDGET,
            s.PHOTOGRAPHS,
            s.PROJECTIONS,
            s.ZIPPED,
            s.SITE_URL,
            s.OVERWRITE.but(sentence="replace an earlier export in DIR; what holds anything else is left alone"),
            s.DRY_RUN.but(sentence="only count and estimate; writes nothing"),
            s.export_settings.network_beside(s),
            s.PROGRESS,
        ),
        apart=lambda s: (s.export_settings.needs_network(s),),
    ),
    Verb(
        "info",
        "print what made an atlas and what it holds",
        lambda s: (s.ATLAS,),
    ),
    Verb(
        "check",
        "compute a sample of an atlas's peaks again and compare",
        lambda s: (
            s.ATLAS,
            s.NET,
            s.READ,
            s.WEIGHTS,
            s.TRUST,
            s.BIND,
            s.EXPECTED,
            s.PEAKS,
            s.SEED.but(sentence="seed of the sample", stored=""),
        ),
    ),
    Verb(
        "trace_check",
        "run a network's own forward beside ours on picture files, and name what differs",
        lambda s: (
            s.NET,
            # Files themselves, as more than one reader reads them.
            s.IMAGES.but(
                kind=s.Anything(
                    "picture files: a folder, a glob or files", path=True, repeated="+", python="str, Path or list"
                ),
                sentence="a folder, a glob or picture files",
            ).asked(default_text="a few that are drawn"),
            s.Setting(
                "prepare",
                s.Held("a function, or None"),
                "a picture of Pillow's as the network's input",
                None,
                shell=False,
            ),
            s.COMPARED,
            s.ORIENTATION,
            s.WEIGHTS,
            s.TRUST,
            s.BIND,
            s.EXPECTED,
        ),
    ),
    Verb(
        "dissect",
        "find which unit detects which concept, on pictures whose content is known",
        lambda s: (
            s.ATLAS,
            s.NET.asked(default_text="what the atlas names"),
            s.Group(
                "pictures and what is known of them",
                s.WORLD,
                s.MASKS,
                s.KNOWN_BY_LABELS,
                s.KNOWN_BY_WORDS,
                alone=True,
                needed=True,
            ),
            s.INTERVENE,
            s.CLIP,
            s.IMAGES.but(name="data", sentence="the pictures of a table, of `--words` or of a COCO file").asked(
                default_text="those beside it"
            ),
            s.MASKED.but(default_text="1500 of `--world`, else all"),
            s.SEED.but(sentence="of the world's pictures and of the baselines", stored=""),
            s.WEIGHTS,
            s.TRUST,
            s.BIND,
            s.PROGRESS,
        ),
        apart=lambda s: (
            s.Apart(_with("world"), "pictures that are drawn for it", "data"),
            s.Apart(_without("words"), "names that are not of words", "clip"),
            s.Apart(
                _with("masks", "labels", "words"),
                "pictures that are only read: those that were drawn can be drawn again",
                "intervene",
            ),
        ),
    ),
    Verb(
        "find",
        "find units by a concept, a label, a word, a class or their notes",
        lambda s: (
            s.ATLAS,
            s.Setting("text", s.Text("a few words"), "a part of a name, in any case", metavar="TEXT", placed=True),
        ),
    ),
    Verb(
        "evolve",
        "show how features develop over the checkpoints of a training run",
        lambda s: (
            s.RUN,
            s.READ,
            s.out(s.FIGURE, "FIGURE"),
            s.OVERWRITE.but(sentence="replace FIGURE where it exists"),
            s.LAYERS.asked(default_text="those of `auto` that have a map"),
            s.EVOLVE_UNITS,
            s.SEED.but(sentence="seed of the sample", stored=""),
            s.Setting("method", s.METHOD_NAME, s.METHOD.sentence, lambda: s.METHODS.default[0], metavar="METHOD"),
            s.VIEW,
            s.PROGRESS,
        ),
    ),
)

VERBS: dict[str, Verb] = {verb.name: verb for verb in (*_ALL, *OTHERS)}
# The verbs of the command line, in the order of its help.
COMMANDS: dict[str, Verb] = {verb.written: verb for verb in VERBS.values() if verb.shell}
