"""The guest's engine, which makes pieces in other processes, keeps the laws of engines."""

from pathlib import Path

import pytest

import layerscope as ls
from layerscope.core.engines import ENGINES
from layerscope.testing import engines as laws
from layerscope.testing.atlases import Subject
from tests.helpers.building import pictures_as_files, small_network
from tests.helpers.guests import installed


def test_the_guests_engine_gives_every_piece_in_its_turn() -> None:
    """Found by its name; our own `processes` is held to the rows on every run."""
    with installed():
        laws.gives_every_piece_in_its_turn(ENGINES["pool"])


@pytest.mark.wide
def test_the_guests_engine_makes_the_rows_of_ours(tmp_path: Path) -> None:
    """It makes pieces in a process of its own: the same rows, the same counts, nothing left."""
    folder = pictures_as_files(tmp_path / "drawn", 140)
    files = sorted(folder.rglob("*.png"))
    files[139].write_bytes(files[0].read_bytes())  # a copy in the second shard of an image in the first
    (tmp_path / "atlases").mkdir()
    subject = Subject(small_network(), str(folder), ("relu1", "relu3"), {"k": 3, "workers": 1})
    with installed():
        laws.same_rows_as_local(ENGINES["pool"], subject, tmp_path / "atlases")


@pytest.mark.wide
def test_the_guests_engine_keeps_all_laws(tmp_path: Path) -> None:
    """Stopped in every stage and resumed, and with an image that breaks on the way, too."""
    folder = pictures_as_files(tmp_path / "drawn", 140)
    picture = folder / "blue eye" / "0052.png"
    content = picture.read_bytes()
    (tmp_path / "atlases").mkdir()
    subject = Subject(small_network(), str(folder), ("relu1", "relu3"), {"k": 5})
    with installed():
        laws.laws(
            ENGINES["pool"], subject, tmp_path / "atlases",
            lambda: picture.write_bytes(content[: len(content) // 2]), lambda: picture.write_bytes(content),
        )  # fmt: skip


def test_the_guests_engine_is_told_with_its_home() -> None:
    """While the package is installed, and only then; the sentence about an unknown one names those that are there."""
    with installed():
        (found,) = (found for found in ENGINES.found() if found.name == "pool")
        assert found.home == "layerscope-guest 1.0" and not found.trouble
    assert "pool" not in ENGINES
    with pytest.raises(ls.LayerscopeError, match="pool"):
        ENGINES["pool"]
