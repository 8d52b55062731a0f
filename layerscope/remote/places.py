"""Which files an address names in a store: a folder, a glob, one file, or several of these by a brace pattern."""

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from layerscope.core.addresses import common, shown
from layerscope.core.braces import expanded
from layerscope.core.errors import ImageError, UsageError
from layerscope.core.images import TAR_ENDINGS
from layerscope.remote.answers import NotThere, Unanswered, answered
from layerscope.remote.first import require_heard
from layerscope.remote.storage import Version, version_of
from layerscope.remote.systems import WEB, full, path_in, require_plain, root_of, store_named, system_of
from layerscope.sources.ahead import in_order
from layerscope.sources.clutter import SITE, is_clutter
from layerscope.sources.signatures import named_as_image

ASKED_AT_ONCE = 16  # files whose size a store tells one by one
RUN = 64
_PAGES = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file of a store. path: as the store writes it. name: below what was named, as people read it. size: bytes, None
    where the listing does not tell. mark: of an archive, what changes with its bytes."""

    path: str
    name: str
    size: int | None = None
    mark: str = ""

    @classmethod
    def of(cls, path: str, name: str, info: Mapping[str, Any]) -> "RemoteFile":
        """A file, of what its store says of it; the rest of that is let go: a million of these are held."""
        mark = version_of(info)[1] if is_archive(path) else ""
        return cls(path=path, name=name, size=info.get("size"), mark=mark)

    @property
    def version(self) -> Version:
        """What tells an archive from an earlier one in its place."""
        return int(self.size or 0), self.mark

    @property
    def is_archive(self) -> bool:
        """Whether it is named as a tar file."""
        return is_archive(self.path)


def is_archive(path: str) -> bool:
    """Whether a path in a store, or an address, is named as a tar file."""
    return shown(path).lower().endswith(TAR_ENDINGS)


def root_shared(addresses: Sequence[str]) -> str:
    """The root of all addresses. Raises UsageError where they lie in several stores."""
    for address in addresses:
        require_plain(address)
    roots = {root_of(address): address for address in addresses}
    if len(roots) > 1:
        one, other = list(roots.values())[:2]
        raise UsageError(
            f'a list of images must lie in one store: "{shown(one)}" and "{shown(other)}" lie in two; '
            "build an atlas of each"
        )
    return next(iter(roots))


def files_named(addresses: Sequence[str], root: str) -> list[RemoteFile]:
    """The files that addresses name, in their order; of a folder or a glob sorted by name.

    Raises ImageError for an address that names none, and UsageError for a slip.
    """
    store = store_named(root)
    try:
        require_heard(addresses[0], shown(addresses[0]))
    except Unanswered as failure:
        raise _silent(addresses[0], failure) from None
    system = system_of(root, patient=True)
    system.invalidate_cache()
    every = [each for address in addresses for each in expanded(address)]
    found: list[RemoteFile] = []
    singles: list[str] = []
    for address in every:
        path = path_in(root, address)
        if not (len(every) > 1 and is_archive(path)) or glob.has_magic(_globbed(root, path)):
            some = _asked(lambda path=path: _below(system, path, root), store, address)
            if some is not None:
                found += some
                continue
        singles.append(path)
    if singles and found:
        raise UsageError("a list of images must name folders and globs only, or single files only")
    if not singles:
        return _sized(found, system, root)
    if len(singles) == 1:
        _require_no_page(singles[0], system, root)
    base = common(singles)
    return _sized([RemoteFile(path=path, name=_read(root, path[len(base) :])) for path in singles], system, root)


def _asked(ask: Any, store: Any, address: str) -> Any:
    try:
        return answered(ask, store=store, place=shown(address))
    except NotThere:
        raise ImageError(f'the images "{shown(address)}" do not exist; check how it is written') from None
    except Unanswered as failure:
        raise _silent(address, failure) from None


def _silent(address: str, failure: Unanswered) -> ImageError:
    return ImageError(f'"{shown(address)}" cannot be listed: {failure}; check the connection, and try again')


def _below(system: Any, path: str, root: str) -> list[RemoteFile] | None:
    """The files of a folder or a glob, sorted; None for a file."""
    if glob.has_magic(_globbed(root, path)):
        infos = dict(system.glob(path, detail=True))
        fixed = path[: min(path.find(sign) % (len(path) + 1) for sign in "*?[")]
        base = fixed[: fixed.rfind("/") + 1]
    else:
        if not _is_folder(system, path):
            return None
        infos = dict(_walked(system, path, root))
        base = f"{path.rstrip('/')}/" if path else ""
    system.invalidate_cache()  # else it would hold all that was listed as long as the process lives
    sites = tuple(name[: -len(SITE)] for name in infos if name.endswith(f"/{SITE}"))
    kept: list[RemoteFile] = []
    while infos:
        name, info = infos.popitem()
        # A web server's pages link to the ways they can be sorted, and to places above.
        below = name.startswith(base) and name != base and "?" not in name[len(base) :]
        if info["type"] != "file" or not below or name.startswith(sites):
            continue
        file = RemoteFile.of(name, _read(root, name[len(base) :]), info)
        # Not by pathlib, which in Python 3.11 leaves a table behind, as large as all names that it ever parted.
        parts = [part for part in file.name.split("/") if part not in ("", ".")]
        if parts and not is_clutter(parts):
            kept.append(file)
    if not kept:
        raise NotThere(path)
    kept.reverse()
    kept.sort(key=lambda file: file.name)
    return kept


def _walked(system: Any, path: str, root: str) -> Mapping[str, Mapping[str, Any]]:
    """What lies below a folder. On the web each folder is a page, which is asked for until it comes."""
    if not root.startswith(WEB):
        return system.find(path, detail=True)
    found: dict[str, Mapping[str, Any]] = {}
    folders, seen = [path], {path}
    while folders:
        page = folders.pop()
        told = answered(lambda page=page: system.ls(page, detail=True), store=store_named(root), place=shown(page))
        found |= {info["name"]: info for info in told}
        below = [info["name"] for info in told if info["type"] == "directory" and info["name"].startswith(path)]
        folders += [name for name in below if name not in seen]
        seen.update(below)
    return found


def _is_folder(system: Any, path: str) -> bool:
    if path.startswith(WEB):
        return shown(path).endswith("/")
    return system.isdir(path) if path else True


def _require_no_page(path: str, system: Any, root: str) -> None:
    """Raises ImageError where a web page comes for what may be a folder whose slash was forgotten."""
    if not path.startswith(WEB) or named_as_image(shown(path)) or is_archive(path):
        return
    info = _asked(lambda: system.info(path), store_named(root), full(root, path))
    if info.get("mimetype") in _PAGES:
        place = full(root, path)
        raise ImageError(f'"{place}" is a web page; if it is a folder, its address ends in a slash: "{place}/"')


def _globbed(root: str, path: str) -> str:
    """A path as a pattern: the question mark of a web address begins its query."""
    return shown(path) if root.startswith(WEB) else path


def _read(root: str, name: str) -> str:
    """A name as people read it: those of the web are quoted, and may carry a signature."""
    return unquote(shown(f"http:///{name}")[len("http:///") :]) if root.startswith(WEB) else name


def _sized(files: list[RemoteFile], system: Any, root: str) -> list[RemoteFile]:
    """The files with their sizes; those that a listing does not tell are asked for."""
    if all(file.size is not None for file in files):
        return files
    runs = [files[start : start + RUN] for start in range(0, len(files), RUN)]
    groups = ((run, [lambda file=file: _told(file, system, root) for file in run]) for run in runs)
    return [file for _, told in in_order(groups, threads=ASKED_AT_ONCE, ahead=1) for file in told]


def _told(file: RemoteFile, system: Any, root: str) -> RemoteFile:
    if file.size is not None:
        return file
    info = _asked(lambda: system.info(file.path), store_named(root), full(root, file.path))
    if info["type"] != "file":
        raise UsageError(f'"{full(root, file.path)}" in the list is no file; give one folder, or a list of files')
    return RemoteFile.of(file.path, file.name, info)
