"""The options of each verb, one function a verb; what several verbs share stands at the end."""

from argparse import ArgumentParser
from collections.abc import Callable

from layerscope.cli import values

# As in core.records, atlas.codecs, sources.decode and models.named, which load NumPy or torch: a test compares them.
METHODS = ("deconvnet", "guided", "gradient")
VIEWS = ("natural", "signal")
CODECS = ("jpeg", "webp", "webp-lossless", "png")
INTERPOLATIONS = ("bilinear", "bicubic", "nearest", "lanczos")
ORIENTATIONS = ("upright", "stored")
MAX_PIXELS = 178_956_970
SHELLS = ("bash", "zsh", "fish")
RECIPES = ("default", "further", "paper")
DATA = "a folder with train*.tar and val*.tar, or train/ and val/; any pictures with classes; or world"
NAMED = ("zfnet", "zfnet64", "worldnet")
NETWORK = (
    f"{', '.join(NAMED)}, torchvision:NAME, either with /none (random weights), path/file.py:FUNCTION or path/model.pt2"
)


def layers(verb: ArgumentParser) -> None:
    _network(verb)
    verb.add_argument("--auto", action="store_true", help='only the layers that "auto" means')
    _expected(verb)
    spoken(verb)


def build(verb: ArgumentParser) -> None:
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
    add(
        "--layers",
        metavar="GLOB",
        action="append",
        help='layers by name or pattern; commas or repeated (default "auto")',
    )
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
    spoken(verb)


def show(verb: ArgumentParser) -> None:
    _atlas(verb)
    verb.add_argument("layer", metavar="LAYER", nargs="?", help="its units, highest maximum first")
    verb.add_argument("unit", metavar="UNIT", nargs="?", type=values.whole(0), help="its peaks")
    spoken(verb)


def figure(verb: ArgumentParser) -> None:
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
    spoken(verb)


def serve(verb: ArgumentParser) -> None:
    verb.add_argument("atlas", metavar="FILE", nargs="+", help="atlases that layerscope build wrote")
    _address(verb)
    spoken(verb)


def live(verb: ArgumentParser) -> None:
    _atlas(verb)
    _network(verb)
    _weights(verb)
    _address(verb)
    spoken(verb)


def look(verb: ArgumentParser) -> None:
    _atlas(verb)
    _network(verb)
    verb.add_argument("picture", metavar="PICTURE", help="a picture file of any kind that build reads")
    add = verb.add_argument
    add("-o", "--out", metavar="PAGE", required=True, help="an .html file; one that exists is replaced")
    add("--method", choices=METHODS, help="projections by this method (default: that of the deepest plate)")
    _reading(add, "refuse a larger picture")
    _weights(verb)
    spoken(verb)


def export(verb: ArgumentParser) -> None:
    _atlas(verb)
    add = verb.add_argument
    add("folder", metavar="DIR", nargs="?", help="the folder to fill, empty or new (needed but for --dry-run)")
    add("--layers", metavar="GLOB", action="append", help="layers by name or pattern; commas or repeated (default all)")
    add("--tile", metavar="PX", type=values.whole(8), help="largest side of a tile, px (default: as stored)")
    add("--budget", metavar="SIZE", type=values.size, help="at most so much, such as 200MB: the most that fits")
    add("--no-photographs", action="store_true", help="no pixel and no name of the images")
    add("--no-projections", action="store_true", help="no projections, which partly recover the images")
    add("--overwrite", action="store_true", help="replace an earlier export in DIR")
    add("--dry-run", action="store_true", help="only count and estimate; writes nothing")
    spoken(verb)


def info(verb: ArgumentParser) -> None:
    _atlas(verb)
    spoken(verb)


def check(verb: ArgumentParser) -> None:
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
    spoken(verb)


