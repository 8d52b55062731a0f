"""Engines: ours, one that makes everything backwards, and one with a runner of its own."""

import pickle
import platform
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import layerscope as ls
from layerscope.core.engines import ENGINES, Engine, Made, one, packed
from layerscope.core.errors import ImageError, UsageError, WrongModel
from layerscope.pipeline.scan_work import ScanWork
from layerscope.sources import open_source
from layerscope.testing import engines
from layerscope.testing.atlases import Subject
from layerscope.testing.watching import Log
from tests.helpers.building import LAYERS, K, pictures_as_files


def backwards(work, pieces) -> Iterator[Made]:
    """The last piece first, each by a copy of the work that has travelled, as what was made does."""
    made = {}
    for piece in reversed(pieces):
        traveller, parcel = pickle.loads(pickle.dumps((work, piece)))
        made[piece.number] = pickle.loads(pickle.dumps(one(traveller, parcel)))
    return (made[piece.number] for piece in pieces)


def larger(program):
    """A runner whose numbers are others: every activation is a little larger."""

    class Larger:
        graph, dtype, device = program.graph, program.dtype, program.device

        def run(self, x, wanted):
            return {node: value * (1 + 2**-16) for node, value in program.run(x, wanted).items()}

    return Larger()


BACKWARDS = Engine(name="backwards", sentence="the last piece first", open=lambda workers: nullcontext(backwards))
LARGER = Engine(
    name="larger", sentence="every activation a little larger", open=ENGINES["local"].open, exact=False, runner=larger
)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engines of this module are installed."""
    for engine in (BACKWARDS, LARGER):
        monkeypatch.setitem(ENGINES.own, engine.name, engine)


@pytest.fixture(scope="module")
def subject(net, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """The small network on its own copy of some pictures, a few of them copies of others; what is spoilt is mended."""
    folder = pictures_as_files(tmp_path_factory.mktemp("engines") / "drawn", 140)
    files = sorted(folder.rglob("*.png"))
    for place in (3, 70, 139):
        files[place].write_bytes(files[0].read_bytes())
    return Subject(net, str(folder), tuple(LAYERS), {"k": K, "codec": "png"})


def held(subject: Subject) -> tuple[Callable[[], int], Callable[[], int]]:
    """What spoils a picture that has peaks, and what makes it as it was."""
    picture = Path(subject.images) / "blue eye" / "0052.png"
    content = picture.read_bytes()
    return lambda: picture.write_bytes(content[: len(content) // 2]), lambda: picture.write_bytes(content)


def laws(engine: Engine, subject: Subject, folder: Path) -> None:
    folder.mkdir()
    engines.laws(engine, subject, folder, *held(subject))


@pytest.mark.parametrize("name", ["backwards", *(pytest.param(n, marks=pytest.mark.wide) for n in ("local", "larger"))])
@pytest.mark.wide
def test_an_engine_keeps_the_laws(name: str, subject: Subject, tmp_path: Path) -> None:
    """Ours, one that makes the last piece first and elsewhere, and one with a runner of its own."""
    laws(ENGINES[name], subject, tmp_path / "atlases")


@pytest.mark.wide
@pytest.mark.parametrize("name", ["local", "backwards", "larger"])
def test_stopped_between_any_two_pieces(name: str, subject: Subject, tmp_path: Path) -> None:
    """A build that is stopped whenever it has come one piece further ends with the same rows."""
    (tmp_path / "atlases").mkdir()
    engines.stopped_anywhere(ENGINES[name], subject, tmp_path / "atlases")


def test_what_an_engine_with_other_numbers_began_is_not_gone_on_with(net, pictures, tmp_path: Path) -> None:
    """Its name is a part of the run: local refuses its file, and says why, and so does it refuse local's."""
    subject = Subject(net, ls.images(pictures, limit=8), ("relu1",), {"k": 1})
    for first, then in (("larger", "local"), ("local", "larger")):
        out = tmp_path / f"{first}.atlas"
        subject.build(out, engine=first)
        with pytest.raises(WrongModel, match=f"engine was '{first}', is '{then}'; choose another file"):
            subject.build(out, engine=then)


