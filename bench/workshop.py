"""What every line of the table is measured with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.sizes import Sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """folder: for files that are thrown away. paths: picture files, at least as many as `sizes` asks for, or all
    that the user gave. old: another checkout, to be measured in turns with this one; None without."""

    folder: Path
    paths: Sequence[Path]
    sizes: Sizes
    old: Path | None = None
