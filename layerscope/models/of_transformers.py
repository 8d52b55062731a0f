"""Image classifiers of transformers, by their name on the hub or from a local folder of the same form.

A processor's classes differ in what they do to a picture's numbers, and say it in words of their own. So mean, std and
the order of the channels are read off the processor itself: it is shown pictures of one colour. Only size, crop and
interpolation are taken from its settings.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from layerscope.core.errors import TraceError, UsageError
from layerscope.core.networks import NONE
from layerscope.core.quiet import quiet
from layerscope.core.records import Input
from layerscope.core.settings import INTERPOLATION
from layerscope.models.hub import hub_at_hand
from layerscope.models.loaded import RANDOM_SEED, Loaded, OwnForward
from layerscope.models.weights import fill, resized

# ConvNeXt's processor resizes to more and cuts, below this size; from it on it squashes.
_SQUASHED_FROM = 384


def transformers_network(spec: str, *, weights: str | Path | None = None, with_weights: bool = True) -> Loaded:
    """A classifier with its own weights, a file's, or random ones ("/none" behind it): then only its config is needed.

    Raises UsageError for a folder that holds none, TraceError for what cannot be fetched or opened.
    """
    written = spec.partition(":")[2]
    random, name = written.endswith(NONE), written.removesuffix(NONE)
    if random and weights is not None:
        raise UsageError(f'"{spec}" asks for random weights, and --weights for those of a file: name one of them')
    folder, called = Path(name).expanduser(), spec
    if folder.is_dir():
        # The folder's own name: the way to it is nobody's business who is given the atlas.
        called = f"hf:{folder.resolve().name}{NONE if random else ''}"
        if not (folder / "config.json").is_file():
            raise UsageError(
                f'the folder "{folder}" holds no config.json: name what save_pretrained of transformers wrote'
            )
        name = str(folder)
    elif name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name:
        raise UsageError(f'there is no folder "{name}" (network "{spec}")')
    torch.manual_seed(RANDOM_SEED)
    model, unloaded = _model(spec, name, own=weights is None and with_weights and not random)
    processor = _processor(name)
    expects, doubt = (None, ()) if processor is None else _input_of(processor)
    loaded = Loaded(
        name=called, model=model, input=expects, classes=_classes(model), remarks=doubt, unloaded=unloaded,
        own=None if processor is None else OwnForward(f"the processor of {name}", lambda files: _fed(processor, files)),
    )  # fmt: skip
    return loaded if weights is None else _with_file(loaded, model, weights)


def _transformers() -> Any:
    """The package, loaded where it is needed; it is an extra."""
    return import_module("transformers")


def _model(spec: str, name: str, *, own: bool) -> tuple[nn.Module, dict[str, str]]:
    """The classifier, and why a tensor of it has no weights."""
    auto: Any = _transformers().AutoModelForImageClassification
    with hub_at_hand() as reached, quiet():
        try:
            config = _transformers().AutoConfig.from_pretrained(name)
            if not own:
                return auto.from_config(config), {}
            model, found = auto.from_pretrained(name, output_loading_info=True)
        except Exception as error:
            raise TraceError(_why(spec, name, error, reached=reached)) from error
    missing = [key for key in found["missing_keys"] if key in model.state_dict()]
    for key in missing:  # drawn at random, which would look like a trained network's
        model.state_dict()[key].fill_(torch.nan)
    return model, {key: f'its weights are not in "{name}"' for key in missing}


def _why(spec: str, name: str, error: Exception, *, reached: bool) -> str:
    """What is wrong with a name or a folder, in one sentence."""
    said = " ".join(str(error).split())
    local = Path(name).is_dir()
    if "trust_remote_code" in said:
        return f'"{spec}" brings code of its own, which is not run: give it as a function in a .py file'
    if "Unrecognized configuration class" in said or "model_type" in said:
        return (
            f'"{spec}" is no image classifier that transformers knows: give the network as a function in a .py file, '
            "such as AutoBackbone.from_pretrained(...)"
        )
    if local and "no file named" in said:
        return (
            f'the folder "{name}" holds no weights: give a file with --weights, or write {spec}{NONE} for random ones'
        )
    if not local and not reached:
        return (
            f'"{spec}" cannot be fetched: the hub cannot be reached, and it was not fetched before; write hf:FOLDER '
            "for a local folder with its config.json and weights"
        )
    if not local and ("not a valid model identifier" in said or "Repository Not Found" in said or "404" in said):
        return f'the hub has no network "{name}"; look for its name at huggingface.co, or write hf:FOLDER'
    return f'"{spec}" cannot be opened: {type(error).__name__}: {said[:200]}'


def _processor(name: str) -> Any:
    """What prepares pictures for it; None where it brings none."""
    with hub_at_hand(), quiet():
        try:
            return _transformers().AutoImageProcessor.from_pretrained(name)
        except Exception:  # a folder with config.json alone: what it expects is then to be said
            return None


def _fed(processor: Any, files: Sequence[Path]) -> torch.Tensor:
    """Picture files as the processor prepares them."""
    pictures = []
    for file in files:
        with Image.open(file) as opened:
            pictures.append(opened.convert("RGB"))
    return _given(processor, pictures)


def _given(processor: Any, pictures: Sequence[Image.Image]) -> torch.Tensor:
    with quiet():
        return torch.as_tensor(processor(images=list(pictures), return_tensors="pt")["pixel_values"]).float()


def _input_of(processor: Any) -> tuple[Input, tuple[str, ...]]:
    """The same as an Input, and a sentence where an Input cannot say it."""
    probes = [Image.new("RGB", (640, 480), colour) for colour in ((0, 0, 0), (255, 255, 255), (255, 0, 0))]
    black, white, red = _given(processor, probes)
    channels, height, width = black.shape
    middle = np.s_[:, height // 2, width // 2]
    low, high, first = (values[middle].double().numpy() for values in (black, white, red))
    std = 1 / (high - low)
    order = "RGB" if abs(first[0] - high[0]) < abs(first[0] - low[0]) else "BGR"
    size, resize, squash = dict(getattr(processor, "size", None) or {}), None, False
    cuts = bool(getattr(processor, "do_center_crop", False))
    share = getattr(processor, "crop_pct", None)
    edge = size.get("shortest_edge")
    if edge and share:
        squash, resize = edge >= _SQUASHED_FROM, int(edge / share)
    elif edge:
        resize = edge
    else:
        squash = True
    sides = (size.get("height"), size.get("width"))
    known = (cuts and not squash) or (squash and (not cuts or sides == (height, width))) or bool(share)
    resample = getattr(processor, "resample", None)
    expects = Input(
        channels=channels, height=height, width=width, mean=_rounded(-low * std), std=_rounded(std), order=order,
        crop="squash" if squash else "center", resize=None if squash else resize,
        interpolation=INTERPOLATION.check(Image.Resampling(int(resample or 2)).name.lower()),
    )  # fmt: skip
    doubt = (
        f"its processor ({type(processor).__name__}) places pictures in a way that is not known here: what the network "
        "sees is placed a little otherwise; layerscope trace-check shows by how much",
    )
    return expects, () if known else doubt


def _rounded(values: Any) -> tuple[float, ...]:
    """Numbers as they were written, free of the rounding of float32."""
    return tuple(float(f"{value:.5g}") if abs(value) > 1e-6 else 0.0 for value in values)


def _classes(model: Any) -> tuple[str, ...]:
    """The names of its outputs, where its config has names and not only numbers."""
    names: Mapping[Any, str] = getattr(model.config, "id2label", None) or {}
    named = tuple(str(names[key]) for key in sorted(names))
    return () if all(name.startswith("LABEL_") for name in named) else named


def _with_file(loaded: Loaded, model: nn.Module, weights: str | Path) -> Loaded:
    filled = fill(model, weights)
    whole = not filled.unloaded and not filled.resized
    return Loaded(
        name=loaded.name, model=model, input=loaded.input, classes=loaded.classes if whole else (),
        remarks=(*loaded.remarks, *filled.remarks, *resized(filled)), unloaded=filled.unloaded, own=loaded.own,
    )  # fmt: skip
