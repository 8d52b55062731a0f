"""A user's file is a guest: it runs as `python net.py` would, and the house stays as it was."""

import os
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.core.errors import TraceError, UsageError
from layerscope.models import load

HEAD = """from torch import nn
import layerscope as ls
INPUT = ls.Input(channels=1, height=9, width=8)
"""
NET = "def net():\n    return nn.Sequential(nn.Conv2d(1, SIZE, 3), nn.ReLU())\n"


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def units(spec: str) -> int:
    """How many units the network's first convolution has."""
    model = load(spec).model
    assert isinstance(model, nn.Module)
    return next(model.parameters()).shape[0]


def test_a_file_finds_its_neighbours(tmp_path: Path) -> None:
    """Modules and folders beside it, those of an earlier file of another folder forgotten, and edits seen."""
    for name, size in (("one", 3), ("two", 5)):
        folder = tmp_path / name
        written(folder / "net.py", f"{HEAD}from sizes import SIZE\nimport parts.more\n{NET}")
        written(folder / "sizes.py", f"SIZE = {size}\n")
        written(folder / "parts" / "more.py", "")
    assert [units(f"{tmp_path / name / 'net.py'}:net") for name in ("one", "two", "one")] == [3, 5, 3]
    written(tmp_path / "one" / "sizes.py", "SIZE = 17\n")
    assert units(f"{tmp_path / 'one' / 'net.py'}:net") == 17


def test_a_file_of_a_package_may_import_relatively(tmp_path: Path) -> None:
    """Its package is known from the `__init__.py` files above it; `..` reaches the outer one."""
    inner = tmp_path / "outer" / "inner"
    written(tmp_path / "outer" / "__init__.py", "")
    written(tmp_path / "outer" / "sizes.py", "SIZE = 4\n")
    written(inner / "__init__.py", "")
    written(inner / "net.py", f"{HEAD}from ..sizes import SIZE\nfrom . import __name__ as package\n{NET}")
    assert units(f"{inner / 'net.py'}:net") == 4
    written(inner / "__init__.py", f"{HEAD}from ..sizes import SIZE\n{NET}")
    assert units(f"{inner / '__init__.py'}:net") == 4


def test_what_is_imported_later_is_found_too(tmp_path: Path) -> None:
    """A factory, and the forward pass while the network is traced, may import a neighbour only then."""
    written(tmp_path / "late.py", "def rectified(x):\n    return x.relu()\n")
    code = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        import late
        self.conv = nn.Conv2d(1, 2, 3)

    def forward(self, x):
        from late import rectified
        return rectified(self.conv(x))
"""
    assert len(ls.trace(f"{written(tmp_path / 'net.py', HEAD + code)}:Net").layers) == 2


@pytest.mark.parametrize("name", ["queue.py", "my net-2.0.py", "types.py", "torch.py"])
def test_any_name_will_do(name: str, tmp_path: Path) -> None:
    """Names of the standard library, of installed packages, with blanks, dashes and dots; none is taken away."""
    before = {module: sys.modules.get(module) for module in ("queue", "types", "torch")}
    assert units(f"{written(tmp_path / name, HEAD + NET.replace('SIZE', '2'))}:net") == 2
    assert {module: sys.modules.get(module) for module in before} == before


def test_neighbours_take_nothing_from_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A neighbour named like a module that the user has imported from elsewhere is the neighbour; the user's stays."""
    written(tmp_path / "own" / "sizes_of_mine.py", "SIZE = 1\n")
    monkeypatch.syspath_prepend(tmp_path / "own")
    import sizes_of_mine  # type: ignore[import-not-found]

    written(tmp_path / "net" / "sizes_of_mine.py", "SIZE = 6\n")
    path = written(tmp_path / "net" / "net.py", f"{HEAD}from sizes_of_mine import SIZE\n{NET}")
    assert units(f"{path}:net") == 6
    assert sys.modules["sizes_of_mine"] is sizes_of_mine
    monkeypatch.delitem(sys.modules, "sizes_of_mine")


def test_nothing_grows_and_the_session_imports_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files are read, the path stays, one guest is known, and the session's own modules come first."""
    path, finders = list(sys.path), None
    for number in range(4):
        written(tmp_path / str(number) / "beside_it.py", "OWNER = 'guest'\n")
        load(f"{written(tmp_path / str(number) / 'net.py', HEAD + NET.replace('SIZE', '2'))}:net")
        finders = finders or len(sys.meta_path)
        assert sys.path == path and len(sys.meta_path) == finders
    written(tmp_path / "session" / "beside_it.py", "OWNER = 'session'\n")
    monkeypatch.syspath_prepend(tmp_path / "session")
    import beside_it  # type: ignore[import-not-found]

    assert beside_it.OWNER == "session"
    monkeypatch.delitem(sys.modules, "beside_it")


