"""Images inside .tar files, in the order in which they lie there; WebDataset archives among others.

The headers are walked once and only places are kept, so an archive may be of any size. A member's identity is its
path inside the archive, so that a folder and a tar of it name the same images alike; its class is the text of KEY.cls
where there is one, otherwise the folder that holds the member.
"""

import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from layerscope.core.errors import ImageError
from layerscope.sources.files import NO_IMAGES, printable
from layerscope.sources.source import Entry

IMAGE_SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".jp2", ".avif"]
)
COMPANION_SUFFIXES = frozenset({".cls", ".json", ".npz"})
LONGEST_CLASS = 4096  # bytes of a .cls member
BLOCK = 512


def in_tars(paths: Sequence[Path]) -> list[Entry]:
    """The images of all archives, one archive after the other.

    Where two archives hold members of one name, every identity begins with the archive's name. Raises ImageError for
    an archive that is missing, compressed, broken or truncated, and where no archive holds an image.
    """
    archives = [(path, _images(path)) for path in paths]
    counts = Counter(entry.identity for _, entries in archives for entry in entries)
    clash = any(count > 1 for count in counts.values())
    entries = [
        replace(entry, identity=f"{printable(path.name)}/{entry.identity}") if clash else entry
        for path, entries in archives
        for entry in entries
    ]
    if not entries:
        raise ImageError(f"there are no images in {', '.join(str(path) for path in paths[:3])}")
    return entries


def _images(path: Path) -> list[Entry]:
    """The images of one archive; other members that belong to an image (KEY.txt beside KEY.jpg) are left out."""
    members, classes = _index(path)
    keys = {_key(name) for name in members if _suffix(name) in IMAGE_SUFFIXES}
    return [
        replace(entry, label=classes.get(_key(name), entry.label))
        for name, entry in members.items()
        if _suffix(name) in IMAGE_SUFFIXES or _key(name) not in keys
    ]


def _index(path: Path) -> tuple[dict[str, Entry], dict[str, str]]:
    """Where each member lies, by name, and the class of each key. A member stored again replaces the earlier one."""
    members: dict[str, Entry] = {}
    classes: dict[str, str] = {}
    with _opened(path) as archive:
        for member in _headers(archive, path):
            name = str(PurePosixPath(member.name))
            if _hidden(name):
                continue
            if _suffix(name) == ".cls":
                classes[_key(name)] = _class(archive, member)
            elif _suffix(name) in COMPANION_SUFFIXES:
                continue
            elif member.islnk():  # a hard link has no bytes of its own
                target = members.get(str(PurePosixPath(member.linkname)))
                if target is not None:
                    members[name] = replace(target, identity=printable(name), label=_folder(name))
            elif member.isreg() and not member.issparse():
                members[name] = Entry(
                    identity=printable(name),
                    size=member.size,
                    label=_folder(name),
                    path=str(path),
                    offset=member.offset_data,
                )
    return members, classes


def _opened(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path, "r:")
    except FileNotFoundError:
        raise ImageError(f'the archive "{path}" does not exist') from None
    except tarfile.ReadError:
        raise ImageError(f'"{path}" is not a plain .tar file (a compressed one must be unpacked first)') from None
    except OSError as failure:
        raise ImageError(f'"{path}" cannot be read: {failure.strerror}') from None


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


def _hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    # An archive of a whole folder holds the folder itself, "./", which has no parts.
    return not parts or any(part.startswith(".") for part in parts) or parts[-1].lower() in NO_IMAGES


def _folder(name: str) -> str | None:
    return printable(PurePosixPath(name).parent.name) or None


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _key(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def are_archives(paths: Iterable[Path]) -> bool:
    """True where every path is named as a tar file."""
    return all(path.suffix.lower() == ".tar" for path in paths)
