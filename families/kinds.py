"""How the networks of each kind are made: with random weights, from what their packages carry, without a download."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

import layerscope as ls
from families.awake import awaken
from families.networks import Subject
from families.own import OWN

# To how many pictures batch norms are fitted: so many that no unit's deviation is small by chance, which would make the
# network so steep that rounding is seen.
PICTURES = 16


@dataclass(frozen=True)
class Given:
    """A network ready for the sweep. network: what `layerscope.trace` takes. input: what it expects. module: the eager
    module that the reference runs, or None where there is none."""

    network: Any
    input: ls.Input | None
    module: nn.Module | None


@dataclass(frozen=True)
class Kind:
    """Where networks come from. packages: those whose versions matter. make: its Given."""

    packages: tuple[str, ...]
    make: Callable[[Subject], Given]


def held(module: nn.Module, side: int, channels: int = 3) -> Given:
    """A module with weights that keep it awake, in float64."""
    show = None if channels in (1, 3) else (0, 1, 1)
    module = awaken(module.double(), torch.randn(PICTURES, channels, side, side, dtype=torch.float64))
    half, quarter = (0.5,) * channels, (0.25,) * channels
    expected = ls.Input(channels=channels, height=side, width=side, mean=half, std=quarter, show=show)
    return Given(module, expected, module)


def torch_module(subject: Subject) -> nn.Module:
    """The module that a subject of a kind of plain modules names, as its package makes it."""
    return MODULES[subject.kind](subject.name, subject.side)


def _torchvision(name: str, side: int) -> nn.Module:
    from torchvision import models

    options: dict[str, Any] = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return models.get_model(name, weights=None, **options)


def _segmentation(name: str, side: int) -> nn.Module:
    from torchvision import models

    return models.get_model(name, weights=None, weights_backbone=None)


def _backbone(name: str, side: int) -> nn.Module:
    backbone = _segmentation(name, side).backbone
    assert isinstance(backbone, nn.Module)
    return backbone


def _timm(name: str, side: int) -> nn.Module:
    import timm

    return timm.create_model(name, pretrained=False)


def _hf(name: str, side: int) -> nn.Module:
    import transformers

    config = transformers.AutoConfig.for_model(name)
    if hasattr(config, "image_size"):
        config.image_size = side
    return transformers.AutoModelForImageClassification.from_config(config)


def _smp(name: str, side: int) -> nn.Module:
    import segmentation_models_pytorch as smp

    decoder, encoder = name.split("/")
    return getattr(smp, decoder)(encoder, encoder_weights=None)


def _yolo(name: str, side: int) -> nn.Module:
    from ultralytics.nn import tasks

    ending = name.partition("-")[2]
    forms = {"cls": "ClassificationModel", "seg": "SegmentationModel", "pose": "PoseModel", "obb": "OBBModel"}
    model = getattr(tasks, forms.get(ending, "DetectionModel"))(f"{name}.yaml", verbose=False)
    for module in model.modules():
        if hasattr(module, "dynamic"):  # else the head keeps the anchors of the first batch, its size with them
            module.dynamic = True
    return model


def _xrv(name: str, side: int) -> nn.Module:
    import torchxrayvision as xrv

    return getattr(xrv.models, name)(weights=None)


def _monai(name: str, side: int) -> nn.Module:
    from monai.networks import nets

    plain: dict[str, Any] = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2}
    deep = {"channels": (8, 16, 32), "strides": (2, 2)}
    given: dict[str, dict[str, Any]] = {
        "UNet": plain | deep | {"num_res_units": 1},
        "AttentionUnet": plain | deep,
        "BasicUNet": plain | {"features": (8, 8, 16, 32, 64, 8)},
        "SegResNet": plain,
        "DenseNet121": plain,
        "VNet": plain,
        "SEResNet50": {"spatial_dims": 2, "in_channels": 1, "num_classes": 2, "pretrained": False},
        "DynUNet": plain | {"kernel_size": (3, 3, 3), "strides": (1, 2, 2), "upsample_kernel_size": (2, 2)},
        "FlexibleUNet": plain | {"backbone": "efficientnet-b0", "in_channels": 3},
        "EfficientNetBN": {
            "model_name": "efficientnet-b0", "pretrained": False, "spatial_dims": 2, "in_channels": 1, "num_classes": 2,
        },
    }  # fmt: skip
    return getattr(nets, name)(**given[name])


MODULES: dict[str, Callable[[str, int], nn.Module]] = {
    "torchvision": _torchvision, "torchvision-segmentation": _segmentation, "torchvision-backbone": _backbone,
    "timm": _timm, "own": lambda name, side: OWN[name](), "hf": _hf, "smp": _smp, "yolo": _yolo, "xrv": _xrv,
    "monai": _monai,
}  # fmt: skip


def _module(subject: Subject) -> Given:
    torch.manual_seed(0)
    module = torch_module(subject)
    first = next((layer for layer in module.modules() if isinstance(layer, nn.Conv2d)), None)
    channels = 1 if subject.kind in ("xrv", "monai") and first is not None and first.in_channels == 1 else 3
    return held(module, subject.side, channels)


def _keras(subject: Subject) -> Given:
    import keras

    keras.utils.set_random_seed(0)
    shape = (subject.side, subject.side, 3)
    model = getattr(keras.applications, subject.name)(weights=None, input_shape=shape)
    random = torch.Generator().manual_seed(0)
    for weight in model.weights:  # what Keras makes constant: scales, shifts and the statistics of batch norms
        if len(weight.shape) == 1 and weight.dtype == "float32":
            around = 0.5 if weight.path.endswith(("gamma", "variance")) else -0.25
            weight.assign(around + torch.rand(tuple(weight.shape), generator=random) * 0.5)
    return Given(model, None, None)


def _onnx(subject: Subject) -> Given:
    kind, _, name = subject.name.partition("/")
    inner = _module(Subject(kind, name, subject.side))
    assert inner.module is not None and inner.input is not None
    path = Path(tempfile.mkdtemp()) / f"{name}.onnx"
    example = torch.randn(2, *inner.input.shape)
    batch = ({0: torch.export.Dim("batch")},)
    torch.onnx.export(
        inner.module.float(), (example,), str(path), dynamo=True, dynamic_shapes=batch, external_data=False,
        verbose=False,
    )  # fmt: skip
    return Given(str(path), inner.input, None)


KINDS: dict[str, Kind] = {
    "torchvision": Kind(("torchvision",), _module),
    "torchvision-segmentation": Kind(("torchvision",), _module),
    "torchvision-backbone": Kind(("torchvision",), _module),
    "timm": Kind(("timm",), _module),
    "own": Kind((), _module),
    "keras": Kind(("keras",), _keras),
    "onnx": Kind(("onnx", "onnxruntime", "onnxscript"), _onnx),
    "hf": Kind(("transformers",), _module),
    "smp": Kind(("segmentation-models-pytorch",), _module),
    "yolo": Kind(("ultralytics",), _module),
    "xrv": Kind(("torchxrayvision",), _module),
    "monai": Kind(("monai",), _module),
}
