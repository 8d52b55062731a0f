"""The part of the table of settings (`core/settings.py`) that only a terminal has."""

from layerscope.core.setting import Setting
from layerscope.core.texts import RowName
from layerscope.core.values import Maybe

PICTURES = Setting(
    "pictures", Maybe(RowName("layerscope.core.picture_forms:PICTURE_FORMS")),
    "tiles of units, drawn as {words}", None, metavar="FORM",
    default_text="blocks in a terminal that has colours, else none", face=False,
)  # fmt: skip
