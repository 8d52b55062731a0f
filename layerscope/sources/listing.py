"""What lies in a place that a user names: the images, in order, and the files beside them that are none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import PurePosixPath

from layerscope.sources.classes import classes_of
from layerscope.sources.clutter import IMAGE, OTHER, others_sentence, role


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One image that a source lists.

    identity: as the atlas names it, the same in every run; unique but where a user lists a file twice. size: encoded
    bytes, None where only reading would tell. label: its class. path, offset: where the bytes lie, if in a file.
    """

    identity: str
    size: int | None = None
    label: str | None = None
    path: str = ""
    offset: int = 0


def listed_as(identity: str, size: int | None) -> str:
    """What a listing tells of one image, as a part of its source's identity."""
    return repr((identity, size))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileListing:
    """What was found in a place.

    entries: the images. everything: these and all other files but layerscope's own, as version 0.1.0 numbered them;
    empty where that is the same. said: remarks; of_classes: those on classes. first_other: a file that is no image,
    and how its bytes begin.
    """

    entries: Sequence[Entry]
    everything: Sequence[Entry]
    said: list[str]
    of_classes: list[str]
    first_other: tuple[str, bytes] | None = None


def listing(files: Sequence[Entry], head: Callable[[Entry], bytes]) -> FileListing:
    """Part files, in their order, into images and others, and give the images the classes that their places tell.

    head: reads the first bytes of a file; called only where its name does not tell enough.
    """
    roles = [role(entry.identity, lambda entry=entry: head(entry)) for entry in files]
    images = [entry for entry, what in zip(files, roles, strict=True) if what == IMAGE]
    others = {entry.identity: entry for entry, what in zip(files, roles, strict=True) if what == OTHER}
    folders = cache(lambda above: PurePosixPath(above).parts)  # few, of many images
    classes, said = classes_of([folders(entry.identity[: entry.identity.rfind("/") + 1]) for entry in images])
    classed = [replace(entry, label=label) for entry, label in zip(images, classes, strict=True)]
    if not others:
        return FileListing(entries=classed, everything=[], said=said, of_classes=said)
    of_images = iter(classed)
    everything = [
        next(of_images) if what == IMAGE else replace(entry, label=PurePosixPath(entry.identity).parent.name or None)
        for entry, what in zip(files, roles, strict=True)
        if what in (IMAGE, OTHER)
    ]
    first = next(iter(others.values()))
    return FileListing(
        entries=classed,
        everything=everything,
        said=[others_sentence(list(others), lambda name: head(others[name])), *said],
        of_classes=said,
        first_other=(first.identity, head(first)),
    )
