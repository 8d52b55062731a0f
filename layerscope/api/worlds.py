"""Pictures whose content is known, with a mask for every concept in them, as a folder."""

import time
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.api import before
from layerscope.api.checked import checked
from layerscope.api.reporting import reporting
from layerscope.core import settings as s
from layerscope.core.verbs import VERBS
from layerscope.world import CLASSES, CONCEPTS, write_world

if TYPE_CHECKING:
    from layerscope.core.progress import Progress

# Of each picture at least so much is written: the picture and its masks.
BYTES_PER_PICTURE = 500


@dataclass(frozen=True, kw_only=True)
class Written:
    """A world on disk. out: where. pictures: how many there are now, written: how many of them are new.

    classes, concepts: how many there are of each. seconds: of this call.
    """

    out: Path
    pictures: int
    written: int
    classes: int
    concepts: int
    seconds: float

    def data(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self) | {"out": str(self.out), "seconds": round(self.seconds, 3)}


@checked(VERBS["world"])
def world(
    out: str | PathLike[str],
    *,
    count: int = s.WORLD_COUNT.default,
    seed: int = s.SEED.default,
    size: int = s.SIZE.default,
    shards: bool = s.SHARDS.default,
    progress: "bool | Progress | None" = s.PROGRESS.default,
) -> Written:
    """Write pictures whose content is known, with masks of every concept in them; the same call goes on.

    out: the folder to fill; what holds anything else is refused. count: how many. seed: another is another world.
    size: sides of the pictures, px. shards: plain tar files of 1,000 pictures in place of single files. progress: as
    for `build`. Raises UsageError.
    """
    folder, started = Path(out).expanduser(), time.monotonic()
    before.require_fillable(folder, "the world")
    if not folder.exists():
        before.require_room(folder, BYTES_PER_PICTURE * count, "the world")
    with reporting(progress) as reporter:
        there = write_world(folder, count, seed, size, shards, _PictureProgress(reporter, count))
    return Written(
        out=folder, pictures=count, written=count - there, classes=len(CLASSES), concepts=len(CONCEPTS),
        seconds=time.monotonic() - started,
    )  # fmt: skip


class _PictureProgress:
    """Shows progress: it is told first how many pictures were there, then how many are done."""

    def __init__(self, reporter: "Progress", count: int) -> None:
        self._reporter, self._count = reporter, count
        self._before: int | None = None

    def __call__(self, done: int) -> None:
        if self._before is None:
            self._reporter.start("pictures", self._count, done)
        elif done > self._before:
            self._reporter.step(done - self._before)
        self._before = done
