"""Image classifiers of transformers: from a local folder as save_pretrained writes it, fed by their own processors."""

from pathlib import Path

import pytest
import torch
import transformers

import layerscope as ls
from layerscope.core.errors import TraceError, UsageError
from layerscope.models import load
from layerscope.testing import networks as laws

SMALL = {"hidden_sizes": [8, 16], "depths": [1, 1], "num_labels": 3}
KINDS = {
    "resnet": (
        transformers.ResNetConfig(embedding_size=8, layer_type="basic", **SMALL),
        transformers.ConvNextImageProcessor(size={"shortest_edge": 64}),
    ),
    "resnet-squashed": (
        transformers.ResNetConfig(embedding_size=8, layer_type="basic", **SMALL),
        transformers.ConvNextImageProcessor(size={"shortest_edge": 384}),
    ),
    "mobilenet": (
        transformers.MobileNetV2Config(depth_multiplier=0.35, num_labels=3),
        transformers.MobileNetV2ImageProcessor(size={"shortest_edge": 72}, crop_size={"height": 64, "width": 64}),
    ),
    "mobilevit": (  # takes blue before green and red, and no mean
        transformers.MobileViTConfig(
            image_size=64, hidden_sizes=[16, 24, 32], neck_hidden_sizes=[8, 8, 8, 16, 16, 16, 16], num_labels=3
        ),
        transformers.MobileViTImageProcessor(size={"shortest_edge": 72}, crop_size={"height": 64, "width": 64}),
    ),
    "vit-processor": (
        transformers.ResNetConfig(embedding_size=8, layer_type="basic", **SMALL),
        transformers.ViTImageProcessor(size={"height": 64, "width": 64}),
    ),
    "efficientnet-processor": (  # numbers are divided by the std twice
        transformers.ResNetConfig(embedding_size=8, layer_type="basic", **SMALL),
        transformers.EfficientNetImageProcessor(size={"height": 64, "width": 64}),
    ),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder of each kind, with random weights."""
    folders = {}
    for name, (config, processor) in KINDS.items():
        folders[name] = tmp_path_factory.mktemp("hf") / name
        torch.manual_seed(1)
        transformers.AutoModelForImageClassification.from_config(config).save_pretrained(folders[name])
        processor.save_pretrained(folders[name])
    return folders


@pytest.mark.parametrize("name", KINDS)
def test_the_input_is_the_processors(saved: dict[str, Path], name: str, photos: Path) -> None:
    """From picture files on its numbers and ours are the same, but for the rounding of the resize."""
    found = ls.trace_check(f"hf:{saved[name]}", [photos / "a.png", photos / "b.png"])
    assert found.levels <= 2.01 and found.agrees, found.said


def test_a_crop_that_is_rounded_otherwise_is_named(saved: dict[str, Path], photos: Path) -> None:
    """Of an odd rest transformers cuts the smaller half off in front, torchvision the one that is even."""
    found = ls.trace_check(f"hf:{saved['mobilenet']}", [photos / "odd.png"])
    assert not found.agrees and found.cause.startswith("it lies a px beside ours")


def test_a_wrong_order_is_found(saved: dict[str, Path], photos: Path) -> None:
    """MobileViT wants BGR: where RGB is asked for, that is what differs."""
    own = load(f"hf:{saved['mobilevit']}").input
    assert own is not None and own.order == "BGR"
    wrong = ls.Input(height=own.height, width=own.width, resize=own.resize, interpolation=own.interpolation)
    found = ls.trace_check(f"hf:{saved['mobilevit']}", [photos / "a.png"], input=wrong)
    assert found.cause == "its order is BGR there and RGB here"


def test_logits_are_the_models(saved: dict[str, Path]) -> None:
    """The output of the graph is the logits of transformers' own model."""
    net = ls.trace(f"hf:{saved['resnet']}")
    assert net.name == "hf:resnet", "not the whole way to the folder"
    own = transformers.AutoModelForImageClassification.from_pretrained(saved["resnet"]).eval()
    x = torch.rand(2, *net.input.shape)
    (node,) = net.program.graph.outputs
    assert torch.allclose(net.program.run(x, {node})[node], own(x).logits, atol=1e-5)


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_the_kind_keeps_the_laws(saved: dict[str, Path], law) -> None:
    """Every law of kinds of networks, on a folder."""
    from layerscope.core.networks import NETWORKS

    law(NETWORKS["hf"], f"hf:{saved['resnet']}")


def test_what_is_missing_is_said(saved: dict[str, Path], tmp_path: Path) -> None:
    """No folder, no config, no weights, another task, a head without weights: each in one sentence."""
    config = KINDS["resnet"][0]
    config.save_pretrained(tmp_path / "config")
    transformers.BertConfig(num_hidden_layers=1, hidden_size=8, num_attention_heads=1).save_pretrained(
        tmp_path / "bert"
    )
    (tmp_path / "empty").mkdir()
    for spec, error, said in (
        (f"hf:{tmp_path}/gone", UsageError, "there is no folder"),
        (f"hf:{tmp_path}/empty", UsageError, "holds no config.json"),
        (f"hf:{tmp_path}/config", TraceError, "holds no weights: give"),
        (f"hf:{tmp_path}/bert", TraceError, "is no image classifier that transformers knows"),
        (f"hf:{saved['resnet']}/none/none", UsageError, "there is no folder"),
    ):
        with pytest.raises(error, match=said):
            load(spec)
    assert load(f"hf:{tmp_path}/config/none").input is None
    transformers.ResNetModel(config).save_pretrained(tmp_path / "headless")
    headless = load(f"hf:{tmp_path / 'headless'}")
    assert [name for name in headless.unloaded if "classifier" in name]


def test_an_atlas_of_one(saved: dict[str, Path], photos: Path, tmp_path: Path) -> None:
    """To an atlas, a plate and a page."""
    atlas = ls.build(f"hf:{saved['resnet']}", photos, tmp_path / "r.atlas", k=2, progress=False)
    assert atlas.layers
    ls.figure(atlas, atlas.layers[0].name, tmp_path / "plate.png", count=2)
    ls.export(atlas, tmp_path / "pages", progress=False)
    assert (tmp_path / "plate.png").stat().st_size > 1000 and (tmp_path / "pages" / "index.html").is_file()
