"""One atlas of several, which a build goes on with."""

import os
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.api import before
from layerscope.api.atlas import Atlas
from layerscope.api.atlas import open as open_atlas
from layerscope.api.checked import checked
from layerscope.api.reporting import reporting
from layerscope.core import settings as s
from layerscope.core.errors import AtlasError
from layerscope.core.failures import plain_failures
from layerscope.core.verbs import VERBS

if TYPE_CHECKING:
    from layerscope.core.progress import Progress


@checked(VERBS["merge"])
@plain_failures()
def merge(
    atlases: Sequence[str | PathLike[str]],
    out: str | PathLike[str],
    *,
    progress: "bool | Progress | None" = s.PROGRESS.default,
) -> Atlas:
    """Make one atlas of several of one network over different images, as one scan of all these images would.

    atlases: files, in the order of their images, built with mergeable=True, or with begin or end. out: the new file.
    It holds the images, peaks, strata and statistics of all, and opens; `build` with the same network and settings and
    all images, in this order, goes on with it, scans nothing again, and ends with the rows of one build over all, where
    every atlas but the last is of a multiple of 128 images. What else the atlases hold (names, notes) is left behind.
    progress: whom to tell what is worth knowing, False for nobody.

    Raises UsageError for fewer than two atlases, one named twice, and images in two of them; WrongModel, with what
    differs, for other networks, weights, settings or layers; AtlasError for an atlas that is unfinished, keeps no sums
    or is none, and where `out` exists.
    """
    several = [atlases] if isinstance(atlases, (str, os.PathLike)) else list(atlases)
    paths, place = [Path(one).expanduser() for one in several], Path(out).expanduser()
    before.require_file(place, "the atlas")
    if place.exists():
        raise AtlasError(f"{place} exists already; choose another name for the new atlas, or remove it first")
    before.require_room(place, sum(path.stat().st_size // 8 for path in paths if path.is_file()), "the atlas")
    from layerscope.pipeline.merging import merge_atlases  # PyTorch, after what is quickly known to be wrong

    with reporting(progress) as reporter:
        merge_atlases(paths, place, reporter)
    return open_atlas(place)