def dissect(verb: ArgumentParser) -> None:
    _atlas(verb)
    verb.add_argument("network", metavar="NET", nargs="?", help=f"{NETWORK} (default: what the atlas names)")
    known = verb.add_mutually_exclusive_group(required=True)
    known.add_argument("--world", action="store_true", help="pictures of the visual world, drawn for it")
    known.add_argument("--masks", metavar="DIR", help="pictures and masks that layerscope world wrote")
    add = verb.add_argument
    add("--images", metavar="N", type=values.whole(1), help="how many (default 1500 of --world, all of --masks)")
    add("--seed", metavar="N", type=values.whole(0), default=0, help="of the world and the baselines (default 0)")
    _weights(verb)
    spoken(verb)


def evolve(verb: ArgumentParser) -> None:
    verb.add_argument("run", metavar="RUN", help="the folder of a training run, with two checkpoints at least")
    _images(verb)
    add = verb.add_argument
    add("-o", "--out", metavar="FIGURE", required=True, help="a .png, .pdf or .svg file")
    add("--overwrite", action="store_true", help="replace FIGURE where it exists")
    add(
        "--layers",
        metavar="GLOB",
        action="append",
        help="layers by name or pattern; commas or repeated (default: with a map)",
    )
    add("--units", metavar="N", type=values.whole(1), default=6, help="a seeded sample of N units a layer (default 6)")
    add("--seed", metavar="N", type=values.whole(0), default=0, help="seed of the sample (default 0)")
    add("--method", choices=METHODS, default="deconvnet", help="projections by this method (default deconvnet)")
    add("--view", choices=VIEWS, default="natural", help="how projections are shown (default natural)")
    spoken(verb)


def train(verb: ArgumentParser) -> None:
    add = verb.add_argument
    add("network", metavar="NET", choices=NAMED, help=f"one of {', '.join(NAMED)}")
    add("--data", metavar="SRC", required=True, help=DATA)
    add("--validate", metavar="SRC", help="other pictures to validate with, in place of those found or held out")
    add("--out", "-o", metavar="DIR", required=True, help="the run's folder; a run in it goes on")
    how = verb.add_argument_group("the recipe")
    add = how.add_argument
    add("--recipe", choices=RECIPES, default="default", help="default, a further cycle, or Zeiler & Fergus 2013's")
    add("--start", metavar="RUN", help="begin with the weights of an earlier run of the same network")
    add("--epochs", metavar="N", type=values.whole(1), help="epochs in all (default: the recipe's)")
    add("--rate", metavar="R", type=values.above_zero, help="peak learning rate (default: the recipe's)")
    add("--batch", metavar="N", type=values.whole(2), help="pictures in a step (default: the recipe's)")
    add("--seed", metavar="N", type=values.whole(0), help="seed of all that is drawn (default: the recipe's)")
    run = verb.add_argument_group("how it runs")
    run.add_argument("--device", metavar="DEVICE", help="cpu, cuda, cuda:1, mps (default: a GPU where there is one)")
    run.add_argument("--no-bf16", action="store_true", help="float32 even where the processor computes in bfloat16")
    spoken(verb)


def evaluate(verb: ArgumentParser) -> None:
    _network(verb)
    add = verb.add_argument
    add("--data", metavar="SRC", required=True, help=DATA)
    add("--classes", metavar="FILE", help="a table with index, wnid and name of each output (default: classes.tsv)")
    add("--limit", metavar="N", type=values.whole(1), help="only the first N pictures")
    add("--device", metavar="DEVICE", default="cpu", help="cpu, cuda, cuda:1, mps (default cpu)")
    _weights(verb)
    _expected(verb)
    spoken(verb)


def demo(verb: ArgumentParser) -> None:
    verb.add_argument("-o", "--out", metavar="DIR", default="demo", help="the folder to fill (default demo)")
    verb.add_argument("--images", metavar="N", type=values.whole(1), help="pictures (default 1000; 288 with --known)")
    verb.add_argument(
        "--known", action="store_true", help="instead a network whose filters were set by hand: every meaning is known"
    )
    spoken(verb)


