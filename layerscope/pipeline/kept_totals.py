"""What an atlas keeps of its scan so that it can be merged with others: the sums of all layers, as they were.

Statistics are quotients and roots of sums, strata come from a sample: from rows alone nobody could add two atlases up.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from layerscope.atlas.write import AtlasWriter
from layerscope.core.records import LayerRecord
from layerscope.scan import Totals, most_sampled
from layerscope.scan.state import restore_totals, totals_to_parts
from layerscope.sources import Source

# The labels under which they are kept, one for each scan, with the layers that it scanned; they outlive the build.
MERGEABLE = "merge"
_ABOUT = -1


@runtime_checkable
class KeptMarks(Protocol):
    """Where marks are read; an AtlasWriter is one, and an atlas that is open for reading."""

    def done(self, stage: str, /) -> Collection[int]: ...

    def stages(self) -> tuple[str, ...]: ...

    def payload(self, stage: str, shard: int, /) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class ScanKept:
    """What is known of a scan besides its sums. layers: its nodes. classes: their names. listed: how many images.
    reading: how the images are read, where not as they are (`Source.reading`). merged: whether several were."""

    layers: tuple[int, ...]
    classes: tuple[str, ...]
    listed: int
    reading: tuple[str, ...] = ()
    merged: bool = field(default=False)

    @property
    def label(self) -> str:
        """Under which it is kept."""
        return f"{MERGEABLE} {','.join(map(str, self.layers))}"


def outlives(label: str) -> bool:
    """Whether a label is one of those."""
    return label.partition(" ")[0] == MERGEABLE


def keep_for_merge(writer: AtlasWriter, totals: Totals, layers: Sequence[LayerRecord], source: Source) -> None:
    """Keep the sums of a scan that is over."""
    nodes = tuple(layer.node for layer in layers)
    about = ScanKept(
        layers=nodes, classes=source.label_names, listed=len(source), reading=tuple(source.reading())
    )  # fmt: skip
    keep(writer, totals, about)


def keep(writer: AtlasWriter, totals: Totals, about: ScanKept) -> None:
    """Keep sums in the place of those that were kept of the same layers."""
    with writer.transaction():
        writer.clear(about.label)
        writer.mark(about.label, _ABOUT, json.dumps(asdict(about)).encode())
        for number, part in enumerate(totals_to_parts(totals)):
            writer.mark(about.label, number, part)


def scans_kept(atlas: KeptMarks) -> list[ScanKept]:
    """The scans of which sums are kept, in the order of their labels."""
    labels = sorted(label for label in atlas.stages() if outlives(label))
    return [_about(json.loads(atlas.payload(label, _ABOUT))) for label in labels]


def _about(plain: dict[str, Any]) -> ScanKept:
    lists: dict[str, Any] = {name: tuple(value) for name, value in plain.items() if isinstance(value, list)}
    return ScanKept(**(plain | lists))


def kept_totals(atlas: KeptMarks, about: ScanKept, layers: Sequence[LayerRecord], k: int) -> Totals:
    """The sums of a scan of these layers, as it left them."""
    totals = Totals(layers, k=k, classes=len(about.classes), sampled=most_sampled(layers))
    restore_totals(totals, _parts(atlas, about.label))
    return totals


def bytes_kept(layers: Sequence[LayerRecord], *, k: int, classes: int, images: int) -> int:
    """What the sums of a scan of so many images take, but for those over the images themselves, which are small."""
    sampled = min(images, most_sampled(layers))
    totals = Totals(layers, k=k, classes=classes, sampled=sampled)
    totals.sample.enter(np.arange(sampled), np.arange(sampled))
    return sum(map(len, totals_to_parts(totals)))


def _parts(atlas: KeptMarks, label: str) -> Iterator[bytes]:
    for number in sorted(set(atlas.done(label)) - {_ABOUT}):
        yield atlas.payload(label, number)
