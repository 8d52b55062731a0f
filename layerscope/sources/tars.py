"""Images inside .tar files, in the order in which they lie there; WebDataset archives among others.

The headers are walked once and only places are kept, so an archive may be of any size; several are walked at once. A
member's identity is its path inside the archive, so that a folder and a tar of it name the same images alike; its class
is the text of KEY.cls where there is one, else what KEY.json tells, otherwise what its folders do.
"""

import json
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import PurePosixPath

from layerscope.core.errors import ImageError
from layerscope.core.failures import AGAIN
from layerscope.sources.ahead import in_order
from layerscope.sources.clutter import is_clutter
from layerscope.sources.decode import Unusable
from layerscope.sources.files import storable
from layerscope.sources.inflate import BrokenStream
from layerscope.sources.keys import beside_pictures, key_and_field
from layerscope.sources.listing import Entry, FileListing, listing
from layerscope.sources.signatures import HEAD, named_as_image
from layerscope.sources.storage import LOCAL, Storage

LONGEST_CLASS = 4096  # bytes of a .cls member
LONGEST_JSON = 2**20
LABEL_KEYS = ("label", "class", "cls")  # of a .json member, the first that it has
BLOCK = 512
AT_ONCE = 8  # archives that are walked at the same time, where each answer takes its time


@dataclass(frozen=True, slots=True, kw_only=True)
class _Archive:
    """members: by name, what may be an image. classes: by key. companions: keys hold other members as well."""

    members: dict[str, Entry]
    classes: dict[str, str]
    companions: bool


def in_tars(paths: Sequence[str], storage: Storage = LOCAL, *, at_once: int = 1) -> FileListing:
    """The images of all archives, one archive after the other.

    Where two archives hold members of one name, every identity begins with the archive's name. at_once: archives that
    are walked at the same time. Raises ImageError for an archive that is missing, compressed otherwise than by gzip,
    broken or truncated, and where no archive holds a file.
    """
    groups = ((path, [lambda path=path: _archive(path, storage)]) for path in paths)
    with closing(in_order(groups, threads=at_once, ahead=at_once)) as walked:
        archives = {path: found for path, (found,) in walked}
    members = [entry for path in paths for entry in archives[path].members.values()]
    if not members:
        raise ImageError(f"there are no images in {', '.join(map(storage.shown, paths[:3]))}")
    found = listing(members, lambda entry: _head(entry, storage))
    companions = any(archive.companions for archive in archives.values())
    beside, said = beside_pictures(map(_place, found.entries), companions=companions)
    entries = [_classed(entry, archives) for entry in found.entries if _place(entry) not in beside]
    everything = [_classed(entry, archives) for entry in found.everything]
    return replace(
        found,
        entries=_with_unique_identities(entries),
        everything=_with_unique_identities(everything),
        said=[*found.said, *said],
    )


def _archive(path: str, storage: Storage) -> _Archive:
    """What one archive holds, without what belongs to an image (KEY.txt beside KEY.jpg)."""
    members, classes = _index(path, storage)
    keys = {key for name in members if named_as_image(name) for key in _keys(name)}
    kept = {name: entry for name, entry in members.items() if named_as_image(name) or keys.isdisjoint(_keys(name))}
    companions = len(kept) < len(members) or not keys.isdisjoint(classes)
    return _Archive(members=kept, classes=classes, companions=companions)


def _place(entry: Entry) -> str:
    """A member's name with that of its archive: equal keys of two archives are two keys."""
    return f"{entry.path}/{entry.identity}"


def _classed(entry: Entry, archives: Mapping[str, _Archive]) -> Entry:
    classes = archives[entry.path].classes
    return replace(entry, label=next((classes[key] for key in _keys(entry.identity) if key in classes), entry.label))


def _with_unique_identities(entries: Sequence[Entry]) -> list[Entry]:
    counts = Counter(entry.identity for entry in entries)
    if all(count == 1 for count in counts.values()):
        return list(entries)
    return [
        replace(entry, identity=f"{storable(PurePosixPath(entry.path).name)}/{entry.identity}") for entry in entries
    ]


