"""A site as one .zip file: the same files in one folder, the same bytes each time, and whole or not there."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from layerscope.core.errors import UsageError
from layerscope.core.files import whole_file
from layerscope.viewer.export.folder import Put, in_plain_words

# Pictures are small already.
SQUEEZED = (".html", ".css", ".js", ".json", ".svg", ".txt")
# Of the first day that a zip file can say, readable by all, as on Unix: nothing of the machine that wrote it.
DAY, MODE, UNIX = (1980, 1, 1, 0, 0, 0), 0o100644 << 16, 3


def zip_for(file: str | os.PathLike[str], *, marker: str, ours: re.Pattern[str], overwrite: bool) -> Path:
    """The file's full path. Raises UsageError where it must not be written.

    ours: what stands at the top of an export. A file with anything else in it is somebody's own, and stays.
    """
    place = Path(file).expanduser().resolve()
    if place.suffix.lower() != ".zip" or place.is_dir():
        raise UsageError(f'"{file}" cannot be a zip file: name a file that ends in .zip, or export a folder')
    if not place.exists():
        return place
    with in_plain_words(place):
        if not _is_export(place, marker, ours):
            raise UsageError(f'"{file}" is there and is no export of layerscope: choose another name')
    if not overwrite:
        raise UsageError(f'"{file}" holds an export already; add --overwrite, or choose another name')
    return place


@contextmanager
def zipped_whole(place: Path, *, top: str) -> Iterator[Put]:
    """Gives what writes a file; at the end the zip file stands at its place, after an error what stood there before.

    top: the folder in it that holds all.
    """
    with in_plain_words(place), whole_file(place) as file, ZipFile(file, "w") as archive:

        def put(path: str, content: bytes) -> None:
            entry = ZipInfo(f"{top}/{path}", DAY)
            entry.external_attr, entry.create_system = MODE, UNIX
            entry.compress_type = ZIP_DEFLATED if path.endswith(SQUEEZED) else ZIP_STORED
            archive.writestr(entry, content)

        yield put


def _is_export(place: Path, marker: str, ours: re.Pattern[str]) -> bool:
    """Whether a file holds an export and nothing else."""
    try:
        with ZipFile(place) as archive:
            names = [name.split("/") for name in archive.namelist()]
    except (BadZipFile, NotImplementedError, UnicodeDecodeError):
        # Whatever the zip format has that Python does not read, no export has.
        return False
    tops = {parts[0] for parts in names}
    own = all(len(parts) > 1 and (parts[1] == marker or ours.fullmatch(parts[1])) for parts in names)
    return own and len(tops) == 1 and [*tops, marker] in names
