"""The part of the table of settings (`core/settings.py`) that only figures have."""

from layerscope.core.setting import Group, Setting
from layerscope.core.values import Flag, Maybe, Number, Whole

FIGURE = "a `.png`, `.pdf` or `.svg` file"
FILTERS = Setting("filters", Flag(), "the filters of the first layer, or of LAYER", False)
SHARED_SCALE = Setting("shared_scale", Flag(), "one gray scale for all tiles of a unit", False)
FIGURE_WIDTH = Setting(
    "width", Maybe(Number(1, 100)), "width of the figure, inches", None, metavar="INCHES", default_text="7"
)
DPI = Setting("dpi", Whole(10, 2400), "dots per inch of a `.png`", 300, metavar="N")

# A tree grows by its branches with every step: more of either than this no page holds.
TREE = Setting("tree", Flag(), "of the one unit, what it is made of, and what that is made of, as a tree", False)
DEPTH = Setting("depth", Whole(1, 8), "how many layers a tree goes back", 3, metavar="N")
BRANCHES = Setting("branches", Whole(1, 8), "of each unit in a tree, so many parts", 3, metavar="N")
TREES = Group("a tree", TREE, DEPTH, BRANCHES)
