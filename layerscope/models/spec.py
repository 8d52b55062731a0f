"""A network by name: `zfnet64`, `torchvision:NAME`, `path/file.py:factory` or `path/model.pt2`.

Each gives a module (or an exported program), what it expects as input, and a name to print. `/none` behind one of the
first two kinds means seeded random weights: what the architecture alone does.
"""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.export import ExportedProgram

from layerscope.core.errors import TraceError, UsageError, nearest
from layerscope.core.records import Input
from layerscope.models.named import NAMED, shipped_weights
from layerscope.models.weights import class_names, load_weights, read_weights

RANDOM_SEED = 0
KINDS = f"{', '.join(NAMED)}, torchvision:NAME, path/file.py:FUNCTION or path/model.pt2"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A network that can be traced.

    name: as printed and stored. model: module or exported program. input: what it expects, if it says so. classes: the
    names of its outputs, empty where nobody says them.
    """

    name: str
    model: nn.Module | ExportedProgram
    input: Input | None
    classes: tuple[str, ...] = ()


def load(spec: str, *, weights: str | Path | None = None, with_weights: bool = True) -> Loaded:
    """Find the network that a spec names; `weights` is a file with a state dict for it.

    with_weights: False builds the architecture with random weights, for what needs none.
    Raises UsageError for a spec that means nothing, TraceError for code or files that do not load.
    """
    kind, _, name = spec.partition(":")
    if spec.partition("/")[0] in NAMED:
        return _named(spec, weights, with_weights=with_weights)
    if kind == "torchvision" and name:
        loaded = _torchvision(name, pretrained=weights is None and with_weights)
    elif spec.endswith(".pt2"):
        loaded = _exported(Path(spec))
    elif ".py:" in spec:
        loaded = _factory(spec)
    elif Path(spec).suffix == ".py":
        raise UsageError(f'"{spec}" names a file but no function in it; write {spec}:FUNCTION')
    else:
        raise UsageError(f'"{spec}" names no network; write {KINDS}{_nearest(spec)}')
    if weights is not None:
        if not isinstance(loaded.model, nn.Module):
            raise UsageError(f"{spec} holds its own weights; --weights goes with torchvision: and .py networks")
        load_weights(loaded.model, Path(weights))
    return loaded


def _named(spec: str, weights: str | Path | None, *, with_weights: bool) -> Loaded:
    """A network of ours, with the shipped weights, a file's, or random ones. A file's classes are the network's."""
    name, _, choice = spec.partition("/")
    if choice not in ("", "none"):
        raise UsageError(f'"{spec}": only /none (random weights) can follow the name')
    named = NAMED[name]
    file = Path(weights) if weights is not None else shipped_weights(name)
    torch.manual_seed(RANDOM_SEED)
    if weights is None and (choice or not with_weights):
        return Loaded(name=spec, model=named.plain(named.classes), input=named.input)
    if file is None:
        raise TraceError(
            f"no weights of {name} are shipped: give a file with --weights (layerscope train {name} makes one), or "
            f"write {name}/none for random ones"
        )
    last = read_weights(file).get("classes.weight")
    model = named.plain(named.classes if last is None else len(last))
    load_weights(model, file)
    return Loaded(name=spec, model=model, input=named.input, classes=class_names(file))


def _nearest(spec: str) -> str:
    """A clause that suggests networks for what was written; torchvision's are often asked for by their bare names."""
    try:
        from torchvision import models
    except ImportError:
        return nearest(spec, NAMED)
    others = models.list_models(module=models)
    return nearest(spec, [*NAMED, *others], dict.fromkeys(others, "torchvision:"))


def _torchvision(name: str, *, pretrained: bool) -> Loaded:
    try:
        from torchvision import models
    except ImportError as error:
        raise UsageError(f'"torchvision:{name}" needs torchvision: pip install torchvision') from error
    name, _, choice = name.partition("/")
    if name not in models.list_models(module=models):
        raise UsageError(
            f'torchvision has no classification network "{name}"{nearest(name, models.list_models(module=models))}'
        )
    if choice not in ("", "none"):
        raise UsageError(f'"torchvision:{name}/{choice}": only /none (random weights) can follow the name')
    default = models.get_model_weights(name)["DEFAULT"]
    torch.manual_seed(RANDOM_SEED)
    options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    if pretrained and not choice:
        try:
            model = models.get_model(name, weights=default)
        except Exception as error:
            raise TraceError(
                f"the weights of torchvision:{name} cannot be fetched ({error}); give a file with --weights, "
                f"or torchvision:{name}/none for random ones"
            ) from error
    else:
        model = models.get_model(name, weights=None, **options)
    spec = f"torchvision:{name}" + (f"/{choice}" if choice else "")
    return Loaded(name=spec, model=model, input=_input_of(default), classes=tuple(default.meta["categories"]))


def _input_of(weights: object) -> Input:
    """The preprocessing that belongs to a torchvision network's default weights."""
    transforms = weights.transforms()  # type: ignore[attr-defined]
    return Input(
        channels=3,
        height=transforms.crop_size[0],
        width=transforms.crop_size[0],
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
        resize=transforms.resize_size[0],
        interpolation=str(transforms.interpolation.value),
    )


def _factory(spec: str) -> Loaded:
    file, _, function = spec.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise UsageError(f'there is no file "{file}" (network "{spec}")')
    module_spec = importlib.util.spec_from_file_location(f"layerscope_network_{path.stem}", path)
    assert module_spec is not None and module_spec.loader is not None
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[module_spec.name] = module
    try:
        module_spec.loader.exec_module(module)
    except Exception as error:
        raise TraceError(f'"{file}" cannot be run: {type(error).__name__}: {error}') from error
    if not callable(getattr(module, function, None)):
        names = [n for n in vars(module) if callable(getattr(module, n)) and not n.startswith("_")]
        raise UsageError(f'"{file}" has no function "{function}"{nearest(function, names)}')
    torch.manual_seed(RANDOM_SEED)
    try:
        model = getattr(module, function)()
    except Exception as error:
        raise TraceError(f'{function}() in "{file}" fails: {type(error).__name__}: {error}') from error
    if not isinstance(model, nn.Module):
        raise TraceError(f'{function}() in "{file}" returns {type(model).__name__}, not a torch.nn.Module')
    expects = getattr(module, "INPUT", None)
    if expects is not None and not isinstance(expects, Input):
        raise UsageError(f'INPUT in "{file}" must be a layerscope.Input, not {type(expects).__name__}')
    return Loaded(name=f"{path.name}:{function}", model=model, input=expects)


def _exported(path: Path) -> Loaded:
    if not path.is_file():
        raise UsageError(f'there is no file "{path}"')
    try:
        program = torch.export.load(path)
    except Exception as error:
        raise TraceError(f'"{path}" is no exported program of this torch version: {error}') from error
    return Loaded(name=path.name, model=program, input=None)
