"""Checkpoints of any making are opened without running any code of theirs.

A checkpoint often holds, beside its tensors, objects of classes that are not installed here or that nobody vouches for:
options, paths, a whole network. torch's weights-only reader refuses such a file. Here every name in the pickle that the
reader does not know is given an inert stand-in, which keeps what the object was made of and does nothing; so the reader
stays the weights-only one, and the tensors come out.
"""

import pickletools
import zipfile
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerscope.models.signatures import is_zip

# What makes arrays, under its names before and after NumPy 2; dtypes are classes of their own.
_ARRAYS: list[Any] = [
    (np.ndarray, "numpy.ndarray"),
    (np.dtype, "numpy.dtype"),
    *((np.ndarray.__reduce__(np.zeros(0))[0], f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),  # type: ignore[index]
    *(kind for name in dir(np.dtypes) if isinstance(kind := getattr(np.dtypes, name), type)),
]
_KNOWN = {entry[1] for entry in _ARRAYS if isinstance(entry, tuple)}


def load_without_code(path: Path) -> Any:
    """What torch.save wrote, with stand-ins for all that is neither plain values nor tensors.

    Raises whatever torch raises for a file that is damaged, or that does what no checkpoint needs.
    """
    unknown = named_in(path) - _KNOWN
    with torch.serialization.safe_globals([*_ARRAYS, *((_stand_in(name), name) for name in sorted(unknown))]):
        return torch.load(path, map_location="cpu", weights_only=True)


def named_in(path: Path) -> set[str]:
    """Every class and function that the pickles in a file of torch.save name."""
    if not is_zip(path):
        with path.open("rb") as file:
            # The old format: a magic number, a version, the machine, and then what was saved.
            return set().union(*(_named(file) for _ in range(4)))
    with zipfile.ZipFile(path) as archive:
        (member,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
        with archive.open(member) as file:
            return _named(file)


def _named(pickle: Any) -> set[str]:
    found = set()
    for opcode, argument, _ in pickletools.genops(pickle):
        if opcode.name == "GLOBAL":
            module, name = str(argument).split(" ", 1)
            # The names of Python 2, which torch.save still writes, as torch translates them.
            module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
            found.add(f"{module}.{name}")
    return found


def _stand_in(name: str) -> type:
    """A class whose objects are plain dictionaries that remember the class they stand for."""

    def made(cls: type, *given: Any, **also: Any) -> OrderedDict[Any, Any]:
        blank = OrderedDict[Any, Any]()
        blank.stands_for = name  # type: ignore[attr-defined]
        return blank

    return type("StandIn", (), {"__new__": made})


def stands_for(value: object) -> str | None:
    """The class that a stand-in stands for; None for anything else."""
    return getattr(value, "stands_for", None) if type(value) is OrderedDict else None


def module_state(value: object, prefix: str = "") -> dict[str, Tensor] | None:
    """The tensors of a pickled `torch.nn.Module` by name, as its state dict has them; None for anything else."""
    held = vars(value) if stands_for(value) else {}
    if not isinstance(held.get("_parameters"), dict) or not isinstance(held.get("_modules"), dict):
        return None
    passing = held.get("_non_persistent_buffers_set") or ()
    buffers = {name: tensor for name, tensor in (held.get("_buffers") or {}).items() if name not in passing}
    own = {**held["_parameters"], **buffers}
    state = {prefix + name: tensor.detach() for name, tensor in own.items() if isinstance(tensor, Tensor)}
    for name, child in held["_modules"].items():
        state |= module_state(child, f"{prefix}{name}.") or {}
    return state
