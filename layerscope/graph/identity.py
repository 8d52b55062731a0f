"""What the graph of a module depends on, as one key: its code, its structure, and the programs that read it.

Whatever cannot be known for sure has no key, and is read anew every time: code typed into a notebook, functions that
close over values, attributes that are neither plain nor tensors.
"""

import functools
import hashlib
import itertools
import json
import os
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from layerscope.core.readers import PACKAGE, guests, house
from layerscope.graph.ops import OPERATIONS

MOST_HASHED = 1 << 22

_INSIDE = ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", "training")
_LIBRARIES = tuple(
    os.path.abspath(sysconfig.get_paths()[name]) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
# Folders that pip and distributions install into, wherever they lie: a user's own, the system's behind an environment.
_INSTALLED = {"site-packages", "dist-packages"}


class Unknown(Exception):
    """Something that a graph may depend on and that has no name."""


def identity(module: nn.Module, shape: tuple[int, ...]) -> str | None:
    """The key of a module's graph for inputs of this shape; None where there can be none."""
    try:
        facts = {
            "reader": reader(),
            "shape": list(shape),
            "default": str(torch.get_default_dtype()),
            "modules": [[path, *_module(part)] for path, part in module.named_modules(remove_duplicate=False)],
            "tensors": list(_tensors(module)),
            "code": list(_own_code()),
        }
    except (Unknown, OSError, RecursionError):
        return None
    return json.dumps(facts)


def reader() -> list[Any]:
    """The programs that make a graph of a module: their versions, our own code, and that of rows of other packages."""
    versions = [torch.__version__, version_of("torchvision")]
    return [*house("core", "graph", "models"), *versions, *guests(OPERATIONS.guests.values())]


@functools.cache
def version_of(package: str) -> str:
    """The version of an installed package, "" where there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _module(module: nn.Module) -> tuple[str, list[Any]]:
    """A module's class, and its plain attributes."""
    held = {name: value for name, value in vars(module).items() if name not in _INSIDE}
    for name in [name for name in held if name.endswith(("_hooks", "_hooks_with_kwargs", "_hooks_always_called"))]:
        if held.pop(name):
            raise Unknown(name)
    return _class(type(module)), [[name, _described(held[name])] for name in sorted(held)]


def _class(kind: type) -> str:
    """A class by the names of all that it inherits from; its code is in files that the key holds, or in a package."""
    return " ".join(_base(base) for base in kind.__mro__ if base.__module__ != "builtins")


def _base(kind: type) -> str:
    name, top = f"{kind.__module__}.{kind.__qualname__}", kind.__module__.partition(".")[0]
    if top in sys.stdlib_module_names:
        return name
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if file is None:
        raise Unknown(f"{name} has no file")
    if _in_library(file):
        return f"{name}=={_version(top)}"
    if PACKAGE not in Path(file).parents and any(map(_closes_over, vars(kind).values())):
        raise Unknown(f"{name} closes over values")
    return name


def _version(package: str) -> str:
    found = version_of(package) or str(getattr(sys.modules.get(package), "__version__", ""))
    if not found:
        raise Unknown(f"{package} has no version")
    return found


def _closes_over(value: Any) -> bool:
    value = getattr(value, "__func__", value)
    return isinstance(value, FunctionType) and not set(value.__code__.co_freevars) <= {"__class__"}


def _tensors(module: nn.Module) -> Iterator[list[Any]]:
    """Every parameter and buffer: name, kind of numbers, and the values of what is in no state dict."""
    kept = set(module.state_dict(keep_vars=True))
    first: dict[int, str] = {}
    held = (module.named_parameters(remove_duplicate=False), module.named_buffers(remove_duplicate=False))
    for name, tensor in itertools.chain(*held):
        values = "" if name in kept else _values(tensor)
        kind = [list(tensor.shape), str(tensor.dtype), str(tensor.device)]
        yield [name, *kind, first.setdefault(id(tensor), name), values]


def _values(tensor: Tensor) -> str:
    if type(tensor) not in (Tensor, nn.Parameter, nn.Buffer) or tensor.numel() > MOST_HASHED:
        raise Unknown("a large tensor, or one of another kind")
    numbers = tensor.detach().cpu().contiguous()
    digest = hashlib.sha256(numbers.reshape(-1).view(torch.uint8).numpy().data if numbers.numel() else b"")
    return f"{tuple(tensor.shape)} {tensor.dtype} {digest.hexdigest()}"


def _own_code() -> Iterator[list[str]]:
    """Every file of Python code that was loaded from outside the libraries, by its content."""
    for name, module in sorted(sys.modules.items(), key=lambda item: item[0]):
        file = vars(module).get("__file__")
        package = vars(sys.modules.get(name.partition(".")[0], module)).get("__file__") or file
        # A module that a library makes while it runs (torch.ops) may name a file that is not there.
        if not isinstance(file, str) or any(map(_in_library, (file, str(package)))):
            continue
        if PACKAGE not in Path(file).parents:
            with open(file, "rb") as content:
                yield [name, hashlib.file_digest(content, "sha256").hexdigest()]


@functools.cache
def _in_library(file: str) -> bool:
    path = os.path.abspath(file)
    return path.startswith(_LIBRARIES) or not _INSTALLED.isdisjoint(Path(path).parts)


def _described(value: Any) -> Any:
    """An attribute as plain values. Raises Unknown for what is more than its value."""
    if value is None or type(value) in (bool, int, float, str):
        return repr(value)
    if isinstance(value, Tensor):
        return _values(value)
    if type(value) in (list, tuple, torch.Size):
        return [type(value).__name__, [_described(v) for v in value]]
    if type(value) in (set, frozenset):
        return [type(value).__name__, sorted(map(str, map(_described, value)))]
    if isinstance(value, dict) and type(value).__name__ in ("dict", "OrderedDict", "defaultdict"):
        return [[_described(key), _described(v)] for key, v in value.items()]
    if isinstance(value, torch.dtype | torch.device | torch.memory_format):
        return str(value)
    if isinstance(value, functools.partial):
        return ["partial", _described(value.func), _described(value.args), _described(value.keywords)]
    if isinstance(value, type):
        return _class(value)
    if isinstance(value, FunctionType | BuiltinFunctionType):
        return _function(value)
    raise Unknown(f"an attribute of type {type(value).__name__}")


def _function(value: FunctionType | BuiltinFunctionType) -> str:
    """A function by its name, where that name finds it again and its code is in a file."""
    home = sys.modules.get(value.__module__ or "")
    found: Any = home
    for part in value.__qualname__.split("."):
        found = getattr(found, part, None)
    written = isinstance(value, BuiltinFunctionType) or getattr(home, "__file__", None) is not None
    if found is not value or not written:
        raise Unknown(f"the function {value.__qualname__}")
    return f"{value.__module__}.{value.__qualname__}"
