"""A whole network in a file of torch.save: a pickle, which runs code when it is opened, so the user must allow that.

What is in the file is first looked at without running anything. A file of weights alone, a Lightning checkpoint and a
TorchScript archive hold no network that can be opened so; each is told in its own sentence, with the way out.
"""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from layerscope.core.errors import TraceError, UsageError
from layerscope.core.quiet import quiet
from layerscope.core.records import Input
from layerscope.core.settings import Crop
from layerscope.models.loaded import Loaded, OwnForward
from layerscope.models.parts import contents_text, meaning
from layerscope.models.reading import contents
from layerscope.models.signatures import kind_of_file, no_network
from layerscope.models.standins import module_state, stands_for

_DEPTH = 3
_PARAMETERS = "hyper_parameters"
_LETTERBOX = (
    "a picture is fitted whole into {side} x {side} px with gray beside it (letterbox), as ultralytics has it in "
    "training; it resizes by OpenCV's bilinear, here by Pillow's, which smooths what it makes smaller"
)


def pickled_network(
    spec: str, *, weights: str | Path | None = None, with_weights: bool = True, trust: bool = False
) -> Loaded:
    """The network in a file, opened only where the user trusts it; its classes must be there to be imported.

    Raises UsageError for a file that is not there, holds no network or is not trusted, TraceError for one that does not
    open.
    """
    path = Path(spec).expanduser()
    if not path.is_file():
        raise UsageError(f'there is no file "{path}"')
    if kind_of_file(path).reader not in ("torch", "legacy"):
        raise UsageError(no_network(spec, path))
    known, held = _looked_into(path)
    classes = dict(_classes(held))
    if known and not classes:
        raise UsageError(_lightning(spec, held) or no_network(spec, path))
    if not trust:
        what = (
            f"a pickled network ({next(iter(classes.values()))})" if classes else "objects of more kinds than tensors"
        )
        raise UsageError(
            f'"{spec}" holds {what}, and to open it is to run whatever code the file brings along: add --trust '
            "(trust=True) if you know whom it is from, or give the network's class as a function in a .py file, with "
            "this file as --weights, of which no code is run"
        )
    return _opened(spec, path)


def _looked_into(path: Path) -> tuple[bool, Any]:
    """What a file holds, without running any of its code, and whether that could be seen."""
    try:
        return True, contents(path)
    except TraceError as error:
        if "without running code" not in str(error):
            raise
        return False, None


def _classes(held: Any, keys: str = "", depth: int = _DEPTH) -> Iterator[tuple[str, str]]:
    """The networks among what a file holds, by their keys, each with its class; nothing of them was run."""
    if module_state(held) is not None:
        yield keys, stands_for(held) or ""
    elif isinstance(held, Mapping) and depth:
        for name, one in held.items():
            yield from _classes(one, f"{keys}.{name}".lstrip("."), depth - 1)


def _opened(spec: str, path: Path) -> Loaded:
    try:
        with quiet(), warnings.catch_warnings():
            held = torch.load(path, map_location="cpu", weights_only=False)
    except (ImportError, AttributeError) as error:
        raise TraceError(
            f'"{spec}" cannot be opened: {error}; a pickle holds no code, only the name of its class: install the '
            "package, or start layerscope in the folder where that module lies (PYTHONPATH=.)"
        ) from error
    except Exception as error:
        said = str(error).strip().partition("\n")[0][:200]
        raise TraceError(f'"{spec}" cannot be opened: {type(error).__name__}: {said}') from error
    found = sorted(_modules(held), key=lambda item: -meaning(item[0])[1])
    if not found:
        raise UsageError(f'"{spec}" names no network: it holds none, but {contents_text(held)}')
    key, model = found[0]
    others = [name or "the file itself" for name, _ in found[1:]]
    remarks = [f'"{path.name}" holds several networks: {key} was taken, not {", ".join(others)}'] if others else []
    given = held.get("train_args") if isinstance(held, Mapping) else None
    loaded = Loaded(name=path.name, model=model.float(), input=None, remarks=tuple(remarks))
    return _of_ultralytics(loaded, model, given or {}) if type(model).__module__.startswith("ultralytics.") else loaded


def _modules(held: Any, keys: str = "", depth: int = _DEPTH) -> Iterator[tuple[str, nn.Module]]:
    if isinstance(held, nn.Module):
        yield keys, held
    elif isinstance(held, Mapping) and depth:
        for name, one in held.items():
            yield from _modules(one, f"{keys}.{name}".lstrip("."), depth - 1)


def _of_ultralytics(loaded: Loaded, model: Any, given: Mapping[str, Any]) -> Loaded:
    """What ultralytics' own code knows of its networks: the size they were trained at, and the names of classes."""
    side = given.get("imgsz") or 640
    side = side if isinstance(side, int) else max(side)
    classifies = type(model).__name__ == "ClassificationModel"
    names = getattr(model, "names", None) or {}
    channels = int(getattr(model, "yaml", {}).get("channels", 3))
    crop: Crop = "center" if classifies else "letterbox"
    return Loaded(
        name=loaded.name, model=model, input=Input(channels=channels, height=side, width=side, crop=crop),
        classes=tuple(str(name) for name in names.values()) if classifies else (),
        remarks=loaded.remarks if classifies else (*loaded.remarks, _LETTERBOX.format(side=side)),
        own=OwnForward("ultralytics", lambda files: _by_ultralytics(files, side, classifies=classifies)),
    )  # fmt: skip


def _by_ultralytics(files: Any, side: int, *, classifies: bool) -> torch.Tensor:
    """Picture files as ultralytics itself prepares them for prediction, in squares of one size."""
    from importlib import import_module

    import numpy as np
    from PIL import Image

    augment: Any = import_module("ultralytics.data.augment")
    prepared = []
    for file in files:
        with Image.open(file) as opened:
            picture = opened.convert("RGB")
        if classifies:
            prepared.append(augment.classify_transforms(side)(picture))
        else:
            fitted = augment.LetterBox((side, side), auto=False, stride=32)(image=np.asarray(picture)[..., ::-1])
            prepared.append(torch.from_numpy(fitted[..., ::-1].copy()).permute(2, 0, 1).float() / 255)
    return torch.stack(prepared)


def _lightning(spec: str, held: Any) -> str:
    """What to do with a checkpoint of Lightning, which holds weights and arguments, and no network."""
    if not (isinstance(held, Mapping) and any("lightning" in str(key) for key in held)):
        return ""
    given = ", ".join(str(name) for name in held.get(_PARAMETERS) or {})
    return (
        f'"{spec}" names no network: it is a checkpoint of Lightning, which holds weights and not the class; write '
        f"path/file.py:CLASS with --weights {spec}"
        + (f", and the class is given the arguments in it ({given})" if given else "")
    )
