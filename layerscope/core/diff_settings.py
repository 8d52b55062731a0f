"""A part of the table of settings (`core/settings.py`): what is asked of two atlases that are compared."""

from layerscope.core import changes
from layerscope.core.conditions import Bound
from layerscope.core.sequences import Several
from layerscope.core.setting import Setting
from layerscope.core.settings import ATLAS
from layerscope.core.values import Number

BEFORE = ATLAS.but(name="before", metavar="A", sentence="the atlas of the network as it was")
AFTER = ATLAS.but(name="after", metavar="B", sentence="the atlas of the network as it is, over images that both hold")
LEAST = Setting(
    "least", Number(0.01, 1), "two units are the same whose agreement is at least R", changes.LEAST, metavar="R"
)
FAIL_ON = Setting(
    "fail_on", Several(Bound(), "conditions", empty=True),
    "end with status 1 where so many units are `matched`, `changed`, `moved`, `lost`, `dead` or `new`, such as "
    "`'dead>0'`; with commas or repeated",
    (), metavar="CONDITION", face=False,
)  # fmt: skip
