"""Which images of an atlas are not those that are given: by name and size as they are listed, by content as they come.

Nothing is read to know it: a listing tells names and mostly sizes, and the content of an image is compared when a peak
of it is computed again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from layerscope.atlas.read import AtlasFile
from layerscope.core.numbers import counted
from layerscope.core.records import ImageRecord
from layerscope.sources import Source

NAMED = 3  # images that are named of those that differ in one way


@dataclass
class GivenImages:
    """The images of an atlas among those that are given. place: by their number in the atlas, that in the source;
    without those that are missing. others: what the listing tells, as sentences. changed: images that were read and
    have another content, by name."""

    place: dict[int, int]
    others: tuple[str, ...]
    scanned: dict[str, ImageRecord]
    changed: dict[str, str] = field(default_factory=dict[str, str])

    def look(self, records: Iterable[ImageRecord]) -> None:
        """Compare images that were read with what was scanned."""
        for record in records:
            scanned = self.scanned.get(record.source, record)
            if record.skipped != scanned.skipped:
                self.changed[record.source] = f'"{record.source}" ({record.skipped})'
            elif record.sha256 != scanned.sha256:
                self.changed[record.source] = f'"{record.source}"'

    def said(self) -> Iterator[str]:
        """What has another content than was scanned, of the images that were read."""
        if self.changed:
            found = list(self.changed.values())
            yield f"{_are(found, 'has', 'have')} another content than when scanned: {_some(found)}"


def given_images(file: AtlasFile, source: Source) -> GivenImages:
    """Find the images of an atlas in a source, by name."""
    stored = file.images()
    scanned = {record.source: record for record in stored}
    places, added, resized, moved = dict[int, int](), list[str](), list[str](), False
    for place, entry in enumerate(source.entries):
        record = stored[place] if place < len(stored) else None
        if record is None or record.source != entry.identity:
            moved = moved or record is not None
            record = scanned.get(entry.identity)
        if record is None:
            added.append(f'"{entry.identity}"')
            continue
        places[record.id] = place
        if None not in (record.size, entry.size) and record.size != entry.size:
            resized.append(f'"{entry.identity}" ({record.size:,} bytes then, {entry.size:,} now)')
    missing = [f'"{record.source}"' for record in stored if record.id not in places]
    return GivenImages(places, tuple(_differing(missing, added, resized, moved=moved)), scanned)


def _differing(missing: list[str], added: list[str], resized: list[str], *, moved: bool) -> Iterator[str]:
    if missing:
        yield f"{_are(missing, 'of the atlas is', 'of the atlas are')} not there: {_some(missing)}"
    if resized:
        yield f"{_are(resized, 'has', 'have')} another size: {_some(resized)}"
    # Images behind the last change no number: an atlas may be of the first so many.
    if added and moved:
        yield f"{_are(added, 'is', 'are')} not in the atlas: {_some(added)}"
    if moved and not added and not missing:
        yield "the images are in another order than in the atlas"


def _are(images: Sequence[str], one: str, several: str) -> str:
    return f"{counted(len(images), 'image')} {one if len(images) == 1 else several}"


def _some(images: Sequence[str]) -> str:
    more = len(images) - NAMED
    return ", ".join(images[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
