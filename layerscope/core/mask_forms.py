"""The forms of masks, in words: how pictures with masks lie on disk, how each form is told, and what opens it.

Plain words: nothing heavy is loaded to tell which form it is. The first form that claims a path opens it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerscope.core.errors import UsageError
from layerscope.core.registry import Row, later

# What lies in a folder of masks that are PNG files of numbers.
IMAGES, MASKS = "images", ("masks", "annotations")
ADE20K_TABLE = "objectInfo150.txt"
TABLES = ("names.csv", "names.tsv", "names.txt", ADE20K_TABLE)
# Where a file of COCO's form lies in a folder.
_INSTANCES = ("instances*.json", "_annotations.coco.json", "annotations/instances*.json")


@dataclass(frozen=True, kw_only=True)
class MaskForm(Row):
    """A form of masks.

    form: what has to lie there, as a clause. claims: whether a path, which exists, is of this form. open: (path, data,
    limit, progress) -> the masks, as `layerscope.dissect` takes them, with their `source` and what is to be `said`.
    takes_data: the pictures may lie elsewhere, in a folder that `data` names.
    """

    form: str
    claims: Callable[[Path], bool]
    open: Callable[..., Any]
    takes_data: bool = False


def first_of(folder: Path, names: Sequence[str]) -> Path | None:
    """The first of these that the folder holds."""
    return next((folder / name for name in names if (folder / name).exists()), None)


def instances_in(path: Path) -> list[Path]:
    """The files of COCO's form that a path means: itself, or those in the folder."""
    if path.is_file():
        return [path] if path.suffix.lower() == ".json" else []
    return sorted(found for pattern in _INSTANCES for found in path.glob(pattern))


def _is_world(path: Path) -> bool:
    return (path / "concepts.json").is_file()


def _is_broden(path: Path) -> bool:
    return (path / "index.csv").is_file() and (path / "label.csv").is_file()


def _is_folders(path: Path) -> bool:
    return (path / IMAGES).is_dir() and first_of(path, MASKS) is not None and first_of(path, TABLES) is not None


def _is_ade20k(path: Path) -> bool:
    return _is_folders(path) and (path / ADE20K_TABLE).is_file()


def _is_coco(path: Path) -> bool:
    return bool(instances_in(path))


_OPENING = "layerscope.masks.opening"

MASK_FORMS = (
    MaskForm(
        name="world", sentence="pictures and masks that `layerscope world` wrote",
        form="a folder that layerscope world wrote", claims=_is_world,
        open=later("layerscope.dissect.keyed:open_world"),
    ),
    MaskForm(
        name="broden", sentence="Broden, the data set of network dissection: objects, parts, materials and more",
        form="a folder with Broden's index.csv and label.csv", claims=_is_broden, open=later(f"{_OPENING}:open_broden"),
    ),
    MaskForm(
        name="ade20k", sentence="ADE20K's scene parsing: pictures and PNG masks of numbers, named by its table",
        form="a folder with images/, annotations/ and objectInfo150.txt, as ADE20K's", claims=_is_ade20k,
        open=later(f"{_OPENING}:open_folders"),
    ),
    MaskForm(
        name="folders", sentence="pictures, PNG masks of numbers with the same names, and a table of the numbers",
        form="a folder with images/, masks/ and names.csv", claims=_is_folders, open=later(f"{_OPENING}:open_folders"),
    ),
    MaskForm(
        name="coco", sentence="COCO's instances: polygons and runs in one file, the pictures in a folder beside it",
        form="a COCO instances file (.json)", claims=_is_coco, open=later(f"{_OPENING}:open_coco"), takes_data=True,
    ),
)  # fmt: skip


def forms() -> str:
    """What masks may be, in one clause."""
    listed = [row.form for row in MASK_FORMS]
    return f"{', '.join(listed[:-1])} or {listed[-1]}"


def form_of(path: Path) -> MaskForm:
    """The form of the masks at a path. Raises UsageError where there is nothing, or nothing of a known form."""
    if not path.exists():
        raise UsageError(f'the masks "{path}" do not exist; give {forms()}')
    form = next((row for row in MASK_FORMS if row.claims(path)), None)
    if form is None:
        raise UsageError(f'the masks "{path}" are of no known form; give {forms()}')
    return form
