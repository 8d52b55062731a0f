"""What changed between two atlases, as plain values and as a data frame. No torch."""

from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from os import PathLike
from typing import TYPE_CHECKING, Any

from layerscope.api.atlas import Atlas
from layerscope.api.atlas import open as open_atlas
from layerscope.api.checked import checked
from layerscope.changes.diff import AtlasChanges, changes
from layerscope.changes.sides import differing_in
from layerscope.core.changes import NAMES
from layerscope.core.diff_settings import LEAST
from layerscope.core.errors import UsageError
from layerscope.core.verbs import VERBS

if TYPE_CHECKING:
    import pandas  # pyright: ignore[reportMissingTypeStubs]


@dataclass(frozen=True, kw_only=True)
class Diff(AtlasChanges):
    """What changed between two atlases. files: both, as they were named. `layers` and `units` are records, the worst
    first; `count("dead")` says of how many units a word is said."""

    files: tuple[str, str]

    @property
    def differing(self) -> tuple[str, ...]:
        """In what the atlases differ as a whole: "network", "weights", "images", "date"."""
        return differing_in(self.before, self.after)

    def data(self) -> dict[str, Any]:
        """All of it as plain values."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        found = {
            **plain,
            **{name: asdict(plain[name]) for name in ("before", "after")},
            **{name: [asdict(one) for one in plain[name]] for name in ("layers", "units")},
            **{name: list(plain[name]) for name in ("files", "only_before", "only_after")},
        }
        return {**found, "counts": {name: self.count(name) for name in NAMES}, "differing": list(self.differing)}

    def to_frame(self) -> "pandas.DataFrame":
        """One row for each unit, the worst first. Raises UsageError where pandas is not installed."""
        try:
            import pandas  # pyright: ignore[reportMissingTypeStubs]
        except ImportError as error:
            raise UsageError("to_frame needs pandas, which is not installed: pip install pandas") from error
        return pandas.DataFrame([asdict(one) for one in self.units])


@checked(VERBS["diff"])
def diff(
    before: Atlas | str | PathLike[str], after: Atlas | str | PathLike[str], *, least: float = LEAST.default
) -> Diff:
    """Tell what changed between two atlases of the same layers, over the images that both hold.

    before, after: the atlas of the network as it was, and as it is. least: two units are the same whose agreement, 0 to
    1, is at least so much. Every unit of each layer is matched, changed, moved, lost, dead or new; layers and units
    come the worst first.

    Raises UsageError for one atlas twice, an unfinished one, and two that have no layer or no image in common;
    AtlasError for a file that is no atlas.
    """
    with ExitStack() as opened:
        one, other = (
            named if isinstance(named, Atlas) else opened.enter_context(open_atlas(named)) for named in (before, after)
        )
        found = changes(one.file, other.file, least=least)
        files = (str(one.file.path), str(other.file.path))
    return Diff(files=files, **{field.name: getattr(found, field.name) for field in fields(found)})
