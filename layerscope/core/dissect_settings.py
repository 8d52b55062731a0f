"""The part of the table of settings (`core/settings.py`) that says what is known of pictures."""

from layerscope.core.setting import Setting
from layerscope.core.texts import Anything, Place
from layerscope.core.values import Flag, Maybe, Whole

MASKED = Setting(
    "count", Maybe(Whole(1)), "how many pictures", None, option="--images", metavar="N",
    default_text="1500 of `--world`, all of `--masks`",
)  # fmt: skip
WORLD = Setting("world", Flag(), "pictures of the visual world, drawn for it", False)
MASKS = Setting(
    "masks", Maybe(Place()), "pictures and masks: of `layerscope world`, COCO, Broden, or folders as ADE20K's", None,
    metavar="PATH",
)  # fmt: skip
KNOWN_BY_LABELS = Setting(
    "labels", Maybe(Anything("a table of labels, or pictures with classes", path=True, python="as `images`")),
    "a table of files and labels, several columns of which make a hierarchy; or pictures with classes", None,
    metavar="FILE",
)  # fmt: skip
KNOWN_BY_WORDS = Setting(
    "words", Maybe(Anything("a file of words, or a list of them", path=True, python="str, Path or list of str")),
    "words, one a line, that a model of `--clip` compares with the pictures of `--data`", None, metavar="FILE",
)  # fmt: skip
CLIP = Setting(
    "clip", Maybe(Place()), "for `--words`: a folder with a CLIP or SigLIP model; nothing is fetched", None,
    metavar="DIR",
)  # fmt: skip
INTERVENE = Setting("intervene", Flag(), "take concepts out of the atlas's pictures: do the names stand?", False)