def test_what_a_file_prints_goes_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At import and in the function; the results on stdout stay alone."""
    path = written(
        tmp_path / "net.py", f"{HEAD}print('loading')\ndef net():\n    print('making')\n    return nn.Conv2d(1, 1, 1)\n"
    )
    load(f"{path}:net")
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err == "loading\nmaking\n"


def test_a_file_sees_no_arguments_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script whose arguments all have defaults runs as `python net.py`; ours come back, and so does the folder."""
    code = """
import argparse, os, sys
parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=7)
SIZE = parser.parse_args().size
os.chdir(os.path.dirname(__file__))
if __name__ == "__main__":
    raise SystemExit("trained")
"""
    monkeypatch.setattr(sys, "argv", ["layerscope", "layers", "net.py:net"])
    folder = os.getcwd()
    assert units(f"{written(tmp_path / 'net.py', HEAD + code + NET)}:net") == 7
    assert sys.argv == ["layerscope", "layers", "net.py:net"] and os.getcwd() == folder


FAILING = {
    "wants arguments": (
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--data', required=True)\n"
        "args = parser.parse_args()\n",
        r'"{file}" reads the arguments of a command, and there are none here \(line 7: the following arguments are '
        r'required: --data\); put what only a run of its own needs under if __name__ == "__main__":',
    ),
    "ends": ("import sys\nsys.exit('no GPU found')\n", r'"{file}" ends the program \(line 5\): no GPU found; put what'),
    "ends well": ("raise SystemExit\n", r'"{file}" ends the program \(line 4\); put what'),
    "fails": ("\n1 / 0\n", r'"{file}" cannot be run: ZeroDivisionError: division by zero \(line 5\)$'),
    "misspelt": ("def net(:\n", r'"{file}" cannot be run: SyntaxError: .*\(line 4\)$'),
    "a neighbour fails": ("import wrong\n", r'"{file}" cannot be run: KeyError: \'a\' \(wrong.py, line 2\)$'),
    "lacks": ("import not_installed\n", r'"{file}" cannot be run: ModuleNotFoundError: .* \(line 4\)$'),
}


@pytest.mark.parametrize("case", FAILING)
def test_what_goes_wrong_in_a_file_is_one_sentence_with_its_line(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Errors, ends of the program and missing arguments; nothing of another program's usage is printed."""
    code, expected = FAILING[case]
    written(tmp_path / "wrong.py", "\n{}['a']\n")
    path = written(tmp_path / "net.py", HEAD + code)
    with pytest.raises(TraceError, match=f"^{expected.replace('{file}', str(path))}"):
        load(f"{path}:net")
    assert capsys.readouterr() == ("", "")


def test_ctrl_c_in_a_file_is_the_users(tmp_path: Path) -> None:
    """It is no fault of the file, and ends the command."""
    path = written(tmp_path / "net.py", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load(f"{path}:net")


FACTORIES = """
class Net(nn.Module):
    def __init__(self, classes=5):
        super().__init__()
        self.conv = nn.Conv2d(1, classes, 3)

class Needs(Net):
    def __init__(self, classes, *, width):
        super().__init__(classes)

ready = Net(3)
def with_default(classes=7, **others): return Net(classes)
def pair(): return Net(), None
def nothing(): Net()
def ends(): raise SystemExit(3)
async def later(): return Net()
size = 3
"""


def test_a_network_may_stand_in_a_file_in_several_forms(tmp_path: Path) -> None:
    """A class, a function with defaults, and the network itself, whose random weights are seeded too."""
    path = written(tmp_path / "net.py", HEAD + FACTORIES)
    assert [units(f"{path}:{name}") for name in ("Net", "with_default", "ready")] == [5, 7, 3]
    first, again = load(f"{path}:ready").model, load(f"{path}:ready").model
    assert torch.equal(first.conv.weight, again.conv.weight)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Needs", r"needs arguments \(classes, width\): write a function without any that gives them, such as def"),
        ("pair", "returns a tuple of Net, NoneType, not a torch.nn.Module: return the network alone"),
        ("nothing", "returns nothing, not a torch.nn.Module: does it lack its return"),
        ("later", "returns coroutine, not a torch.nn.Module"),
        ("ends", r"ends the program \(line 18\): 3; put what"),
    ],
)
@pytest.mark.filterwarnings("ignore:coroutine")
def test_what_makes_no_network_is_told_by_what_it_gives(name: str, expected: str, tmp_path: Path) -> None:
    """Arguments that it needs, several things, nothing, or an end of the program."""
    path = written(tmp_path / "net.py", HEAD + FACTORIES)
    with pytest.raises(TraceError, match=expected):
        load(f"{path}:{name}")


def test_a_name_that_is_no_function_suggests_those_there_are(tmp_path: Path) -> None:
    """A number is no network."""
    path = written(tmp_path / "net.py", HEAD + FACTORIES)
    with pytest.raises(UsageError, match='has no function "size"'):
        load(f"{path}:size")
