"""Files of an export made by several processes: the bytes of one, in its order, and a sentence where a process dies."""

import os
import signal
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest

from layerscope.core.errors import UsageError
from layerscope.viewer.export import ExportChoice, export, planned, several
from layerscope.viewer.export.several import Workmate, contents, groups
from tests.helpers.atlases import small_atlas
from tests.helpers.sites import files


@pytest.fixture(scope="module")
def atlas(tmp_path_factory) -> Path:
    return small_atlas(tmp_path_factory.mktemp("atlas") / "small.atlas", units=8, k=3, images=10)


@pytest.fixture
def begun(monkeypatch) -> list[Workmate]:
    """The processes that are begun."""
    found: list[Workmate] = []

    begin = Workmate.__init__

    def seen(self: Workmate) -> None:
        begin(self)
        found.append(self)

    monkeypatch.setattr(Workmate, "__init__", seen)
    return found


def test_two_processes_write_what_one_does(atlas, tmp_path, begun):
    """The same files, byte for byte; each process has ended then."""
    choice = ExportChoice(photographs=False, tile=32)
    for number in (1, 2):
        export(atlas, tmp_path / str(number), choice, processes=number)
        assert len(begun) == (0 if number == 1 else 2)
    one, two = (files(tmp_path / name) for name in ("1", "2"))
    assert one == two and len(one) > 50
    assert all(ended(one) for one in begun)


def test_a_page_and_its_values_are_made_one_after_the_other(atlas):
    """Groups hold every place once, in order, and none begins with values, whose facts the page has gathered."""
    with planned(atlas, ExportChoice()) as plan:
        found = list(groups(plan.pieces))
        assert list(chain.from_iterable(found)) == list(range(len(plan.pieces))) and len(found) > 3
        assert not any(plan.pieces[group[0]].kind == "data" for group in found)
    assert list(groups(())) == []


def test_a_process_that_dies_is_one_sentence_and_leaves_nothing(atlas, tmp_path, monkeypatch, begun):
    """Whichever file it was at."""
    crew = several._crew

    def killed(*words):
        made = crew(*words)
        os.kill(begun[0]._process.pid, signal.SIGKILL)
        return made

    monkeypatch.setattr(several, "_crew", killed)
    with pytest.raises(UsageError, match="ended before its time; free memory"):
        export(atlas, tmp_path / "site", processes=2)
    assert list(tmp_path.iterdir()) == [] and all(ended(one) for one in begun)


def test_what_making_a_file_raises_is_raised(atlas):
    """Though it was another process that met it."""
    with planned(atlas, ExportChoice()) as plan, closing(Workmate()) as one:
        one.send(several.Publication(plan.book.edition.path, plan.book.edition.choice))
        assert one.receive() == (plan.book.edition.state, several.listed(plan))
        with pytest.raises(IndexError):
            one.make(range(len(plan.pieces), len(plan.pieces) + 1))
        assert one.make(range(1)) == [plan.content(plan.pieces[0])]


def test_an_atlas_that_was_replaced_meanwhile_is_written_by_one(tmp_path, begun):
    """Another process would read another state of it: the files are those of the moment at which it was opened."""
    atlas = small_atlas(tmp_path / "changed.atlas")
    with planned(atlas, ExportChoice()) as plan:
        small_atlas(tmp_path / "other.atlas").replace(atlas)
        with contents(plan, 2) as made:
            assert next(made) == plan.content(plan.pieces[0])
            assert len(begun) == 2 and not any(one._process.poll() for one in begun)
            assert made.gi_code.co_name == "_alone"


def ended(one: Workmate) -> bool:
    return one._process.poll() is not None
