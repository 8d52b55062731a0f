"""Images inside .tar files, in the order in which they lie there; WebDataset archives among others.

The headers are walked once and only places are kept, so an archive may be of any size. A member's identity is its
path inside the archive, so that a folder and a tar of it name the same images alike; its class is the text of KEY.cls
where there is one, otherwise what its folders tell.
"""

import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from layerscope.core.errors import ImageError
from layerscope.core.failures import AGAIN
from layerscope.sources.clutter import is_clutter
from layerscope.sources.files import storable
from layerscope.sources.keys import beside_pictures, key_and_field
from layerscope.sources.listing import Entry, FileListing, listing
from layerscope.sources.signatures import HEAD, named_as_image

LONGEST_CLASS = 4096  # bytes of a .cls member
BLOCK = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class _Archive:
    """members: by name, what may be an image. classes: by key. companions: keys hold other members as well."""

    members: dict[str, Entry]
    classes: dict[str, str]
    companions: bool


def in_tars(paths: Sequence[Path]) -> FileListing:
    """The images of all archives, one archive after the other.

    Where two archives hold members of one name, every identity begins with the archive's name. Raises ImageError for
    an archive that is missing, compressed, broken or truncated, and where no archive holds a file.
    """
    archives = {str(path): _archive(path) for path in paths}
    members = [entry for path in paths for entry in archives[str(path)].members.values()]
    if not members:
        raise ImageError(f"there are no images in {', '.join(str(path) for path in paths[:3])}")
    found = listing(members, _head)
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


def _archive(path: Path) -> _Archive:
    """What one archive holds, without what belongs to an image (KEY.txt beside KEY.jpg)."""
    members, classes = _index(path)
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
    return [replace(entry, identity=f"{storable(Path(entry.path).name)}/{entry.identity}") for entry in entries]


def _head(entry: Entry) -> bytes:
    try:
        with open(entry.path, "rb", buffering=0) as file:
            file.seek(entry.offset)
            return file.read(min(HEAD, entry.size or 0))
    except OSError as failure:
        raise _unread(entry.path, failure) from failure


def _index(path: Path) -> tuple[dict[str, Entry], dict[str, str]]:
    """Where each member lies, by name, and the class of each key. A member stored again replaces the earlier one."""
    members: dict[str, Entry] = {}
    classes: dict[str, str] = {}
    with _readable(path), _opened(path) as archive:
        for member in _headers(archive, path):
            name = str(PurePosixPath(member.name))
            # An archive of a whole folder holds the folder itself, "./", which has no parts.
            if name == "." or is_clutter(PurePosixPath(name).parts):
                continue
            if PurePosixPath(name).suffix.lower() == ".cls":
                classes[storable(_key(name))] = _class(archive, member)
            elif member.islnk():  # a hard link has no bytes of its own
                target = members.get(str(PurePosixPath(member.linkname)))
                if target is not None:
                    members[name] = replace(target, identity=storable(name))
            elif member.isreg() and not member.issparse():
                members[name] = Entry(
                    identity=storable(name), size=member.size, path=str(path), offset=member.offset_data
                )
    return members, classes


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raises ImageError where the disk fails while the archive is read."""
    try:
        yield
    except OSError as failure:
        raise _unread(path, failure) from failure


def _unread(path: str | Path, failure: OSError) -> ImageError:
    return ImageError(f'"{path}" cannot be read: {failure.strerror}; check its disk and permissions, and {AGAIN}')


def _opened(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path, "r:")
    except FileNotFoundError:
        raise ImageError(f'the archive "{path}" does not exist') from None
    except tarfile.ReadError:
        raise ImageError(f'"{path}" is not a plain .tar file (a compressed one must be unpacked first)') from None


def _headers(archive: tarfile.TarFile, path: Path) -> Iterator[tarfile.TarInfo]:
    """All members; raises ImageError where the archive ends without its end mark, or in what is no header."""
    try:
        while (member := archive.next()) is not None:
            # Else the archive keeps a record of about a kilobyte for each.
            archive.members = []  # pyright: ignore[reportAttributeAccessIssue]
            yield member
    except (tarfile.TarError, EOFError) as failure:
        raise ImageError(f'the archive "{path}" is broken or truncated: {failure}') from None
    # The library takes a damaged header for the end: images behind it would be lost without a word.
    assert archive.fileobj is not None
    archive.fileobj.seek(archive.offset)
    block = archive.fileobj.read(BLOCK)
    if len(block) < BLOCK or any(block):
        raise ImageError(f'the archive "{path}" is broken or truncated at byte {archive.offset:,}')


def _class(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    return file.read(LONGEST_CLASS).decode("utf-8", "replace").strip() if file is not None else ""


def _key(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _keys(name: str) -> tuple[str, str]:
    """What a member belongs to: what stands before its last dot, and before its first."""
    return _key(name), key_and_field(name)[0]
