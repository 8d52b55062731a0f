"""The command that goes on with a merged atlas, as far as its parts tell: which images, of which network, read how.

An atlas keeps no way to its images. So the way is looked for where it may stand: the manifest beside a part, the folder
that the command is given in, that of a part. What is not found stands in capitals, and is said.
"""

import glob
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from layerscope.api.atlas import Atlas
from layerscope.atlas.parts import PartFile
from layerscope.core import settings as s
from layerscope.core.addresses import manifest_of
from layerscope.core.choice import ToldImages, images_told, joined
from layerscope.core.errors import UsageError
from layerscope.core.images import IMAGES
from layerscope.core.networks import kind_of
from layerscope.core.reading_settings import CHOSEN
from layerscope.pipeline.kept_totals import scans_kept

# How a run says that images were read otherwise than as usual, and the option for it.
_READING = {"orientation": s.ORIENTATION.option, "most_px": s.MAX_PIXELS.option}
_OF_CHOICE = {setting.name: setting.option for setting in CHOSEN}
_DATA_SETS = IMAGES.own["rows"].prefix


@dataclass(frozen=True)
class GoingOn:
    """words: of the command, behind the program's name. missing: what to put in place of its words in capitals, as
    sentences without a full stop."""

    words: tuple[str, ...]
    missing: tuple[str, ...] = ()


def going_on(atlas: Atlas, parts: Sequence[Path]) -> GoingOn:
    """How a build goes on with a merged atlas. parts: what was merged."""
    run, missing = atlas.file.run, list[str]()
    network = run.network
    if not _can_be_named(network):
        missing.append(f"in place of NETWORK put the network ({network}), as the command line names it")
        network = "NETWORK"
    images, why = _images(atlas, parts)
    missing += why
    words = ["build", network, *images, *_read_with(atlas.file.path), "-o", str(atlas.file.path)]
    # Named all: `auto` may mean more than were scanned, and these would be.
    words += ["--layers", ",".join(layer.name for layer in atlas.file.layers)]
    device = run.fingerprint.get("device", s.DEVICE.default)
    words += [s.DEVICE.option, device] if device != s.DEVICE.default else []
    return GoingOn((*words, *_changed(run.settings)), tuple(missing))


def _can_be_named(network: str) -> bool:
    try:
        return kind_of(network) is not None
    except UsageError:  # of a kind that is not installed here
        return True


def _images(atlas: Atlas, parts: Sequence[Path]) -> tuple[list[str], list[str]]:
    """The options that name the images, and what is missing in them."""
    option, run = s.IMAGES.option, atlas.file.run
    found = [images_told(text) for text in run.images.split("; ")]
    known = [one for one in found if one is not None]
    together = joined(known) if len(known) == len(found) else None
    # Two folders of one name are told alike.
    if together is None or len(together) != atlas.file.image_count():
        return [option, "IMAGES"], [_one_behind_the_other(run.images), *_other_order(found, parts)]
    choice = together.choice
    chosen = [word for name in choice.given() for word in (_OF_CHOICE[name], str(getattr(choice, name)))]
    place = _place(atlas, together, parts)
    if place is None:
        return [option, "IMAGES", *chosen], [f"in place of IMAGES put the way to {together.name}"]
    return [option, place, *chosen], []


def _one_behind_the_other(told: str) -> str:
    """What stands for the images of parts that no one folder, with a choice in it, gives in this order."""
    each = told.replace("; ", ", then ")
    return f"in place of IMAGES put the files of all parts, or patterns of them, one part behind the other: {each}"


def _other_order(found: Sequence[ToldImages | None], parts: Sequence[Path]) -> Iterator[str]:
    """The order in which the same parts would be a run of images that one option names, where there is one."""
    told = [(one, part) for one, part in zip(found, parts, strict=False) if one is not None]
    if len(told) != len(found) or len(found) != len(parts):
        return
    told.sort(key=lambda one: one[0].choice.begin or 0)
    together = joined([one for one, _ in told])
    ordered = [part for _, part in told]
    if together is not None and ordered != list(parts):
        yield f"or merge the parts in the order of their images: {shlex.join(map(str, ordered))}"


def _place(atlas: Atlas, images: ToldImages, parts: Sequence[Path]) -> str | None:
    """Where the images lie, as an option names it; None where nobody knows."""
    elsewhere = {_asked(manifest_of(part)) for part in parts}
    if elsewhere != {None}:
        return next(iter(elsewhere)) if len(elsewhere) == 1 else None
    prefix, name, rest = "", images.name, ""
    if images.counted == "row":
        name, colon, behind = name.partition(":")
        prefix, rest = _DATA_SETS, colon + behind
        if "/" in name:  # of the Hub; of folders the last name is told alone
            return f"{prefix}{name}{rest}"
    folders = dict.fromkeys((Path(), *(part.parent for part in parts)))
    places = (folder / name for folder in folders)
    found = next((place for place in places if _holds(place, "" if prefix else atlas.file.image(0).source)), None)
    return None if found is None else f"{prefix}{found}{rest}"


def _holds(place: Path, image: str) -> bool:
    """Whether a file, a folder or a pattern is there, and an image of this name in it."""
    if place.is_file() or place.is_dir():
        return place.is_file() or (place / image).exists()
    return glob.has_magic(place.name) and (place.parent / image).is_file()


def _asked(manifest: Path) -> str | None:
    """The one address of a manifest; None where there is none, or several."""
    if not manifest.is_file():
        return None
    try:
        from layerscope.remote.manifest import asked
    except ImportError:  # what reads elsewhere is not installed here
        return None
    addresses = asked(manifest)
    return addresses[0] if len(addresses) == 1 else None


def _read_with(path: Path) -> Iterator[str]:
    """The options for how images were read, where not as usual."""
    with PartFile(path) as file:
        for said in scans_kept(file)[0].reading:
            name, _, value = said.partition("=")
            if name in _READING:
                yield from (_READING[name], value)


def _changed(settings: Mapping[str, object]) -> Iterator[str]:
    """The options that a run was given otherwise than by default."""
    for setting in s.HELD.settings:
        if not setting.stored or setting.stored not in settings or settings[setting.stored] == setting.default:
            continue
        yield setting.option
        if not setting.is_flag:
            yield str(settings[setting.stored])
