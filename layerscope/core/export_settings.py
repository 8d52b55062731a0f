"""The part of the table of settings (`core/settings.py`) that says what of an atlas is published, and how."""

from typing import Any

from layerscope.core.setting import Apart, Group, Setting
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
RUNTIME = Setting(
    "runtime", Maybe(Place()),
    "ONNX Runtime Web, which runs it: npm's file `onnxruntime-web-VERSION.tgz`, or its folder; nothing is fetched",
    None, metavar="PATH",
)  # fmt: skip


def network_beside(s: Any) -> Group:
    """The network and what belongs to it. s: the table of settings."""
    network = s.NET.asked(
        name="network", option="--with-network", placed=False,
        sentence="the atlas's own network, small enough for a page to load: {forms}",
    )  # fmt: skip
    title = "the network itself, to look at pictures in the reader's browser"
    return Group(title, network, s.WEIGHTS, s.TRUST, s.BIND, RUNTIME)


def needs_network(s: Any) -> Apart:
    """What is said of a network goes with one. s: the table of settings."""
    names = [one.name for one in network_beside(s).settings if one.name != "network"]
    return Apart(lambda given: "network" not in given, "pages without a network", *names)
