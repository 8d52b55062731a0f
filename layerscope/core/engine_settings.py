"""The part of the table of settings (`core/settings.py`) that says who makes the pieces of a build, and where."""

import re
from typing import Any

from layerscope.core.setting import Setting
from layerscope.core.texts import RowName
from layerscope.core.values import Kind, Maybe, Unfit, Whole


class ClusterAddress(Kind[str]):
    """Where a Ray cluster is to be found."""

    expected = "auto, local, HOST:PORT or ray://HOST:PORT"

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(r"auto|local|(ray://)?[^\s/:@]+:\d{1,5}", value):
            raise Unfit(value)
        return value


ENGINE = Setting(
    "engine", Maybe(RowName("layerscope.core.engines:ENGINES")), "who makes the pieces: {words}", None,
    metavar="WORD", default_text="`local`; `processes` where their number is given",
)  # fmt: skip
PROCESSES = Setting(
    "processes", Maybe(Whole(1, 4096)), "how many processes make pieces, each with decoding threads of its own", None,
    metavar="N", default_text="one; with `processes` and `ray` as many as there are cores or GPUs for",
)  # fmt: skip
ADDRESS = Setting(
    "address", Maybe(ClusterAddress()),
    "the Ray cluster: `auto`, one that runs on this machine or that RAY_ADDRESS names; `local`, one begun for this "
    "build; `HOST:PORT`; or `ray://HOST:PORT`", None, metavar="WHERE", default_text="`auto`",
)  # fmt: skip
