"""The rows of a data set's split become a source: each row an image, known by its name or by its number."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from pathlib import PureWindowsPath

import numpy as np

from layerscope.core.errors import ImageError
from layerscope.sources.columns import ChosenColumns, chosen_columns
from layerscope.sources.decode import reason
from layerscope.sources.entries import entry_list
from layerscope.sources.hub import DataSplit, split_of
from layerscope.sources.listing import Entry, FileListing
from layerscope.sources.opening import Asked, encoded_source
from layerscope.sources.rows import RowFiles, RowSource
from layerscope.sources.source import Source


def open_data_set(text: str, asked: Asked) -> Source:
    """The images of a split of a data set, in the order of its rows."""
    split = split_of(text)
    chosen = chosen_columns(split.features, asked.columns, split.name)
    files = RowFiles(chosen.image)
    found = _listing(split, chosen, files)
    as_rows = partial(RowSource, files=files, version=split.version)
    return encoded_source(found, split.name, "row", asked, kind=as_rows)


def _listing(split: DataSplit, chosen: ChosenColumns, files: RowFiles) -> FileListing:
    """Every row, known by the name of its image where all have one of their own, and else by its number."""
    names = _RowNames()
    rows = entry_list(names.seen(_rows(split, chosen, files)))
    if not len(rows):
        raise ImageError(f"{split.name} holds no rows")
    if not names.tell_all():
        rows = entry_list(replace(entry, identity=str(number)) for number, entry in enumerate(rows))
    said = [*split.said, *chosen.said]
    return FileListing(entries=rows, everything=[], said=said, of_classes=list(chosen.said))


def _rows(split: DataSplit, chosen: ChosenColumns, files: RowFiles) -> Iterator[Entry]:
    """The rows of all files, in order, by their names."""
    for path in split.files:
        try:
            files.require_small_groups(path)
            for number, head in enumerate(files.heads(path, chosen.label)):
                yield Entry(identity=head.name or "", label=chosen.class_of(head.label), path=str(path), offset=number)
        except KeyError as failure:
            raise ImageError(f'"{path}" of {split.name} lacks a column that the first file has: {failure}') from None
        except (OSError, ValueError) as failure:
            raise ImageError(f'"{path}" of {split.name} cannot be read: {reason(failure)}') from failure


class _RowNames:
    """Whether names, met one after the other, tell images apart; of a million names only hashes stay."""

    def __init__(self) -> None:
        self._hashes, self._fit = array("q"), True

    def seen(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The same entries, each looked at."""
        for entry in entries:
            self._fit = self._fit and _is_fit(entry.identity)
            if self._fit:
                digest = blake2b(entry.identity.encode(), digest_size=8).digest()
                self._hashes.append(int.from_bytes(digest, "little", signed=True))
            yield entry

    def tell_all(self) -> bool:
        return self._fit and len(np.unique(np.asarray(self._hashes))) == len(self._hashes)


def _is_fit(name: str) -> bool:
    """Whether a name is one that every machine would give: where it is a whole path, it is this machine's alone."""
    return bool(name) and name.isprintable() and not PureWindowsPath(name).root and not PureWindowsPath(name).drive
