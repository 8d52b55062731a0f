"""The part of the table of settings (`core/settings.py`) that says what of an atlas is published, and how."""

from layerscope.core.setting import Setting
from layerscope.core.texts import Place, SiteAddress
from layerscope.core.values import Bytes, Flag, Maybe, Whole

FOLDER = Setting(
    "folder", Maybe(Place()), "the folder to fill, empty or new; with `--zip` a `.zip` file", None, metavar="DIR",
    placed=True, unless="dry_run",
)  # fmt: skip
EXPORT_TILE = Setting(
    "tile", Maybe(Whole(8, 512)), "largest side of a tile, px; larger ones are made smaller", None, metavar="PX",
    default_text="all as stored",
)  # fmt: skip
BUDGET = Setting(
    "budget", Maybe(Bytes()), "at most so much, such as `200MB` or `1.5GB`: the most that fits", None, metavar="SIZE"
)
PHOTOGRAPHS = Setting("photographs", Flag(), "no pixel and no name of the images", True)
PROJECTIONS = Setting("projections", Flag(), "no projections, which partly recover the images", True)
ZIPPED = Setting("zipped", Flag(), "one `.zip` file in place of a folder", False, option="--zip")
SITE_URL = Setting(
    "url", Maybe(SiteAddress()), "where the site will stand, for links and their previews in chats", None, metavar="URL"
)