def world(verb: ArgumentParser) -> None:
    add = verb.add_argument
    add("--out", metavar="DIR", required=True, help="the folder to fill; the same world, unfinished, goes on")
    add("--count", metavar="N", type=values.whole(1), default=20_000, help="pictures (default 20000)")
    add("--seed", metavar="N", type=values.whole(0), default=0, help="another seed is another world (default 0)")
    add("--size", metavar="PX", type=values.whole(16), default=64, help="sides of the pictures (default 64)")
    add("--shards", action="store_true", help="plain tar files of 1,000 pictures in place of single files")
    spoken(verb)


def completion(verb: ArgumentParser) -> None:
    verb.add_argument("shell", metavar="SHELL", choices=SHELLS, help=f"one of {', '.join(SHELLS)}")


def _network(verb: ArgumentParser) -> None:
    verb.add_argument("network", metavar="NET", help=NETWORK)


def _atlas(verb: ArgumentParser) -> None:
    verb.add_argument("atlas", metavar="FILE", help="an atlas that layerscope build wrote")


def _address(verb: ArgumentParser) -> None:
    add = verb.add_argument
    add("--host", metavar="NAME", default="127.0.0.1", help="listen here (default 127.0.0.1, this machine only)")
    add("--port", metavar="N", type=values.port, default=8000, help="or the next that is free; 0 is any (default 8000)")
    add("--base", metavar="PATH", default="", help="the path below which a proxy shows the pages, such as /p/lab")
    add("--name", metavar="HOST", action="append", help="a host name under which a proxy shows them; repeatable")
    add("--no-browser", action="store_true", help="do not open the browser")


def _images(verb: ArgumentParser) -> None:
    group = verb.add_argument_group("images")
    sources = "a folder, a glob, picture files or .tar files"
    group.add_argument("--images", metavar="SRC", nargs="+", required=True, help=sources)
    group.add_argument("--labels", metavar="FILE", help="classes: a CSV or TSV table of files and classes")
    group.add_argument("--limit", metavar="N", type=values.whole(1), help="only the first N images")
    _reading(group.add_argument, "skip larger pictures")


def _reading(add: Callable[..., object], too_large: str) -> None:
    """How picture files are read."""
    orientation = "turn pictures by their EXIF orientation, or take them as stored, as torchvision does"
    add("--orientation", choices=ORIENTATIONS, default="upright", help=f"{orientation} (default upright)")
    too_large = f"{too_large} (default {MAX_PIXELS})"
    add("--max-pixels", metavar="N", type=values.whole(1), default=MAX_PIXELS, help=too_large)


def _weights(verb: ArgumentParser) -> None:
    verb.add_argument("--weights", metavar="FILE", help="weights for NET, of any making; FILE::KEY for a part of them")


def _expected(verb: ArgumentParser) -> None:
    add = verb.add_argument_group("what the network expects, where NET does not say or is to be overruled").add_argument
    add("--input", metavar="CxHxW", type=values.shape, help="channels, height and width, such as 3x224x224")
    add("--mean", metavar="LIST", type=values.numbers, help="per channel, of values in 0..1, such as 0.5,0.5,0.5")
    add("--std", metavar="LIST", type=values.numbers, help="per channel, likewise")
    add("--order", choices=("RGB", "BGR"), help="order of the channels")
    add("--resize", metavar="PX", type=values.whole(1), help="short side of the picture before the crop")
    add("--crop", choices=("center", "squash"), help="cut the middle out, or resize without regard to the aspect")
    add("--interpolation", choices=INTERPOLATIONS, help="of the resizing")
    add("--show", metavar="R,G,B", type=values.three_channels, help="channels shown as red, green and blue")


def spoken(verb: ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="results as JSON")
    verb.add_argument("--quiet", action="store_true", help="no progress and no remarks")
