"""A check says which images are not those of the atlas, by name, and what of them is otherwise."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import layerscope as ls
from layerscope.api.verbs import check
from tests.helpers.building import small_network

COUNT = 6


def drawn(path: Path, seed: int) -> None:
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, 44, 3)).astype(np.uint8)).save(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures without compression, so that all are of one size, and an atlas of them."""
    out = tmp_path_factory.mktemp("check")
    (out / "photos").mkdir()
    for number in range(COUNT):
        drawn(out / "photos" / f"{number}.bmp", number)
    ls.build(small_network(), out / "photos", out / "a.atlas", layers="relu1", k=4, progress=False).close()
    return out


def gone(photos: Path) -> None:
    (photos / "1.bmp").unlink()


def grown(photos: Path) -> None:
    with (photos / "2.bmp").open("ab") as file:
        file.write(b"more")


def other(photos: Path) -> None:
    drawn(photos / "3.bmp", 99)


def between(photos: Path) -> None:
    drawn(photos / "0 and a half.bmp", 7)


def behind(photos: Path) -> None:
    drawn(photos / "9.bmp", 7)


EVERY = 24  # 4 peaks of each of 6 units: fewer than a sample holds
SIZE = 40 * 44 * 3 + 54
CASES: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "nothing": (lambda photos: None, ()),
    "gone": (gone, ('1 image of the atlas is not there: "1.bmp"', "peaks of relu1 do not come back")),
    "grown": (
        grown,
        (
            f'1 image has another size: "2.bmp" ({SIZE:,} bytes then, {SIZE + 4:,} now)',
            'another content than when scanned: "2.bmp"',
        ),
    ),
    "other": (other, ("peaks of relu1 do not come back", '1 image has another content than when scanned: "3.bmp"')),
    "between": (between, ('1 image is not in the atlas: "0 and a half.bmp"',)),
    "behind": (behind, ()),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_differs_is_named(made: Path, tmp_path: Path, case: str) -> None:
    """Of the others the peaks come back, for images are known by name; one behind the last changes nothing."""
    change, said = CASES[case]
    shutil.copytree(made / "photos", tmp_path / "photos")
    change(tmp_path / "photos")
    report = check(made / "a.atlas", small_network(), tmp_path / "photos")
    assert len(report.failed) == len(said), report.failed
    for sentence, part in zip(report.failed, said, strict=True):
        assert part in sentence
    assert (report.worst < 1e-4) == (case != "other")  # of those that came back
    assert (report.missing > 0) == (case == "gone")
    assert report.peaks + report.missing == EVERY


def test_another_order_is_said_once(made: Path) -> None:
    """And many that are missing are counted, some of them named."""
    names = sorted((made / "photos").iterdir())
    assert check(made / "a.atlas", small_network(), names[::-1]).failed == (
        "the images are in another order than in the atlas",
    )
    few = check(made / "a.atlas", small_network(), names[:1]).failed
    assert few[0] == '5 images of the atlas are not there: "1.bmp", "2.bmp", "3.bmp" and 2 more'
