"""However an atlas came about, it holds what an undisturbed build puts into it: the laws of `layerscope.testing`."""

from pathlib import Path

import pytest

import layerscope as ls
from layerscope.testing import atlases
from layerscope.testing.atlases import Subject
from tests.helpers.dissection import Drawn


@pytest.fixture(scope="module")
def subject(net, pictures) -> Subject:
    """The small network on drawn pictures of two shards."""
    return Subject(net, str(pictures), ("relu1", "relu3", "relu4"), {"k": 3})


def test_a_finished_atlas_is_left_alone(subject: Subject, tmp_path: Path) -> None:
    """The same call again changes no byte."""
    atlases.built_again(subject, tmp_path)


def test_readers_see_whole_things(subject: Subject, tmp_path: Path) -> None:
    """At every step of a build."""
    atlases.opened_while_written(subject, tmp_path)


@pytest.mark.parametrize("method", ["guided", pytest.param("gradient", marks=pytest.mark.wide)])
@pytest.mark.wide
def test_a_method_may_be_added(method: str, subject: Subject, tmp_path: Path) -> None:
    """To a chain, to layers behind residual sums and to a dense layer."""
    atlases.method_added(subject.having(methods=("deconvnet",)), tmp_path, method)


def test_a_layer_may_be_added(subject: Subject, tmp_path: Path) -> None:
    """The last one."""
    atlases.layer_added(subject, tmp_path)


@pytest.mark.parametrize(("stage", "after"), [("sample", 3), pytest.param("sheets", 1, marks=pytest.mark.wide)])
def test_a_killed_build_goes_on(stage: str, after: int, subject: Subject, tmp_path: Path) -> None:
    """As after a power failure; more moments stand in test_resume.py."""
    atlases.killed_and_resumed(subject, tmp_path, stage, after)


@pytest.mark.wide
def test_a_dissection_adds_and_changes_nothing(net, tmp_path: Path) -> None:
    """Whatever a build has put into an atlas stays; a second dissection ends with the same rows."""
    drawn = Drawn(16)
    atlases.dissected(Subject(net, drawn, ("relu1", "relu2"), {"k": 3}), tmp_path, drawn, drawn)


def test_an_export_leaves_the_atlas_as_it_was(net, pictures, tmp_path: Path) -> None:
    """And a second one writes the same files."""
    atlases.exported(Subject(net, ls.images(pictures, limit=12), ("relu1",), {"k": 3}), tmp_path)


@pytest.mark.wide
def test_stopped_behind_every_piece(subject: Subject, tmp_path: Path) -> None:
    """Stopped whenever it has come one piece further, a build ends with the same rows."""
    atlases.stopped_behind_every_piece(subject, tmp_path)
