"""A build goes on with a merged atlas: its images must be those of all parts, in their order, whatever lists them."""

from itertools import zip_longest
from pathlib import Path
from typing import Any

from layerscope.atlas.write import AtlasWriter
from layerscope.core.errors import WrongModel
from layerscope.core.records import ImageRecord
from layerscope.pipeline.kept_totals import scans_kept
from layerscope.sources import Entry, Source

# What a source may tell otherwise than the rows of an atlas do, since a listing does not know all that reading tells.
TOLD = ("images", "labels")


def as_merged(writer: AtlasWriter, path: Path, source: Source, stored: dict[str, Any]) -> dict[str, Any]:
    """How a merged atlas tells of these images, for a run's fingerprint; nothing for an atlas that is not merged.

    Raises WrongModel, naming the first image that differs.
    """
    scans = [scan for scan in scans_kept(writer) if scan.merged]
    if not scans:
        return {}
    classes, reading = scans[0].classes, scans[0].reading
    entries, records = iter(source.entries), writer.images()
    for place, (entry, record) in enumerate(zip_longest(entries, records)):
        why = _difference(entry, record)
        if why:
            raise WrongModel(
                f"{path} holds other images: number {place:,} {why}; give the images of all atlases that were merged, "
                "in the order in which they were"
            )
    if source.label_names != classes:
        raise WrongModel(f"{path} holds other classes: {_listed(classes)} in it, {_listed(source.label_names)} here")
    if tuple(source.reading()) != reading:
        raise WrongModel(
            f"the images of {path} were read with {_listed(reading)}, and are with {_listed(tuple(source.reading()))}"
        )
    return {name: stored[name] for name in TOLD}


def _difference(entry: Entry | None, record: ImageRecord | None) -> str:
    """How an image as it is listed differs from what an atlas holds, as a clause; empty for no difference."""
    if entry is None or record is None:
        there, where = (record.source, "it alone") if record is not None else (entry.identity if entry else "", "here")
        return f'("{there}") is in {where}' if where != "here" else f'("{there}") is not in it'
    if entry.identity != record.source:
        return f'is "{record.source}" in it, and "{entry.identity}" here'
    if None not in (entry.size, record.size) and entry.size != record.size:
        return f'("{entry.identity}") had {record.size:,} bytes, and has {entry.size:,}'
    if entry.label is not None and entry.label != record.label:
        return f'("{entry.identity}") was of class "{record.label}", and is of "{entry.label}"'
    return ""


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:4])}{', ...' if len(names) > 4 else ''}" or "none"
