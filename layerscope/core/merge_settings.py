"""The part of the table of settings (`core/settings.py`) that belongs to `merge`."""

from layerscope.core.setting import Setting
from layerscope.core.texts import Anything

MERGED = Setting(
    "atlases", Anything("two or more atlases", path=True, repeated="+", python="a list of str or Path"),
    "atlases of one network over different images, in the order of their images", metavar="FILE", placed=True,
)  # fmt: skip