def _head(entry: Entry, storage: Storage) -> bytes:
    with _readable(storage.shown(entry.path)):
        return storage.read(replace(entry, size=min(HEAD, entry.size or 0)))


def _index(path: str, storage: Storage) -> tuple[dict[str, Entry], dict[str, str]]:
    """Where each member lies, by name, and the class of each key. A member stored again replaces the earlier one."""
    members: dict[str, Entry] = {}
    classes: dict[str, str] = {}
    told: dict[str, str] = {}  # by what .json members say, which .cls members overrule
    shown = storage.shown(path)
    with _readable(shown), storage.opened(path) as file, _opened(file, shown) as archive:
        for member in _headers(archive, shown):
            name = str(PurePosixPath(member.name))
            # An archive of a whole folder holds the folder itself, "./", which has no parts.
            if name == "." or is_clutter(PurePosixPath(name).parts):
                continue
            suffix = PurePosixPath(name).suffix.lower()
            if suffix == ".cls":
                classes[storable(_key(name))] = (
                    _content(archive, member, LONGEST_CLASS).decode("utf-8", "replace").strip()
                )
            elif member.islnk():  # a hard link has no bytes of its own
                target = members.get(str(PurePosixPath(member.linkname)))
                if target is not None:
                    members[name] = replace(target, identity=storable(name))
            elif member.isreg() and not member.issparse():
                members[name] = Entry(identity=storable(name), size=member.size, path=path, offset=member.offset_data)
                if suffix == ".json" and member.size <= LONGEST_JSON:
                    label = label_in(_content(archive, member, LONGEST_JSON))
                    told |= {} if label is None else {storable(_key(name)): label}
    return members, told | classes


@contextmanager
def _readable(shown: str) -> Iterator[None]:
    """Raises ImageError where the archive cannot be read."""
    try:
        yield
    except FileNotFoundError:
        raise ImageError(f'the archive "{shown}" does not exist') from None
    except OSError as failure:
        why = failure.strerror or type(failure).__name__
        raise ImageError(f'"{shown}" cannot be read: {why}; check its disk and permissions, and {AGAIN}') from failure
    except Unusable as failure:
        raise ImageError(f'the archive "{shown}" cannot be read: {failure}') from None
    except BrokenStream as failure:
        raise ImageError(f'the archive "{shown}" is broken or truncated: {failure}') from None


def _opened(file: BufferedReader, shown: str) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=file, mode="r:")
    except tarfile.ReadError:
        raise ImageError(
            f'"{shown}" is not a plain .tar file, nor one that gzip compressed and that is named so, .tar.gz or .tgz; '
            "what is compressed otherwise must be unpacked first"
        ) from None


def _headers(archive: tarfile.TarFile, shown: str) -> Iterator[tarfile.TarInfo]:
    """All members; raises ImageError where the archive ends without its end mark, or in what is no header."""
    try:
        while (member := archive.next()) is not None:
            # Else the archive keeps a record of about a kilobyte for each.
            archive.members = []  # pyright: ignore[reportAttributeAccessIssue]
            yield member
    except (tarfile.TarError, EOFError) as failure:
        raise ImageError(f'the archive "{shown}" is broken or truncated: {failure}') from None
    # The library takes a damaged header for the end: images behind it would be lost without a word.
    assert archive.fileobj is not None
    archive.fileobj.seek(archive.offset)
    block = archive.fileobj.read(BLOCK)
    if len(block) < BLOCK or any(block):
        raise ImageError(f'the archive "{shown}" is broken or truncated at byte {archive.offset:,}')


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, most: int) -> bytes:
    file = archive.extractfile(member)
    return file.read(most) if file is not None else b""


def label_in(content: bytes) -> str | None:
    """The class that a .json member tells, a text or a whole number under one of LABEL_KEYS; None without one."""
    try:
        told = json.loads(content)
    except ValueError:
        return None
    found = next((told[key] for key in LABEL_KEYS if key in told), None) if isinstance(told, dict) else None
    return str(found) if isinstance(found, (str, int)) and not isinstance(found, bool) and str(found) else None


def _key(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _keys(name: str) -> tuple[str, str]:
    """What a member belongs to: what stands before its last dot, and before its first."""
    return _key(name), key_and_field(name)[0]
