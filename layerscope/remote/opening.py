"""Addresses become a source: what they name is listed, or taken from the manifest, and read from where it lies."""

from typing import Any

from layerscope.core.addresses import shown
from layerscope.core.braces import has_braces
from layerscope.core.errors import ImageError, UsageError
from layerscope.remote import manifest
from layerscope.remote.manifest import Listed
from layerscope.remote.places import RemoteFile, files_named, root_shared
from layerscope.remote.storage import RemoteFiles, version_of
from layerscope.remote.systems import full, require_plain
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
    listed = manifest.read(asked.manifest, public) if keeps and asked.manifest and not asked.anew else None
    if listed is None:
        listed = _listed(addresses, root)
        if keeps and asked.manifest is not None and listed.found.entries:
            manifest.write(asked.manifest, public, listed)
    storage = RemoteFiles(root=root, versions=listed.versions)
    return encoded_source(listed.found, listed.name, listed.counted, asked, storage)


def _listed(addresses: list[str], root: str) -> Listed:
    files = files_named(addresses, root)
    one = len(addresses) == 1
    name = shown(addresses[0]) if one else f"{len(addresses)} addresses of {full(root, '')}"
    archives = [file.is_archive for file in files]
    if one and not any(has(addresses[0]) for has in (has_braces, lambda text: "*" in text)) and not all(archives):
        archives = [False] * len(files)  # of a folder the pictures; archives among them are no images
    if all(archives):
        return _of_archives(files, root, name)
    if any(archives) and not one:
        raise UsageError("a list of images must hold either .tar files only or picture files only")
    storage = RemoteFiles(root=root)
    entries = [Entry(identity=storable(file.name), size=file.info.get("size"), path=file.path) for file in files]
    return Listed(found=listing(entries, storage.head), name=name, counted="file", versions={})


def _of_archives(files: list[RemoteFile], root: str, name: str) -> Listed:
    versions = {file.path: version_of(file.info) for file in files}
    if len(versions) < len(files):
        raise ImageError(f"{name} names an archive twice")
    found = in_tars([file.path for file in files], RemoteFiles(root=root, versions=versions), at_once=AT_ONCE)
    return Listed(found=found, name=name, counted="image", versions=versions)
