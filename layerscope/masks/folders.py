"""Two folders with files of the same names, pictures and masks of numbers, and a table that names the numbers.

ADE20K's scene parsing is of this form: images/, annotations/ and objectInfo150.txt.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from layerscope.core.errors import ImageError
from layerscope.core.mask_forms import IMAGES, MASKS, TABLES, first_of
from layerscope.core.numbers import counted
from layerscope.masks.names import names_in
from layerscope.masks.numbers import by_number, header_of, indices, plane_of, require_one_channel
from layerscope.masks.pictures import MaskFiles
from layerscope.masks.planes import Plane
from layerscope.sources.files import in_folder


class FolderMasks(MaskFiles):
    """The masks of a folder of this form. Raises UsageError for a table that is none, ImageError without a pair."""

    def __init__(self, folder: Path) -> None:
        table, masks = first_of(folder, TABLES), first_of(folder, MASKS)
        assert table is not None and masks is not None, "the form was told by them"
        self.name = f"{folder.resolve().name}/"
        self._table = table.name
        self.concepts, named = names_in(table)
        self._by_number = by_number(named)
        self.pictures, self._masks, self.said = _pairs(folder / IMAGES, masks)

    def size(self, place: int) -> tuple[int, int]:
        header = require_one_channel(self._masks[place], header_of(self._masks[place]))
        return header.rows, header.cols

    def planes(self, place: int) -> Iterator[Plane]:
        path = self._masks[place]
        yield plane_of(path, indices(path), self._by_number, self._table)


def _pairs(images: Path, masks: Path) -> tuple[list[Path], list[Path], list[str]]:
    """Pictures, their masks, and remarks about files that are alone."""
    by_key: dict[PurePosixPath, str] = {}
    for entry in in_folder(images).entries:
        key = PurePosixPath(entry.identity).with_suffix("")
        if key in by_key:
            raise ImageError(f'"{entry.path}" and "{by_key[key]}" would have one mask; give them different names')
        by_key[key] = entry.path
    of_masks = {
        path.relative_to(masks).with_suffix("").as_posix(): path
        for path in sorted(masks.rglob("*"))
        if path.suffix.lower() == ".png"
    }
    found = [(Path(path), of_masks[key.as_posix()]) for key, path in by_key.items() if key.as_posix() in of_masks]
    if not found:
        raise ImageError(f'no picture in "{images}" has a mask of its name in "{masks}": a.jpg goes with a.png')
    alone = [path for key, path in by_key.items() if key.as_posix() not in of_masks]
    said = (
        [f"{counted(len(alone), 'picture')} left out, without a mask; {Path(alone[0]).name} the first"] if alone else []
    )
    idle = len(of_masks) - len(found)
    said += [f"{counted(idle, 'mask')} in {masks.name}/ left out, without a picture"] if idle else []
    return [picture for picture, _ in found], [mask for _, mask in found], said
