"""A split of a data set, of the Hub, of Parquet files here or saved here by `datasets`, as files of rows.

Which files a split has, `datasets` tells as it would for itself. Those of Parquet are then read where they lie, a group
of rows at a time; what the Hub holds in another form is first had whole, through the cache of `datasets`.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from layerscope.core.errors import ImageError, UsageError, nearest
from layerscope.core.images import IMAGES
from layerscope.core.quiet import quiet
from layerscope.sources.decode import reason
from layerscope.sources.rows import ARROW, PARQUET, plainly, schema_of, version_of

PREFIX = IMAGES.own["rows"].prefix
WRITTEN = f"{IMAGES.own['rows'].form}, or {PREFIX}NAME:CONFIGURATION:SPLIT; NAME is OWNER/NAME of the Hub, or a folder"
# How deep below a folder its Parquet files may lie: as FOLDER/CONFIGURATION/SPLIT/, at most.
_WITHIN = ("*.parquet", "*/*.parquet", "*/*/*.parquet")
_WAIT = 30  # seconds for the first answer of the Hub
_OF_THE_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSplit:
    """The rows of a split. name: in words. version: what tells them from others. files: in order. features: by column,
    those of the `datasets` package. said: remarks."""

    name: str
    version: str
    files: Sequence[str]
    features: Mapping[str, Any]
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """What a text names. place: a folder, a file, or OWNER/NAME. text: all of it, as it was written."""

    text: str
    place: str
    configuration: str | None
    split: str | None

    @property
    def title(self) -> str:
        known = self.place if _OF_THE_HUB.fullmatch(self.place) else _path(self.place).resolve().name
        return ":".join(part for part in (known, self.configuration, self.split) if part)


def split_of(text: str) -> DataSplit:
    """The split that a text names. Raises UsageError and ImageError, in one sentence, for what cannot be had."""
    named = _named(text)
    folder = _path(named.place)
    if folder.exists():
        return _local(named, folder)
    if named.place.startswith(("/", ".", "~")) or not _OF_THE_HUB.fullmatch(named.place):
        raise ImageError(f'the data set "{text}" is neither a folder nor OWNER/NAME of the Hub: write {WRITTEN}')
    return _of_the_hub(named)


def _path(place: str) -> Path:
    """A place of this machine; a user that it does not know stays as written."""
    return Path(os.path.expanduser(place))


def _named(text: str) -> _Named:
    rest = text.removeprefix(PREFIX)
    if rest.startswith("//"):
        raise UsageError(f'"{text}" names a file of the Hub; a data set is written {WRITTEN}')
    parts = [rest] if _path(rest).exists() else rest.split(":")
    drive = [":".join(parts[:2])] if len(parts[0]) == 1 and len(parts) > 1 else parts[:1]  # of Windows
    place, *words = [*drive, *parts[2 if len(parts[0]) == 1 else 1 :]]
    if not place or not all(words) or len(words) > 2:
        raise UsageError(f'"{text}" names no data set: write {WRITTEN}')
    split = words[-1] if words else None
    return _Named(text=text, place=place, configuration=words[0] if words[1:] else None, split=split)


def _local(named: _Named, place: Path) -> DataSplit:
    if place.is_file():
        if place.suffix.lower() != PARQUET:
            raise ImageError(f'"{place}" is no {PARQUET} file: write {WRITTEN}')
        _require_no(named, "a file")
        return _of_parquet(named, [str(place)])
    if (place / "state.json").is_file():
        _require_no(named, "a data set of one split")
        return _saved(named, place)
    if (place / "dataset_dict.json").is_file():
        splits = json.loads((place / "dataset_dict.json").read_text(encoding="utf-8"))["splits"]
        return _saved(named, place / _split(named, splits))
    if not any(next(place.glob(pattern), None) for pattern in _WITHIN):
        raise ImageError(
            f'the folder of "{named.text}" holds neither Parquet files nor a data set that save_to_disk wrote; name a '
            "folder of pictures itself"
        )
    builder = _builder(named, str(place))
    return _of_parquet(named, _files(builder, named))


def _of_the_hub(named: _Named) -> DataSplit:
    place, _, revision = named.place.partition("@")
    commit = _asked(
        named,
        lambda: import_module("huggingface_hub").HfApi().dataset_info(place, revision=revision or None, timeout=30).sha,
    )
    builder = _builder(named, place, revision=commit)
    if builder.config.data_files is not None and type(builder).__module__.endswith(".parquet.parquet"):
        return _of_parquet(named, _files(builder, named), f"{place} at {commit}")
    split = _split(named, list(builder.info.splits or builder.config.data_files or ()))
    _asked(named, builder.download_and_prepare)
    had = builder.as_dataset(split=split)
    files = [one["filename"] for one in had.cache_files]
    said = (
        f"{named.title} lies on the Hub in another form than Parquet: it was had whole, into the cache of datasets",
    )
    return DataSplit(name=named.title, version=f"{place} at {commit}", files=files, features=had.features, said=said)


def _saved(named: _Named, folder: Path) -> DataSplit:
    """What `Dataset.save_to_disk` wrote."""
    try:
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        files = [str(folder / one["filename"]) for one in state["_data_files"]]
        features = _features(named, files[0]) if files else {}
    except (OSError, ValueError, KeyError, TypeError) as failure:
        raise ImageError(f'the data set "{named.text}" is broken: {reason(failure)}') from failure
    return DataSplit(name=named.title, version=str(state["_fingerprint"]), files=files, features=features)


def _of_parquet(named: _Named, files: list[str], version: str = "") -> DataSplit:
    try:
        version = version or version_of(files)
        return DataSplit(name=named.title, version=version, files=files, features=_features(named, files[0]))
    except (OSError, ValueError) as failure:
        raise ImageError(f'the data set "{named.text}" cannot be read: {reason(failure)}') from failure


def _features(named: _Named, file: str) -> Mapping[str, Any]:
    return import_module("datasets").Features.from_arrow_schema(schema_of(file))


def _builder(named: _Named, place: str, *, revision: str | None = None) -> Any:
    """What `datasets` knows of a data set, without its rows."""
    datasets = import_module("datasets")
    try:
        with quiet():
            return datasets.load_dataset_builder(place, named.configuration, revision=revision)
    except ValueError as failure:
        known = re.search(r"\[(.*)\]", str(failure), re.DOTALL)
        if known is None:
            raise ImageError(f'the data set "{named.text}" cannot be opened: {plainly(failure)}') from failure
        configurations = ", ".join(re.findall(r"'([^']*)'", known[1]))
        raise UsageError(
            f'"{named.text}" names none of the configurations, {configurations}: write '
            f"{PREFIX}{named.place}:CONFIGURATION:SPLIT"
        ) from failure
    except (OSError, datasets.exceptions.DatasetsError) as failure:
        raise ImageError(f'the data set "{named.text}" cannot be opened: {plainly(failure)}') from failure


def _files(builder: Any, named: _Named) -> list[str]:
    """The files of the split, in order."""
    found = {str(split): [str(file) for file in files] for split, files in (builder.config.data_files or {}).items()}
    files = found[_split(named, list(found))]
    other = next((file for file in files if not file.endswith((PARQUET, ARROW))), None)
    if other is not None:
        raise ImageError(f'"{named.text}" holds files that are not Parquet, "{other}" first')
    return files


def _split(named: _Named, splits: Iterable[str]) -> str:
    """The split that is meant; the only one where none was written. Raises UsageError, which lists them."""
    known = list(splits)
    if named.split is None and len(known) == 1:
        return known[0]
    if named.split in known:
        return named.split
    wrong = "names no split" if named.split is None else f'has no split "{named.split}"'
    hint = "" if named.split is None else nearest(named.split, known)
    raise UsageError(f'"{named.text}" {wrong}; there {"is" if len(known) == 1 else "are"} {", ".join(known)}{hint}')


def _require_no(named: _Named, what: str) -> None:
    if named.split is not None:
        raise UsageError(f'"{named.text}" names a split, and {what} has none: write {PREFIX}{named.place}')


def _asked(named: _Named, ask: Callable[[], Any]) -> Any:
    """What the Hub answers. Raises ImageError where it does not, or has no such data set for this user."""
    errors = import_module("huggingface_hub.errors")
    try:
        with quiet():
            return ask()
    except errors.GatedRepoError as failure:
        raise ImageError(
            f'the data set "{named.text}" is given only to those who agreed to its terms: do so on its page, and '
            "log in with hf auth login"
        ) from failure
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as failure:
        raise ImageError(
            f'the Hub has no data set "{named.place}", or none that you may read: log in with hf auth login if it is '
            "private"
        ) from failure
    except Exception as failure:
        raise ImageError(
            f'the Hub does not answer for "{named.text}" ({plainly(failure)}): run the same command again'
        ) from failure
