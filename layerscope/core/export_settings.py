"""The part of the table of settings (`core/settings.py`) that says which network runs beside an export's pages."""

from typing import Any

from layerscope.core.setting import Apart, Group, Setting
from layerscope.core.texts import Place
from layerscope.core.values import Maybe

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
