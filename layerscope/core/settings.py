"""THE table of settings: what each may be, its default, its sentence, and whether a finished atlas depends on it.

Whoever needs a default, a range or a list of words takes it from here: the parser and its help, the functions of the
package, the checks of both, the reference pages and the tests of what is refused. `core/verbs.py` says which verb takes
which. Plain words: loading this needs neither NumPy nor torch.
"""

from typing import Any, Literal

from layerscope.core import causes as causes  # its part of the table, for the table of verbs
from layerscope.core import export_settings as export_settings
from layerscope.core.dissect_settings import CLIP as CLIP
from layerscope.core.dissect_settings import INTERVENE as INTERVENE
from layerscope.core.dissect_settings import KNOWN_BY_LABELS as KNOWN_BY_LABELS
from layerscope.core.dissect_settings import KNOWN_BY_WORDS as KNOWN_BY_WORDS
from layerscope.core.dissect_settings import MASKED as MASKED
from layerscope.core.dissect_settings import MASKS as MASKS
from layerscope.core.dissect_settings import WORLD as WORLD
from layerscope.core.engine_settings import ADDRESS as ADDRESS
from layerscope.core.engine_settings import ENGINE as ENGINE
from layerscope.core.engine_settings import PROCESSES as PROCESSES
from layerscope.core.export_settings import BUDGET as BUDGET
from layerscope.core.export_settings import EXPORT_TILE as EXPORT_TILE
from layerscope.core.export_settings import FOLDER as FOLDER
from layerscope.core.export_settings import PHOTOGRAPHS as PHOTOGRAPHS
from layerscope.core.export_settings import PROJECTIONS as PROJECTIONS
from layerscope.core.export_settings import SITE_URL as SITE_URL
from layerscope.core.export_settings import ZIPPED as ZIPPED
from layerscope.core.figure_settings import DPI as DPI
from layerscope.core.figure_settings import FIGURE as FIGURE
from layerscope.core.figure_settings import FIGURE_WIDTH as FIGURE_WIDTH
from layerscope.core.figure_settings import FILTERS as FILTERS
from layerscope.core.figure_settings import SHARED_SCALE as SHARED_SCALE
from layerscope.core.figure_settings import TREES as TREES
from layerscope.core.own_networks import OURS
from layerscope.core.reading_settings import BEGIN as BEGIN
from layerscope.core.reading_settings import CHOSEN, OF_COLUMNS
from layerscope.core.reading_settings import END as END
from layerscope.core.reading_settings import IMAGE_COLUMN as IMAGE_COLUMN
from layerscope.core.reading_settings import LABEL_COLUMN as LABEL_COLUMN
from layerscope.core.reading_settings import LIMIT as LIMIT
from layerscope.core.reading_settings import MERGEABLE as MERGEABLE
from layerscope.core.reading_settings import SPREAD as SPREAD
from layerscope.core.sequences import Bindings, Names, Numbers, Several, Shape, UnitNumbers
from layerscope.core.setting import Apart as Apart  # for the table of verbs
from layerscope.core.setting import Group, Setting
from layerscope.core.texts import Anything, Expectation, Held, Place, Reporter, RowName, Text, Word
from layerscope.core.values import Flag, Maybe, Number, Whole

# Closed sets of words, for the type checker and for the table below.
View = Literal["natural", "signal"]
Order = Literal["RGB", "BGR"]
Crop = Literal["center", "squash", "letterbox"]
Interpolation = Literal["bilinear", "bicubic", "nearest", "lanczos"]
Orientation = Literal["upright", "stored"]
RecipeName = Literal["default", "further", "paper"]
Shell = Literal["bash", "zsh", "fish"]
VIEWS: tuple[View, ...] = ("natural", "signal")
ORDERS: tuple[Order, ...] = ("RGB", "BGR")
CROPS: tuple[Crop, ...] = ("center", "squash", "letterbox")
INTERPOLATIONS: tuple[Interpolation, ...] = ("bilinear", "bicubic", "nearest", "lanczos")
ORIENTATIONS: tuple[Orientation, ...] = ("upright", "stored")
RECIPES: tuple[RecipeName, ...] = ("default", "further", "paper")
SHELLS: tuple[Shell, ...] = ("bash", "zsh", "fish")


def _default_methods() -> tuple[str, ...]:
    from layerscope.core.methods import DEFAULT_METHODS

    return DEFAULT_METHODS


