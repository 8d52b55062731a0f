"""What can be refused is refused before anything slow begins, with the true reason, and leaves nothing behind."""

import errno
import tempfile
from collections import namedtuple

import pytest
from PIL import Image

import layerscope as ls
from layerscope.api import before, opening, training
from layerscope.core.errors import AtlasError, NotAnAtlas
from layerscope.core.verbs import VERBS
from tests.helpers.building import INPUT, LAYERS, small_network


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a picture and a text; no network is opened in it."""

    def opened(*_, **__):
        raise AssertionError("the network was opened")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("layerscope.api.verbs.network_for", opened)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (20, 16), "red").save(tmp_path / "photos" / "red.png")
    (tmp_path / "notes.txt").write_text("mine")
    return tmp_path


PLACES = {
    "notes.txt/x.atlas": '"notes.txt": it is a file and no folder',
    "notes.txt/deeper/x.atlas": '"notes.txt": it is a file and no folder',
    "gone/x.atlas": 'there is no folder "gone"',
    "photos": "it is a folder; name a file in it",
    "notes.txt": "notes.txt is not an atlas",
}


@pytest.mark.parametrize("out", PLACES)
def test_a_place_where_no_atlas_can_be_is_refused_first(place, command_line, out):
    """From both faces in the same words: the reason is the true one, and what lay there lies there still."""
    with pytest.raises((ls.UsageError, AtlasError)) as refusal:
        ls.build("worldnet", "photos", out)
    assert PLACES[out] in str(refusal.value)
    assert command_line("build", "worldnet", "--images", "photos", "-o", out) == f"layerscope: {refusal.value}"
    assert sorted(path.name for path in place.rglob("*")) == ["notes.txt", "photos", "red.png"]
    assert (place / "notes.txt").read_text() == "mine"


@pytest.fixture
def command_line(capsys):
    from layerscope.cli import main

    def run(*words: str) -> str:
        capsys.readouterr()
        assert main([*words, "--quiet"]) == 1
        return capsys.readouterr().err.rstrip("\n")

    return run


def test_a_folder_without_write_right_is_refused_first(place, monkeypatch):
    """The system's own reason is told."""

    def denied(**_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", denied)
    with pytest.raises(ls.UsageError, match=r'to the folder ".*": Permission denied; choose another'):
        ls.build("worldnet", "photos", place / "x.atlas")


def test_what_cannot_fit_is_refused_first(place, monkeypatch):
    """An atlas needs some bytes for every image; a disk with fewer has no room for it."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**9, 10**9, 50_000))
    with pytest.raises(ls.UsageError, match=r"the atlas needs at least 0\.1 MB, and the disk of .* has 0\.1 MB left"):
        ls.build("worldnet", "photos", "x.atlas")
    with pytest.raises(ls.UsageError, match="the world needs at least"):
        ls.world("w", count=1_000_000)


def test_what_the_peaks_need_is_refused_before_the_scan(tmp_path, monkeypatch):
    """Once the layers are known, a peak is counted with the bytes that it needs at least."""
    Image.new("RGB", (20, 16), "red").save(tmp_path / "red.png")
    monkeypatch.setattr(before, "BYTES_PER_PEAK", 10**15)
    with pytest.raises(ls.UsageError, match=r"needs at least [\d,]+\.0 GB"):
        ls.build(small_network(), tmp_path / "red.png", tmp_path / "x.atlas", progress=False)
    assert not (tmp_path / "x.atlas").exists()


@pytest.mark.parametrize(
    "verb", ["ablate", "build", "check", "evaluate", "look", "live", "layers", "dissect", "forecast"]
)
def test_weights_that_are_not_there_are_refused_first(place, monkeypatch, verb):
    """With the nearest name in that folder, whatever the verb."""
    for module in (opening, training):
        monkeypatch.setattr(module, "load_named", lambda *_, **__: pytest.fail("the network was opened"))
    given = {
        "atlas": "a.atlas",
        "net": "worldnet",
        "images": "photos",
        "data": "photos",
        "picture": "p",
        "out": "x.png",
        "units": "layer:0",
    }
    settings = {setting.name for setting in VERBS[verb].settings if setting.needed or setting.name == "out"}
    more = {"world": True} if verb == "dissect" else {}
    with pytest.raises(ls.UsageError, match=r'there is no weights file "note\.txt"; did you mean notes\.txt\?'):
        getattr(ls, verb)(**{name: given[name] for name in settings & given.keys()}, **more, weights="note.txt::model")


def test_an_unknown_codec_costs_nothing(tmp_path):
    """Nothing is scanned, no file is left, and the corrected call works on the same path."""
    Image.new("RGB", (20, 16), "red").save(tmp_path / "red.png")
    net, out, recorder = small_network(), tmp_path / "a.atlas", StageRecorder()
    with pytest.raises(ls.UsageError, match=r'codec= must be one of .*, got "jpg"; did you mean jpeg'):
        ls.build(net, tmp_path / "red.png", out, codec="jpg", progress=recorder)
    assert recorder.stages == [] and [path.name for path in tmp_path.iterdir()] == ["red.png"]
    with ls.build(net, tmp_path / "red.png", out, codec="jpeg", layers=LAYERS[0], progress=recorder) as atlas:
        assert atlas.finished and recorder.stages[0] == "scan"


class StageRecorder:
    """Notes the stages of a build."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def start(self, stage: str, total: int, done: int) -> None:
        self.stages.append(stage)

    def step(self, count: int = 1) -> None: ...

    def say(self, sentence: str) -> None: ...


def test_an_atlas_that_is_there_may_be_gone_on_with(tmp_path):
    """A finished atlas, an unfinished one and an empty file are no obstacle; a damaged atlas is one."""
    from tests.helpers.atlases import small_atlas

    path = small_atlas(tmp_path / "a.atlas", units=3)
    before.require_atlas_place(path, overwrite=False)
    (tmp_path / "empty.atlas").touch()
    before.require_atlas_place(tmp_path / "empty.atlas", overwrite=False)
    (tmp_path / "cut.atlas").write_bytes(path.read_bytes()[:-700])
    with pytest.raises(NotAnAtlas, match="choose another name"):
        before.require_atlas_place(tmp_path / "cut.atlas", overwrite=False)
    before.require_atlas_place(tmp_path / "cut.atlas", overwrite=True)


def test_an_unknown_device_is_refused_before_the_network(place):
    """PyTorch's own reason, in one sentence."""
    with pytest.raises(ls.UsageError, match='the device "cuda:99" cannot be used'):
        ls.build("worldnet", "photos", "x.atlas", device="cuda:99")
    with pytest.raises(ls.UsageError, match=r"input must say what the network expects"):
        ls.build("worldnet", "photos", "x.atlas", input=INPUT.shape)


def test_an_engine_whose_atlases_cannot_be_merged_is_refused_first(place, command_line):
    """Before images are listed; a part of them is built all the same, and keeps no sums that nobody could add."""
    with pytest.raises(ls.UsageError, match=r'cannot be had from the engine "bfloat16".* use the engine local') as no:
        ls.build("worldnet", "gone", "x.atlas", engine="bfloat16", mergeable=True)
    words = ("build", "worldnet", "--images", "photos", "-o", "x.atlas", "--engine", "bfloat16", "--mergeable")
    assert command_line(*words) == f"layerscope: {no.value}"
    for engine, kept in {"local": True, "processes": True, "bfloat16": False}.items():
        for begin, end in ((0, None), (None, 5), (2, 5)):
            assert before.is_mergeable_part({"begin": begin, "end": end, "engine": engine}) is kept
        assert not before.is_mergeable_part({"begin": None, "end": None, "engine": engine})
