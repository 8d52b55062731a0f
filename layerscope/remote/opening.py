"""Addresses become a source: what they name is listed, or taken from the manifest, and read from where it lies."""

from typing import Any

from layerscope.core.addresses import links, shown
from layerscope.core.braces import has_braces
from layerscope.core.errors import ImageError, UsageError
from layerscope.remote import manifest
from layerscope.remote.manifest import Listed
from layerscope.remote.places import RemoteFile, files_named, root_shared
from layerscope.remote.storage import RemoteFiles
from layerscope.remote.systems import require_plain
from layerscope.sources.files import storable
from layerscope.sources.listing import Entry, listing
from layerscope.sources.opening import Asked, encoded_source
from layerscope.sources.source import Source
from layerscope.sources.tars import AT_ONCE, in_tars


def open_remote(images: Any, asked: Asked) -> Source:
    """The images that an address names, or several of one store.

    They are listed where no manifest tells of them, and then kept in `asked.manifest`. Raises ImageError and
    UsageError, in whose sentences no address has a secret.
    """
    addresses = [images] if isinstance(images, str) else list(images)
    if not all(isinstance(address, str) for address in addresses):
        raise UsageError("a list of addresses must hold texts only")
    for address in addresses:
        require_plain(address)
    public = list(map(shown, addresses))
    root = root_shared(addresses)
    # What was signed is asked for under another address each time, and its signature is not kept.
    keeps = asked.manifest is not None and public == addresses
    kept = manifest.read(asked.manifest, public) if keeps and asked.manifest and not asked.anew else None
    listed = None if asked.compared else kept
    if asked.anew and asked.manifest is not None:
        asked.manifest.unlink(missing_ok=True)  # else that of other images would stay where none is kept of these
    if listed is None:
        listed = _listed(addresses, root, kept)
        if keeps and asked.manifest is not None and not asked.compared and listed.found.entries:
            manifest.write(asked.manifest, public, listed)
    storage = RemoteFiles(root=root, versions=listed.versions)
    return encoded_source(listed.found, listed.name, listed.counted, asked, storage=storage)


def _listed(addresses: list[str], root: str, kept: Listed | None) -> Listed:
    """What is there now. kept: an earlier listing of the same; archives that have not changed are not read again."""
    files = files_named(addresses, root)
    one = len(addresses) == 1
    name = _name(addresses[0], files) if one else f"{len(addresses)} addresses"
    archives = [file.is_archive for file in files]
    if one and not any(has(addresses[0]) for has in (has_braces, lambda text: "*" in text)) and not all(archives):
        archives = [False] * len(files)  # of a folder the pictures; archives among them are no images
    if all(archives):
        return _of_archives(files, root, name, kept)
    if any(archives) and not one:
        raise UsageError("a list of images must hold either .tar files only or picture files only")
    storage = RemoteFiles(root=root)
    entries = [Entry(identity=storable(file.name), size=file.size, path=file.path) for file in files]
    del files
    return Listed(found=listing(entries, storage.head), name=name, counted="file", versions={})


def _name(address: str, files: list[RemoteFile]) -> str:
    """What an atlas calls the images: the folder or the pattern, as of images here, without the way to it."""
    first, *rest = links(shown(address))
    path = first.partition("://")[2].strip("/") or "".join(rest[:1])
    last = path.rpartition("/")[2]
    alone = len(files) == 1 and files[0].name == last
    return last if alone or rest[:1] == [path] or has_braces(last) or "*" in last else f"{last}/"


def _of_archives(files: list[RemoteFile], root: str, name: str, kept: Listed | None) -> Listed:
    versions = {file.path: file.version for file in files}
    if kept is not None and [*kept.versions.items()] == [*versions.items()]:
        return kept
    if len(versions) < len(files):
        raise ImageError(f"{name} names an archive twice")
    found = in_tars([file.path for file in files], RemoteFiles(root=root, versions=versions), at_once=AT_ONCE)
    return Listed(found=found, name=name, counted="image", versions=versions)