def _default_codec() -> str:
    from layerscope.core.codecs import DEFAULT_CODEC

    return DEFAULT_CODEC


METHOD_NAME = RowName("layerscope.core.methods:METHODS")
_SIDES, _COUNT, _SEED = Whole(8, 512), Whole(1), Whole(0, 2**63 - 1)

# What several verbs take: a network, an atlas, images, weights.
NET = Setting(
    "net",
    Anything("a network", path=True, python="Network, torch.nn.Module or str", forms="layerscope.core.networks:forms"),
    "{forms}", metavar="NET", placed=True,
)  # fmt: skip
WEIGHTS = Setting(
    "weights", Maybe(Place()), "weights for NET, of any making; `FILE::KEY` takes a part of the file", None,
    metavar="FILE",
)  # fmt: skip
TRUST = Setting("trust", Flag(), "run the code that a pickled file brings along: only of whom you trust", False)
BIND = Setting(
    "bind", Maybe(Bindings()), "a value for a further argument of NET's forward: none, true, false or a number", None,
    metavar="NAME=VALUE",
)  # fmt: skip
ATLAS = Setting(
    "atlas", Anything("an atlas, as its path", path=True, python="Atlas, str or Path"),
    "an atlas that `layerscope build` wrote", metavar="FILE", placed=True,
)  # fmt: skip
IMAGES = Setting(
    "images",
    Anything(
        "images: a folder, a glob, files, or a Dataset", path=True, repeated="+",
        python="Source, str, Path, list or Dataset", forms="layerscope.core.images:forms",
    ),
    "{forms}", metavar="SRC",
)  # fmt: skip
WITH_WEIGHTS = Setting("with_weights", Flag(), "random weights for a spec, for what needs none", True, shell=False)
LABELS = Setting(
    "labels", Maybe(Place()),
    "classes: a CSV or TSV table of files and classes; without it folder names are classes", None, metavar="FILE",
)  # fmt: skip
ORIENTATION = Setting(
    "orientation", Word(ORIENTATIONS),
    "`upright` turns pictures by their EXIF orientation, `stored` takes them as they lie, as torchvision does",
    "upright", metavar="WORD",
)  # fmt: skip
MAX_PIXELS = Setting("max_pixels", _COUNT, "skip larger pictures", 178_956_970, metavar="N")

# What a network expects: the fields of an Input. A shell overrules what the network itself says, where it is asked.
CHANNELS = Setting("channels", _COUNT, "of one image", 3)
HEIGHT = Setting("height", _COUNT, "of one image, px")
WIDTH = Setting("width", _COUNT, "of one image, px")
MEAN = Setting("mean", Numbers(), "per channel, of values in 0..1, such as `0.5,0.5,0.5`", (), metavar="LIST")
STD = Setting("std", Numbers(above_zero=True), "per channel, likewise", (), metavar="LIST")
ORDER = Setting[Order]("order", Word(ORDERS), "order of the channels: {words}", "RGB", metavar="WORD")
RESIZE = Setting("resize", Maybe(_COUNT), "short side of the picture before the crop", None, metavar="PX")
CROP = Setting[Crop](
    "crop", Word(CROPS), "`center` cuts the middle out, `squash` loses the aspect, `letterbox` has gray beside it",
    "center", metavar="WORD",
)  # fmt: skip
INTERPOLATION = Setting[Interpolation](
    "interpolation", Word(INTERPOLATIONS), "of the resizing: {words}", "bilinear", metavar="WORD",
)  # fmt: skip
SHOW = Setting(
    "show", Maybe(Shape(0, ",", "three channel numbers such as 3,2,1")),
    "channels shown as red, green and blue, numbered from 0", None, metavar="R,G,B",
)  # fmt: skip
OF_AN_INPUT = (CHANNELS, HEIGHT, WIDTH, MEAN, STD, ORDER, RESIZE, CROP, INTERPOLATION, SHOW)
SHAPE = Setting(
    "shape", Maybe(Shape(1, "x", "CHANNELSxHEIGHTxWIDTH such as 3x224x224")),
    "channels, height and width, such as `3x224x224`", None, option="--input", metavar="CxHxW", face=False,
)  # fmt: skip
INPUT = Setting("input", Expectation(), "what the network expects, an Input", None, shell=False)

