"""The face of the package: names importable, and nothing heavy until one is used."""

import inspect
import re
import subprocess
import sys
from typing import Any

import pytest

import layerscope as ls
from layerscope.core.verbs import VERBS


def loaded_by(statement: str) -> set[str]:
    """The modules in memory after a statement, in a process of its own."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    """`import layerscope` loads no torch, no NumPy, no matplotlib and no pandas."""
    assert not {"torch", "torchvision", "numpy", "matplotlib", "pandas"} & loaded_by("import layerscope")


@pytest.mark.parametrize("name", ["Atlas", "Box", "Input", "LayerscopeError", "Peak", "Projections", "Unit", "open"])
def test_the_atlas_half_loads_no_torch(name):
    """Whoever reads an atlas needs no torch in memory."""
    assert "torch" not in loaded_by(f"import layerscope; layerscope.{name}")


def test_the_names_are_sorted():
    """In the order of the alphabet, and dir() shows just these."""
    assert sorted(ls.__all__) == ls.__all__
    assert dir(ls) == ls.__all__


@pytest.mark.parametrize("name", ls.__all__)
def test_every_name_can_be_imported(name):
    """What `__all__` promises is there: a class, a verb, or the version."""
    assert callable(getattr(ls, name)) or name == "__version__"


def test_no_other_name_is_there():
    """A name that is not public is an AttributeError, as for any module."""
    with pytest.raises(AttributeError, match="no attribute 'watch'"):
        ls.watch  # noqa: B018


@pytest.mark.parametrize("verb", [name for name, verb in VERBS.items() if verb.face])
def test_a_verb_is_a_function_with_the_settings_of_the_table(verb):
    """The same names and defaults, in Python as in the table; what is needed has no default."""
    parameters = inspect.signature(getattr(ls, verb)).parameters
    settings = {setting.name: setting for setting in VERBS[verb].settings if setting.face}
    assert set(parameters) == set(settings)
    for name, parameter in parameters.items():
        setting = settings[name]
        if setting.needed or (parameter.default is parameter.empty and setting.unless):
            assert parameter.default is parameter.empty, name
        else:
            assert parameter.default == setting.default, name


def said_by(verb: str) -> str:
    """The docstring of a verb; a room of its name has one of its own."""
    function = getattr(ls, verb)
    return inspect.getdoc(getattr(function, "__wrapped__", function)) or ""


@pytest.mark.parametrize("verb", [name for name, verb in VERBS.items() if verb.face])
def test_a_verb_says_what_it_takes(verb):
    """Its docstring, or that of a verb that it or that verb names with `as`, names every argument; all have a type."""
    function, said = getattr(ls, verb), {verb: said_by(verb)}
    signature = inspect.signature(function)
    while named := set(re.findall(r"as\s(?:for\s)?`(\w+)`", "".join(said.values()))) - set(said):
        said |= {other: said_by(other) for other in named}
    for name, parameter in signature.parameters.items():
        assert re.search(rf"\b{name}\b", "".join(said.values())), name
        assert parameter.annotation not in (inspect.Parameter.empty, Any, "Any"), name
    assert signature.return_annotation not in (inspect.Signature.empty, "Any")


def test_a_room_of_a_verbs_name_stays_a_room_and_a_verb():
    """`layerscope.world` can be imported from, under another name too, and called, in any order."""
    code = """
import inspect
import layerscope as ls
from layerscope.core.verbs import VERBS
import layerscope.world as room
from layerscope.world import World
assert room.World is World and callable(ls.world)
for verb in (ls.world, room):
    assert list(inspect.signature(verb).parameters)[:2] == ["out", "count"]
try:
    room("", count=1)
except ls.UsageError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == 'out= must be the path of what is written, got ""\n'


def test_a_verbs_earlier_names_are_taken_with_a_warning(tmp_path):
    """`pictures=` does what `thumbnails=` does."""
    with pytest.warns(UserWarning, match="pictures= is now called thumbnails="), pytest.raises(ls.UsageError):
        ls.build("x", "y", tmp_path / "none" / "a.atlas", pictures=False)
    with pytest.raises(ls.UsageError, match="thumbnails= must be True or False"), pytest.warns(UserWarning):
        ls.build("x", "y", tmp_path / "a.atlas", pictures="no")
