"""The engine `processes`: the rows of `local`, whichever processes die; and how many threads compute in all of them."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import layerscope as ls
from layerscope.core.engines import ENGINES, Piece, opened
from layerscope.core.errors import UsageError
from layerscope.testing import engines
from layerscope.testing.atlases import Subject, alone, same_rows
from layerscope.testing.watching import Hook
from tests.helpers import works
from tests.helpers.building import LAYERS, K, pictures_as_files

PROCESSES = ENGINES.own["processes"]
SEED = 20


@pytest.fixture
def subject(net, tmp_path: Path) -> Subject:
    """The small network on its own copy of some pictures, a few of them copies of others."""
    folder = pictures_as_files(tmp_path / "drawn", 140)
    files = sorted(folder.rglob("*.png"))
    for place in (3, 139):
        files[place].write_bytes(files[0].read_bytes())
    return Subject(net, str(folder), ("relu1", "relu3"), {"k": 3, "workers": 1})


def test_the_rows_are_those_of_local_though_a_process_is_killed(subject: Subject, tmp_path: Path, capfd) -> None:
    """In the middle of the scan: its shard is made again, the rest goes on, nothing is said and nothing left."""
    (tmp_path / "atlases").mkdir()
    out = tmp_path / "atlases" / "a.atlas"

    def kill() -> None:
        victim = random.Random(SEED).choice(multiprocessing.active_children())
        os.kill(victim.pid, signal.SIGKILL)

    subject.build(out, progress=Hook(stage_name="project", after=2, do=kill), processes=2)
    same_rows(out, subject.whole)
    alone(out)
    assert not multiprocessing.active_children()
    assert capfd.readouterr() == ("", "")


def test_pieces_come_in_order_and_a_deadly_one_is_named() -> None:
    """From several processes at once; after three of them, and behind all that came before."""
    draw = random.Random(SEED)
    with opened(PROCESSES, 1, processes=2) as at_work:
        pieces = [Piece(number, 1, draw.choice([0, 0, 0.02])) for number in range(20)]
        found = [tuple(made) for made in at_work.map(works.slowly, pieces)]
        assert [number for number, _ in found] == list(range(20)) and len({process for _, process in found}) == 2
        pieces = [Piece(n, 1, "deadly" if n == 3 else range(n, n + 2)) for n in range(5)]
        came = at_work.map(works.deadly, pieces)
        assert [list(next(came)) for _ in range(3)] == [[0], [1], [2]]
        with pytest.raises(
            UsageError, match=r"made piece 3 ended 3 times \(process \d+, .* run the same command again"
        ):
            next(came)
    assert not multiprocessing.active_children()


def test_settings_of_other_engines_are_refused(subject: Subject, tmp_path: Path) -> None:
    """Before anything is opened; where only the number of processes is said, these are the engine."""
    out = tmp_path / "a.atlas"
    for options, said in (
        ({"engine": "local", "processes": 2}, 'processes is for the engine processes or ray, and the engine "local"'),
        ({"processes": 2, "address": "auto"}, 'address is for the engine ray, and the engine "processes" takes none'),
        ({"address": "local"}, 'engine "local" takes none; choose the engine ray, or leave it out'),
        ({"address": "my cluster"}, "address= must be auto, local, HOST:PORT or ray://HOST:PORT"),
    ):
        with pytest.raises(UsageError, match=said):
            subject.build(out, **options)
    assert not out.exists()


def test_without_ray_one_sentence_says_what_to_install(subject: Subject, tmp_path: Path, monkeypatch) -> None:
    """Nothing is begun."""
    row = replace(ENGINES.own["ray"], needs=("there_is_no_such_module",))
    monkeypatch.setitem(ENGINES.own, "ray", row)
    with pytest.raises(UsageError, match=r"needs there_is_no_such_module: pip install 'layerscope\[ray\]'"):
        subject.build(tmp_path / "a.atlas", engine="ray")


def test_a_build_goes_on_with_the_threads_that_it_began_with(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes compute with one thread each unless OMP_NUM_THREADS says more; what another number began goes on with
    that, here and there; and afterwards PyTorch is set as it was."""
    row = replace(PROCESSES, open=ENGINES.own["local"].open, takes=())
    monkeypatch.setitem(ENGINES.own, "processes", row)
    before = torch.get_num_threads()
    small = subject.having(limit=8)
    try:
        torch.set_num_threads(2)
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        small.build(tmp_path / "one.atlas", engine="processes")
        small.build(tmp_path / "two.atlas", engine="local")
        small.having(methods=("deconvnet", "guided")).build(tmp_path / "two.atlas", engine="processes")
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        small.build(tmp_path / "told.atlas", engine="processes")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    for name, threads in (("one", 1), ("two", 2), ("told", 2)):
        with ls.open(tmp_path / f"{name}.atlas") as atlas:
            assert atlas.file.run.fingerprint["threads"] == threads, name


@pytest.mark.wide
def test_the_engine_keeps_all_laws(net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every piece in its turn, nothing left behind, stopped in every stage and resumed, an image that breaks."""
    row = replace(PROCESSES, open=lambda workers, **how: PROCESSES.open(workers, **{**how, "processes": 2}))
    monkeypatch.setitem(ENGINES.own, "processes", row)
    folder = pictures_as_files(tmp_path / "drawn", 140)
    picture = folder / "blue eye" / "0052.png"
    content = picture.read_bytes()
    (tmp_path / "atlases").mkdir()
    engines.laws(
        row, Subject(net, str(folder), tuple(LAYERS), {"k": K}), tmp_path / "atlases",
        lambda: picture.write_bytes(content[: len(content) // 2]), lambda: picture.write_bytes(content),
    )  # fmt: skip


@pytest.mark.wide
def test_processes_end_with_a_writer_that_is_killed(tmp_path: Path) -> None:
    """Nobody makes pieces for nobody."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os, signal, multiprocessing\n"
        "from layerscope.core.engines import ENGINES, opened\n"
        'if __name__ == "__main__":\n'
        '    with opened(ENGINES["processes"], 1, processes=2):\n'
        "        print(*(child.pid for child in multiprocessing.active_children()), flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    children = [int(word) for word in ended.stdout.split()]
    assert ended.returncode == -signal.SIGKILL and len(children) == 2, ended.stderr
    until = time.monotonic() + 30
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < until:
        time.sleep(0.1)
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


@pytest.mark.wide
def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    """In one sentence; what its processes say of it is nothing."""
    script = tmp_path / "script.py"
    script.write_text(
        "from layerscope.core.engines import ENGINES, opened\n"
        "from layerscope.core.errors import LayerscopeError\n"
        "try:\n"
        '    with opened(ENGINES["processes"], 1, processes=2):\n'
        "        pass\n"
        "except LayerscopeError as error:\n"
        "    print(error)\n"
    )
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert '`if __name__ == "__main__":`' in ended.stdout and ended.stdout.count("\n") == 1
    assert not ended.stderr