# What an atlas holds.
LAYERS = Setting("layers", Names(), "layers by name or pattern; with commas or repeated", "auto", metavar="GLOB")
K = Setting("k", Whole(1, 128), "peaks kept per unit", 9, metavar="K", stored="k")
METHODS = Setting(
    "methods", Several(METHOD_NAME, "a list of methods"),
    "projections: {words}; with commas or repeated", _default_methods, option="--method", metavar="METHOD",
)  # fmt: skip
UNITS = Setting(
    "units", Maybe(_COUNT), "tiles for a seeded sample of N units per layer only; all units are scanned", None,
    metavar="N", stored="units",
)  # fmt: skip
TILE = Setting("tile", _SIDES, "largest side of a stored tile, px", 96, metavar="PX", stored="tile")
DENSE = Setting("dense", Flag(), "project dense layers too", False)
THUMBNAILS = Setting(
    "thumbnails", Flag(), "keep no thumbnails, the small whole images", True, stored="pictures", former="pictures"
)
STRICT = Setting("strict", Flag(), "refuse projections by rules that no paper states", False, stored="strict")
KEEP_SIGNAL = Setting(
    "keep_signal", Flag(), "keep the projections themselves too, as float16", False, stored="keep_signal"
)
CODEC = Setting(
    "codec", RowName("layerscope.core.codecs:CODECS"),
    "how tiles and thumbnails are stored: {words}", _default_codec, metavar="WORD",
    stored="codec",
)  # fmt: skip
SEED = Setting("seed", _SEED, "seed of every sample", 0, metavar="N", stored="seed")

# How a run goes.
OVERWRITE = Setting("overwrite", Flag(), "start anew where FILE exists", False)
DRY_RUN = Setting("dry_run", Flag(), "only forecast time and size; writes nothing", False)
WORKERS = Setting("workers", Whole(1, 1024), "decoding threads", 2, metavar="N")
DEVICE = Setting(
    "device", Text("the name of a device, such as cpu, cuda or cuda:1"), "`cpu`, `cuda`, `cuda:1`, `mps`", "cpu",
    metavar="DEVICE",
)  # fmt: skip
PROGRESS = Setting("progress", Reporter(), "bars on stderr, or nothing, or whom to tell", True, shell=False)
NO_PROGRESS = PROGRESS.but(default=False)

# What is shown, and how.
METHOD = Setting(
    "method", Maybe(METHOD_NAME), "projections by {words}", None, metavar="METHOD", default_text="the layer's own",
)  # fmt: skip
VIEW = Setting[View]("view", Word(VIEWS), "how projections are shown: {words}", "natural", metavar="WORD")
LAYER = Setting(
    "layer", Maybe(Text("the name of a layer")), "the layer shown; without it, an overview of all", None,
    metavar="LAYER", placed=True,
)  # fmt: skip
UNIT = Setting("unit", Maybe(Whole(0)), "its peaks", None, metavar="UNIT", placed=True)
SHOWN_UNITS = Setting("units", Maybe(UnitNumbers()), "these units, such as `1,2,5-9`", None, metavar="LIST")
SHOWN_COUNT = Setting(
    "count", Maybe(_COUNT), "a seeded sample of N units", None, metavar="N",
    default_text="16; an overview shows 4 a layer",
)  # fmt: skip

# Where pages are served.
HOST = Setting(
    "host", Text("the name or address of this machine"),
    "listen here; elsewhere than on this machine alone the address holds a token that every reader needs", "127.0.0.1",
    metavar="NAME",
)  # fmt: skip
PORT = Setting("port", Whole(0, 65535), "this port, or the next that is free; 0 is any", 8000, metavar="N")
BASE = Setting(
    "base", Text("a path", empty=True), "the path below which a proxy shows the pages, such as `/p/lab`", "",
    metavar="PATH",
)  # fmt: skip
HOST_NAMES = Setting(
    "names", Several(Text("the name of a host"), "a list of host names", empty=True),
    "a host name under which a proxy shows them, such as `lab.example.org`; repeatable", (), option="--name",
    metavar="HOST",
)  # fmt: skip
BROWSER = Setting("browser", Flag(), "do not open the browser", True)

