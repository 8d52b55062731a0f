"""The face of the package: few names, all importable, and nothing heavy until one is used."""

import subprocess
import sys

import pytest

import layerscope as ls


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


def test_the_names_are_few_and_sorted():
    """At most 20 public names, in the order of the alphabet, and dir() shows just these."""
    assert len(ls.__all__) <= 20
    assert sorted(ls.__all__) == ls.__all__
    assert dir(ls) == ls.__all__


@pytest.mark.parametrize("name", ls.__all__)
def test_every_name_can_be_imported(name):
    """What `__all__` promises is there: a class, a verb, or the version."""
    assert callable(getattr(ls, name)) or name == "__version__"


def test_no_other_name_is_there():
    """A name that is not public is an AttributeError, as for any module."""
    with pytest.raises(AttributeError, match="no attribute 'look'"):
        ls.look  # noqa: B018
