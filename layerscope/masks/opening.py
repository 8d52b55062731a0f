"""Masks of every form that is no world's, opened: what each row of `core/mask_forms.py` names."""

from pathlib import Path

from layerscope.core.errors import UsageError
from layerscope.core.mask_forms import instances_in
from layerscope.core.progress import Progress
from layerscope.masks.broden import BrodenMasks
from layerscope.masks.coco import CocoMasks
from layerscope.masks.folders import FolderMasks
from layerscope.masks.pictures import MaskedPictures, masked_pictures


def open_coco(path: Path, data: Path | None, limit: int | None, progress: Progress | None = None) -> MaskedPictures:
    """Pictures and the masks of a COCO instances file, or of the only one in a folder."""
    files = instances_in(path)
    if len(files) > 1:
        raise UsageError(f'"{path}" holds {len(files)} COCO files, "{files[0]}" the first; give one of them')
    return masked_pictures(CocoMasks(files[0], data), limit, progress)


def open_folders(path: Path, data: None, limit: int | None, progress: Progress | None = None) -> MaskedPictures:
    """Pictures, masks of numbers of the same names, and the table of their names."""
    return masked_pictures(FolderMasks(path), limit, progress)


def open_broden(path: Path, data: None, limit: int | None, progress: Progress | None = None) -> MaskedPictures:
    """Broden's pictures and masks."""
    return masked_pictures(BrodenMasks(path), limit, progress)
