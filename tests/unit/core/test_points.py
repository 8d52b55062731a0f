"""Entry points of other packages are found wherever a package can lie, and cost nothing where there are none."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from layerscope.core.points import look_anew, points

NAMED = "[layerscope.codecs]\nqoi = somebody.codecs:QOI\n"
DESCRIBED = "Metadata-Version: 2.1\nName: somebody\nVersion: 1.0\n"


@pytest.fixture(autouse=True)
def anew():
    look_anew()
    yield
    look_anew()


def _found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    monkeypatch.syspath_prepend(folder)
    return [(point.name, point.value) for point in points("layerscope.codecs") if point.name == "qoi"]


@pytest.mark.parametrize("where", ["somebody-1.0.dist-info", "somebody.egg-info", "EGG-INFO"])
def test_installed_packages_are_found(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """However a package was installed; those that name rows of others are not taken for ours."""
    folder = tmp_path / ("somebody-1.0-py3.11.egg" if where == "EGG-INFO" else "site-packages")
    info = folder / where
    info.mkdir(parents=True)
    (info / "METADATA").write_text(DESCRIBED)
    (info / "PKG-INFO").write_text(DESCRIBED)
    (info / "entry_points.txt").write_text(NAMED)
    assert _found(folder, monkeypatch) == [("qoi", "somebody.codecs:QOI")]
    assert not [point for point in points("layerscope.pages") if point.name == "qoi"]


def test_a_zip_archive_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its files cannot be listed as a folder's, so it is asked."""
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("somebody-1.0.dist-info/METADATA", DESCRIBED)
        archive.writestr("somebody-1.0.dist-info/entry_points.txt", NAMED)
    assert _found(tmp_path / "all.zip", monkeypatch) == [("qoi", "somebody.codecs:QOI")]


def test_a_package_that_is_installed_later_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder that has changed is looked at again."""
    assert _found(tmp_path, monkeypatch) == []
    info = tmp_path / "somebody-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(DESCRIBED)
    (info / "entry_points.txt").write_text(NAMED)
    assert [point.name for point in points("layerscope.codecs") if point.name == "qoi"] == ["qoi"]


def test_help_loads_no_reader_of_packages_where_nobody_names_a_row(tmp_path: Path):
    """Where a package names one, its row stands in the help."""
    said = subprocess.run([sys.executable, "-c", _HELP, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "importlib.metadata: False" in said.stdout and "mine:NAME" not in said.stdout
    info = tmp_path / "somebody-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(DESCRIBED)
    (info / "entry_points.txt").write_text("[layerscope.images]\nmine = images_of_somebody:ROW\n")
    (tmp_path / "images_of_somebody.py").write_text(
        "from layerscope.core.images import ImageKind\n"
        "ROW = ImageKind(name='mine', sentence='pictures', form='mine:NAME', open=print, prefix='mine:')\n"
    )
    said = subprocess.run([sys.executable, "-c", _HELP, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "importlib.metadata: True" in said.stdout and "mine:NAME" in said.stdout


_HELP = """
import sys
sys.path = [p for p in sys.path if 'site-packages' not in p] + [sys.argv[1]]
from layerscope.cli.entry import main
main(['build', '--help'])
print('importlib.metadata:', 'importlib.metadata' in sys.modules)
"""
