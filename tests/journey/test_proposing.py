"""An engine that proposes in fewer bits: peaks, tiles and sheets of the engine local, and what it says on the way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import layerscope as ls
from layerscope.core.engines import ENGINES, Engine
from layerscope.core.errors import UsageError
from layerscope.graph import lowered
from layerscope.graph.program import Program
from layerscope.graph.runner import See
from layerscope.scan import proposed
from layerscope.testing import engines
from layerscope.testing.atlases import Subject, killed_and_resumed, same_rows
from layerscope.testing.watching import Log
from tests.helpers.building import LAYERS, K, pictures_as_files


@pytest.fixture(autouse=True)
def able(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever processor the tests run on: bfloat16 is computed everywhere, only slowly."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})


@pytest.fixture(scope="module")
def undisturbed(net, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """The small network on its own copy of some pictures, one of them a copy of another; its rows are known."""
    folder = pictures_as_files(tmp_path_factory.mktemp("proposing") / "drawn", 140)
    files = sorted(folder.rglob("*.png"))
    files[70].write_bytes(files[0].read_bytes())
    found = Subject(net, str(folder), tuple(LAYERS), {"k": K, "codec": "png"})
    assert found.whole
    return found


@pytest.fixture
def subject(undisturbed: Subject) -> Subject:
    """The same; nothing in its folder is changed."""
    return undisturbed


@pytest.fixture
def disturbed(undisturbed: Subject) -> Subject:
    """The same for a test that changes what the network computes: its rows are asked for anew."""
    return undisturbed.having()


def built(subject: Subject, out: Path, engine: str = "bfloat16") -> Log:
    """A build by an engine, held to what `local` makes; its log."""
    log = Log()
    subject.build(out, progress=log, engine=engine)
    same_rows(out, subject.whole, but=[table for table in subject.whole if table not in engines.DECIDED])
    return log


@pytest.mark.wide
def test_it_keeps_the_laws_of_engines(subject: Subject, tmp_path: Path) -> None:
    """Peaks and sheets are those of local, bit for bit; stopped in every stage it goes on to the same rows."""
    (tmp_path / "atlases").mkdir()
    row = ENGINES["bfloat16"]
    engines.same_rows_as_local(row, subject, tmp_path / "atlases")
    engines.stopped_and_resumed(row, subject, tmp_path / "atlases")


WIDE = [pytest.param(name, 2, marks=pytest.mark.wide) for name in ("scan", "project")]


@pytest.mark.parametrize(("stage", "after"), [("decide", 1), *WIDE])
@pytest.mark.wide
def test_killed_it_goes_on_to_the_same_rows(subject: Subject, tmp_path: Path, stage: str, after: int) -> None:
    """The process is ended by force; the next one ends with the rows of one that nobody disturbed."""
    (tmp_path / "atlases").mkdir()
    killed_and_resumed(subject.having(engine="bfloat16"), tmp_path / "atlases", stage, after)


@pytest.mark.wide
def test_stopped_between_any_two_pieces(subject: Subject, tmp_path: Path) -> None:
    """A build that is stopped whenever it has come one piece further ends with the same rows."""
    (tmp_path / "atlases").mkdir()
    engines.stopped_anywhere(ENGINES["bfloat16"], subject, tmp_path / "atlases")


def test_what_was_run_again_is_told_and_kept(subject: Subject, tmp_path: Path) -> None:
    """How many images, in a sentence and in the atlas, with the bound of each layer."""
    out = tmp_path / "a.atlas"
    (said,) = [said for said in built(subject, out).said if "proposes" in said]
    assert "of 139 images" in said
    with ls.open(out) as atlas:
        kept = atlas.file.statistic("engine")
        assert kept["name"] == "bfloat16" and kept["images"] == 139 and f"proposes {kept['run again']} of" in said
        bounds = [atlas.file.statistic("engine", layer.id) for layer in atlas.file.layers]
        assert all(0 < one["bound"] < 10 and one["candidates"] >= K for one in bounds)
    assert ls.info(out)["engine"]["name"] == "bfloat16"


def test_a_bound_that_does_not_hold_is_seen(subject: Subject, tmp_path: Path, monkeypatch) -> None:
    """With bounds far too small candidates are missed: that is seen, every image is run again, and peaks are right."""
    monkeypatch.setattr(proposed, "MARGIN", 1e-3)
    log = built(subject, tmp_path / "a.atlas")
    assert any("further off than its bound at relu1" in said and "every image" in said for said in log.said)


def engine_of(proposer: Callable[[Any], Any]) -> Engine:
    return Engine(name="own", sentence="of a test", open=ENGINES["local"].open, exact=False, proposer=proposer)


def test_an_engine_that_fails_on_the_way_is_gone_on_without(subject: Subject, tmp_path: Path, monkeypatch) -> None:
    """In the middle of a scan: its shard is scanned plainly, said so, and the peaks are the same."""
    calls = [0]

    def failing(program):
        inner = lowered.in_bfloat16(program)

        class Failing:
            graph, dtype, device = inner.graph, inner.dtype, inner.device

            def run(self, x, wanted):
                calls[0] += 1
                if calls[0] == 6:
                    raise RuntimeError("no such kernel")
                return inner.run(x, wanted)

        return Failing()

    monkeypatch.setitem(ENGINES.own, "own", engine_of(failing))
    log = built(subject, tmp_path / "a.atlas", "own")
    assert "the engine own failed (no such kernel): images 0 to 127 go without it" in log.said


def test_a_network_that_an_engine_cannot_run(subject: Subject, tmp_path: Path, monkeypatch) -> None:
    """The node is named, and the scan is made without it."""

    def unable(program):
        class Unable:
            graph, dtype, device = program.graph, program.dtype, program.device

            def run(self, x, wanted):
                if max(wanted) >= 3:
                    raise NotImplementedError("not for such pools")
                return program.run(x, wanted)

        return Unable()

    monkeypatch.setitem(ENGINES.own, "own", engine_of(unable))
    log = built(subject, tmp_path / "a.atlas", "own")
    node = subject.net.program.graph.nodes[3]
    assert any(f'it cannot run node "{node.name}" ({node.op}): not for such pools' in said for said in log.said)


def test_a_network_whose_numbers_depend_on_the_place_in_a_batch(
    disturbed: Subject, tmp_path: Path, monkeypatch
) -> None:
    """Candidates are run again in the places in which they were scanned."""
    visit = Program.visit

    def placed(self: Program, x: torch.Tensor, wanted: set[int], see: See) -> None:
        def scaled(node: int, first: int, value: torch.Tensor) -> None:
            places = torch.arange(first, first + len(value)).reshape(-1, *[1] * (value.dim() - 1))
            see(node, first, value * (1 + 1e-6 * places))

        visit(self, x, wanted, scaled)

    monkeypatch.setattr(Program, "visit", placed)
    log = built(disturbed, tmp_path / "a.atlas")
    assert any("these are run again in float32" in said for said in log.said)


def test_a_network_whose_numbers_depend_on_the_others_of_a_batch(
    disturbed: Subject, tmp_path: Path, monkeypatch
) -> None:
    """Candidates are run again beside other images: where that gives other bits nothing is proposed."""
    visit = Program.visit

    def mixed(self: Program, x: torch.Tensor, wanted: set[int], see: See) -> None:
        factor = 1 + 1e-3 * float(x.mean())
        visit(self, x, wanted, lambda node, first, value: see(node, first, value * factor))

    monkeypatch.setattr(Program, "visit", mixed)
    log = built(disturbed, tmp_path / "a.atlas")
    assert any("depend on the other images of a batch; the scan is made without it" in said for said in log.said)


def test_where_it_cannot_be_used(subject: Subject, tmp_path: Path, monkeypatch) -> None:
    """Before anything slow: on a processor without the instructions, and for networks of other numbers."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False})
    with pytest.raises(UsageError, match=r"no instructions for it \(AVX512_BF16 or AMX\); use the engine local"):
        subject.build(tmp_path / "a.atlas", engine="bfloat16")
    assert not (tmp_path / "a.atlas").exists()
    assert "computes in float64" in lowered.why_not(_in(subject, torch.float64))


def _in(subject: Subject, dtype: torch.dtype):
    program = subject.net.program
    return Program(program.graph, {n: w.to(dtype) for n, w in program.weights.items()})