# Training, and the world.
DATA = Setting(
    "data", Anything("pictures with classes, or world", path=True, python="str, Path, Source or Dataset"),
    "a folder with `train*.tar` and `val*.tar`, or `train/` and `val/`; any pictures with classes, of which 5 % are "
    "held out; or `world`, the visual world", metavar="SRC",
)  # fmt: skip
TRAINED = Setting("net", Word(tuple(OURS)), "{words}", metavar="NET", placed=True)
VALIDATE = Setting(
    "validate", Held("as data, or None"), "other pictures to validate with, in place of those found or held out", None,
    metavar="SRC",
)  # fmt: skip
RECIPE_NAME = Setting[RecipeName](
    "recipe", Word(RECIPES),
    "`default`, the network's own; `further`, a second, gentler cycle; or `paper`, as Zeiler & Fergus 2013 trained",
    "default", metavar="WORD", default_text="`default`",
)  # fmt: skip
START = Setting(
    "start", Maybe(Place()), "begin with the weights of an earlier run of the same network, that run's folder", None,
    metavar="RUN",
)  # fmt: skip
EPOCHS = Setting("epochs", Maybe(_COUNT), "epochs in all", None, metavar="N", default_text="the recipe's")
RATE = Setting("rate", Maybe(Number()), "peak learning rate", None, metavar="R", default_text="the recipe's")
BATCH = Setting(
    "batch", Maybe(Whole(2)), "pictures in a step, over all processes", None, metavar="N", default_text="the recipe's"
)
TRAIN_SEED = Setting("seed", Maybe(_SEED), "seed of all that is drawn", None, metavar="N", default_text="the recipe's")
BF16 = Setting("bf16", Flag(), "float32 even where the processor computes in bfloat16", True)
CLASSES = Setting(
    "classes", Maybe(Place()),
    "a table with the columns index, wnid and name of each output; without it `classes.tsv` in SRC or beside it", None,
    metavar="FILE",
)  # fmt: skip
RUN = Setting(
    "run", Place("the folder of a training run"), "the folder of a training run, with two checkpoints at least",
    metavar="RUN", placed=True,
)  # fmt: skip
EVOLVE_UNITS = Setting(
    "units", _COUNT, "a seeded sample of N units of each layer, of those alive at the last checkpoint", 6, metavar="N"
)
SIZE = Setting("size", Whole(16, 1024), "sides of the pictures, px", 64, metavar="PX")
SHARDS = Setting("shards", Flag(), "plain tar files of 1,000 pictures in place of single files", False)
WORLD_COUNT = Setting("count", _COUNT, "how many pictures", 20_000, metavar="N")
DEMO_COUNT = MASKED.but(default_text="1000; 288 with `--known`")
KNOWN = Setting("known", Flag(), "the network whose filters were set by hand: every meaning is known", False)
PEAKS = Setting("peaks", _COUNT, "peaks of each layer computed again", 32, metavar="N")
COMPARED = Setting("limit", Whole(1, 64), "at most so many pictures", 4, metavar="N")
PICTURE = Setting(
    "picture", Place("the path of a picture"), "a picture file of any kind that `build` reads", metavar="PICTURE",
    placed=True,
)  # fmt: skip
SHELL = Setting[Shell]("shell", Word(SHELLS), "{words}", metavar="SHELL", placed=True)

# What several verbs take together.
READ = Group("images", IMAGES, LABELS, *OF_COLUMNS, *CHOSEN, ORIENTATION, MAX_PIXELS)
EXPECTED = Group(
    "what the network expects, where NET does not say or is to be overruled",
    INPUT, SHAPE,
    *(one.asked(face=False) for one in (MEAN, STD, ORDER, RESIZE, CROP, INTERPOLATION, SHOW)),
)  # fmt: skip
SERVED = Group("where", HOST, PORT, BASE, HOST_NAMES, BROWSER)
RECIPE = Group("the recipe", RECIPE_NAME, START, EPOCHS, RATE, BATCH, TRAIN_SEED)
HELD = Group(
    "what the atlas holds", LAYERS, METHODS, K, UNITS, TILE, DENSE, THUMBNAILS, KEEP_SIGNAL, CODEC, SEED, STRICT,
    MERGEABLE,
)  # fmt: skip
GOING = Group("how it runs", WORKERS, DEVICE, ENGINE, PROCESSES, ADDRESS, PROGRESS)
# Said to every verb of the command line: results as JSON, no progress and no remarks.
JSON = Setting("json", Flag(), "results as JSON", False, face=False)
QUIET = Setting("quiet", Flag(), "no progress and no remarks", False, face=False)


def out(sentence: str, metavar: str, **more: Any) -> Setting[str]:
    """Where a verb writes; each verb has its own words for it."""
    return Setting("out", Place("the path of what is written"), sentence, short="-o", metavar=metavar, **more)
