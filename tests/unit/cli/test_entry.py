"""Exit statuses: 0 fine, 1 a mistake or Ctrl-C in one sentence, 2 a bug with its traceback; and a quick start."""

import subprocess
import sys

import pytest

from layerscope import __version__
from layerscope.cli.verbs import info
from layerscope.core.errors import AtlasError

HEAVY = {"torch", "torchvision", "numpy", "matplotlib", "pandas", "PIL", "sqlite3"}


def process(*words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    program = code or "from layerscope.cli import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", f"import sys; {program}", *words], capture_output=True, text=True)


def fails_with(error: BaseException):
    """A verb that raises this."""

    def run(arguments, output):
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (AtlasError("the file\nis torn"), 1, "layerscope: the file is torn\n"),
        (KeyboardInterrupt(), 1, "layerscope: stopped\n"),
    ],
)
def test_what_a_user_can_mend_is_one_sentence_and_status_1(monkeypatch, command, error, status, said):
    """No traceback, nothing on stdout."""
    monkeypatch.setattr(info, "run", fails_with(error))
    assert command("info", "x.atlas") == (status, "", said)


@pytest.mark.parametrize("verb", ["build n --images s -o f", "demo"])
def test_ctrl_c_says_that_the_work_is_kept(monkeypatch, command, verb):
    """Verbs that resume say so."""
    name = verb.split()[0]
    module = __import__(f"layerscope.cli.verbs.{name}", fromlist=["run"])
    monkeypatch.setattr(module, "run", fails_with(KeyboardInterrupt()))
    status, out, err = command(*verb.split())
    assert (status, out) == (1, "")
    assert err == "layerscope: stopped; the same command goes on where it was\n"


def test_a_bug_is_a_traceback_and_a_request_to_report_it(monkeypatch, command):
    """Status 2; the sentence names the version and the command, ready to paste."""
    monkeypatch.setattr(info, "run", fails_with(ZeroDivisionError("oh")))
    status, out, err = command("info", "my atlas")
    assert (status, out) == (2, "")
    assert "Traceback" in err and "ZeroDivisionError: oh" in err
    last = err.splitlines()[-1]
    assert "report" in last and f"layerscope {__version__}" in last and "layerscope info 'my atlas'" in last


def test_wrong_usage_is_a_mistake(command):
    """argparse's own status 2 means a bug here, so wrong usage ends with 1."""
    status, out, err = command("info")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1 and "FILE" in err


@pytest.mark.parametrize("words", [["--help"], ["build", "--help"], ["--version"], ["completion", "bash"]])
def test_help_loads_nothing_heavy(words):
    """Help, version and completion start at once: no torch, NumPy, matplotlib, pandas, Pillow or SQLite in memory."""
    code = "from layerscope.cli import main; status = main(); print(*sys.modules, file=sys.stderr); sys.exit(status)"
    done = process(*words, code=code)
    assert done.returncode == 0
    assert done.stdout
    assert not HEAVY & set(done.stderr.split())


@pytest.mark.parametrize("words", [["show"], ["info"], ["figure", "-o"]])
@pytest.mark.thin(3)
def test_reading_an_atlas_loads_no_torch(atlas, tmp_path, words):
    """show, info and figure work where torch is not installed."""
    verb, *option = words
    blocked = "sys.modules['torch'] = sys.modules['torchvision'] = None; "
    more = ["features.1", *option, str(tmp_path / "x.png")] if option else []
    done = process(verb, atlas, *more, code=f"{blocked}from layerscope.cli import main; sys.exit(main())")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_has_seen_enough_ends_the_command_quietly(atlas):
    """`layerscope info FILE | true`: status 0 and no word about the broken pipe."""
    code = "import os; r, w = os.pipe(); os.close(r); os.dup2(w, 1); from layerscope.cli import main; sys.exit(main())"
    done = process("info", atlas, code=code)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_module_is_the_command():
    """`python -m layerscope.cli` does what `layerscope` does."""
    done = subprocess.run([sys.executable, "-m", "layerscope.cli", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"layerscope {__version__}\n")
