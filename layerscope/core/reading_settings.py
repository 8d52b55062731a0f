"""The part of the table of settings (`core/settings.py`) that says where in a table images lie, and which are taken."""

from layerscope.core.setting import Setting
from layerscope.core.texts import Text
from layerscope.core.values import Flag, Maybe, Whole

LIMIT = Setting("limit", Maybe(Whole(1)), "only the first N images", None, metavar="N")
SPREAD = Setting(
    "sample", Maybe(Whole(1)), "only N images, spread over all and the same each time", None, metavar="N"
)  # fmt: skip
BEGIN = Setting(
    "begin", Maybe(Whole(0)), "only images from this number on, counted from 0 (of those that `--sample` leaves)", None,
    option="--from", metavar="I",
)  # fmt: skip
END = Setting("end", Maybe(Whole(1)), "only images before this number", None, option="--to", metavar="J")
CHOSEN = (SPREAD, BEGIN, END, LIMIT)
IMAGE_COLUMN = Setting(
    "image_column", Maybe(Text("the name of a column")), "of a data set, the column that holds the images", None,
    metavar="NAME", default_text="the only one of images",
)  # fmt: skip
LABEL_COLUMN = Setting(
    "label_column", Maybe(Text("the name of a column")), "of a data set, the column that holds the classes", None,
    metavar="NAME", default_text="the only one of classes",
)  # fmt: skip
OF_COLUMNS = (IMAGE_COLUMN, LABEL_COLUMN)
MERGEABLE = Setting(
    "mergeable", Flag(), "keep the sums of the scan too, for `merge`; `--from` and `--to` do so of themselves", False
)
