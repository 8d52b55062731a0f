"""`export` hands its options on, says where the site is, and writes nothing with --dry-run."""

import json
import zipfile
from inspect import signature

import pytest

from layerscope.api.atlas import Atlas
from layerscope.api.atlas import open as open_atlas
from layerscope.api.exporting import export
from layerscope.core.verbs import VERBS
from tests.helpers.sites import dead_links, files


def test_a_site_is_written_and_named(command, atlas, tmp_path):
    """stdout says where to begin; stderr says beforehand what it will be, and what partly recovers the images."""
    words = ("--layers", "features.1", "--no-photographs")
    status, said, err = command("export", atlas, tmp_path / "site", *words)
    assert status == 0 and said.startswith(f"{tmp_path / 'site' / 'index.html'}: ")
    assert " MB in " in err and "partly recover the images" in err
    assert dead_links(tmp_path / "site") == []
    status, said, err = command("export", atlas, tmp_path / "site", *words, "--overwrite", "--json", "--quiet")
    held = files(tmp_path / "site")
    assert (status, err) == (0, "")
    assert json.loads(said) == {
        "folder": str(tmp_path / "site"), "files": len(held), "bytes": sum(map(len, held.values()))
    }  # fmt: skip


def test_a_dry_run_writes_nothing(command, atlas, tmp_path, monkeypatch):
    """It says what would be written, also without a folder."""
    monkeypatch.chdir(tmp_path)
    status, said, _ = command("export", atlas, "--dry-run", "--layers", "features.1,classifier.1", "--tile", "16")
    assert status == 0 and "2 layers" in said and "tiles of at most 16 px" in said and "nothing was written" in said
    status, said, _ = command("export", atlas, "--dry-run", "--no-projections", "--json")
    data = json.loads(said)
    assert (data["layers"], data["methods"]) == (["features.1", "features.4", "classifier.1"], [])
    assert data["photographs"] and data["files"] > 18 and data["bytes"] > 10_000
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "DIR is missing: the folder to fill"),
        (("HERE",), "is not empty and is no export of layerscope"),
        (("new", "--layers", "features.1", "--budget", "1kB"), "0.0 MB are too few"),
        (
            ("new", "--budget", "lots"),
            '--budget must be a size above zero such as 200MB, or a whole number of bytes, got "lots"',
        ),
        (("new", "--tile", "7"), "--tile must be a whole number from 8 to 512, got 7"),
        (("new", "--layers", "features.9"), 'no layer "features.9"'),
        (("new", "--zip"), "name a file that ends in .zip"),
        (("new", "--url", "ftp://lab.example.org/"), "--url must be an address such as https://lab.example.org/atlas/"),
        (("new", "--url", "https://lab.example.org/?a"), "--url must be an address"),
        (("new", "--url", "https://me:word@lab.example.org/"), "--url must be an address"),
        (("new", "--url", "lab.example.org"), "--url must be an address"),
    ],
)
@pytest.mark.thin(3)
def test_mistakes_are_one_sentence(command, atlas, tmp_path, monkeypatch, words, sentence):
    """Nothing is written, and the message says what to do."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "HERE").mkdir()
    (tmp_path / "HERE" / "thesis.txt").write_text("mine")
    status, said, err = command("export", atlas, *words)
    assert (status, said) == (1, "") and sentence in err and len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["HERE", "thesis.txt"]


def test_the_same_from_python(atlas, tmp_path):
    """Atlas.export takes the same choices, a layer's name alone too."""
    with open_atlas(atlas) as held:
        done = held.export(tmp_path / "site", layers="features.1", photographs=False, progress=False)
    assert done.files == len(files(tmp_path / "site")) and done.folder == tmp_path / "site"
    assert sorted(path.name for path in (tmp_path / "site" / "l").iterdir()) == ["features.1"]


def test_python_takes_every_setting_of_the_shell():
    """ls.export and Atlas.export take each setting of the verb, with its default; the atlas is there already."""
    settings = {setting.name: setting for setting in VERBS["export"].settings}
    whole, own = (signature(taking).parameters for taking in (export, Atlas.export))
    assert set(whole) == set(settings) and set(own) == set(settings) - {"atlas"} | {"self"}
    for name, parameter in own.items():
        assert name == "self" or parameter.default == whole[name].default == settings[name].default, name


def test_one_file_may_be_asked_for(command, atlas, tmp_path):
    """With --zip, and with the address under which it will stand; in JSON it is called what it is."""
    words = ("--layers", "features.1", "--zip", "--url", "https://lab.example.org/net")
    status, said, _ = command("export", atlas, tmp_path / "site.zip", *words)
    assert status == 0 and said.startswith(f"{tmp_path / 'site.zip'}: ")
    with zipfile.ZipFile(tmp_path / "site.zip") as archive:
        (page,) = [name for name in archive.namelist() if name.endswith("/l/features.1/index.html")]
        assert b'content="https://lab.example.org/net/l/features.1/index.html"' in archive.read(page)
        count = len(archive.namelist())
    status, said, _ = command("export", atlas, tmp_path / "site.zip", *words, "--overwrite", "--json", "--quiet")
    size = (tmp_path / "site.zip").stat().st_size
    assert json.loads(said) == {"zip": str(tmp_path / "site.zip"), "files": count, "bytes": size}