def test_where_memory_is_short_no_image_is_lost(net, pictures, tmp_path: Path, monkeypatch) -> None:
    """The shard is begun again with smaller batches, whatever was read ahead: every image is counted and told once."""

    def forgetful(program):
        class Small(larger(program).__class__):
            def run(self, x, wanted):
                if len(x) > 8:
                    raise MemoryError
                return program.run(x, wanted)

        return Small()

    small = Engine(name="small", sentence="with little memory", open=ENGINES["local"].open, runner=forgetful)
    monkeypatch.setitem(ENGINES.own, "small", small)
    log = Log()
    Subject(net, str(pictures), ("relu1",), {"k": 1}).build(tmp_path / "a.atlas", progress=log, engine="small")
    with ls.open(tmp_path / "a.atlas") as atlas:
        assert atlas.file.statistic("images") == len(atlas.file.images()) == 150
    assert [said for said in log.said if "memory" in said] == [
        f"out of memory: this scan goes on with batches of {size} images" for size in (16, 8)
    ]
    _, total, done, steps = log.stage("scan")
    assert done + sum(steps) == total == 150


def test_an_engine_that_breaks_the_order_is_refused(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces in another order, or fewer than were asked for, end in one sentence."""

    def reverse(work, pieces) -> Iterator[Made]:
        return (one(work, piece) for piece in reversed(pieces))

    def lazy(work, pieces) -> Iterator[Made]:
        return (one(work, piece) for piece in pieces[:-1])

    for name, made_by, said in (("reverse", reverse, "gave piece 1 in the turn of"), ("lazy", lazy, "gave nothing in")):
        engine = Engine(name=name, sentence="breaks the law", open=lambda workers, by=made_by: nullcontext(by))
        monkeypatch.setitem(ENGINES.own, name, engine)
        with pytest.raises(UsageError, match=f'the engine "{name}" {said}'):
            subject.build(tmp_path / "small.atlas", engine=name)
        with pytest.raises(AssertionError, match=f"the engine {name}"):
            engines.gives_every_piece_in_its_turn(engine)


def test_an_engine_that_cannot_be_opened_leaves_no_atlas(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor touches the one that was to be overwritten; what a plain command then makes has its own threads."""

    def refuse(workers: int):
        raise UsageError("nobody answers")

    monkeypatch.setitem(ENGINES.own, "shut", Engine(name="shut", sentence="never open", open=refuse, own_threads=True))
    out, small = tmp_path / "a.atlas", subject.having(limit=20)
    with pytest.raises(UsageError, match="nobody answers"):
        small.build(out, engine="shut")
    assert not list(tmp_path.iterdir())
    small.build(out)
    content = out.read_bytes()
    with pytest.raises(UsageError, match="nobody answers"):
        small.build(out, engine="shut", overwrite=True)
    assert out.read_bytes() == content


def test_what_cannot_travel_is_a_sentence(net: ls.Network, tmp_path: Path) -> None:
    """A Dataset that holds an open file stays where it is: other processes cannot have it, and local can."""

    class Open(list):
        file = (tmp_path / "x").open("w")

        def __init__(self) -> None:
            super().__init__([np.zeros((40, 48, 3), np.uint8)])
            self.held = self.file

    source = open_source(Open())
    work = ScanWork(net.program, [net["relu1"]], source, net.input, k=1, sample=None)
    with pytest.raises(UsageError, match=r'the engine "far" hands network and images .* use the engine local'):
        packed(work, "far")
    Open.file.close()


def test_what_is_missing_elsewhere_alone_is_not_skipped(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image that another machine cannot read and the writer can stops the build, with both named; one that neither
    can read is skipped as ever."""
    hidden = Path(subject.images) / "blue eye" / "0052.png"
    content = hidden.read_bytes()

    def blind(work, pieces) -> Iterator[Made]:
        for piece in pieces:
            hidden.unlink()
            made = one(pickle.loads(pickle.dumps(work)), piece)
            hidden.write_bytes(content)
            yield made

    far = Engine(name="far", sentence="elsewhere", open=lambda workers: nullcontext(blind), elsewhere=True)
    monkeypatch.setitem(ENGINES.own, "far", far)
    with pytest.raises(ImageError, match=rf"0052\.png.* can be used here, and not on the machine {platform.node()} \("):
        subject.build(tmp_path / "a.atlas", engine="far")
    content = b"no picture"
    hidden.write_bytes(content)
    broken = replace(far, open=ENGINES["local"].open)
    monkeypatch.setitem(ENGINES.own, "far", broken)
    small = subject.having(limit=60)
    small.build(tmp_path / "b.atlas", engine="far")
    with ls.open(tmp_path / "b.atlas") as atlas:
        assert sum(record.skipped is not None for record in atlas.file.images()) == 1
