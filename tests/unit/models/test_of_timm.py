"""timm's networks: built as timm builds them, fed as timm feeds them, and what is missing is one sentence."""

import socket
import time
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image

import layerscope as ls
from layerscope.core.errors import TraceError, UsageError
from layerscope.models import hub, load
from layerscope.sources import open_source

# One of each way to prepare: bicubic and bilinear, crops of several shares, squashed, without a crop.
PREPARED = ["test_resnet", "resnet50", "efficientnet_b0.ra_in1k", "mobilenetv3_large_100", "inception_v3", "vgg16"]
PREPARED += [
    "densenet121",
    "convnext_tiny.fb_in22k_ft_in1k_384",
    "regnety_032",
    "tf_efficientnetv2_b0",
    "resnetv2_50x1_bit",
]


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    soft = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    path = tmp_path_factory.mktemp("pictures") / "a.png"
    Image.fromarray(soft).resize((500, 375), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No name resolves, no proxy is there, and nothing was fetched before."""

    def nothing(*given, **also):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(hub.socket, "getaddrinfo", nothing)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for name in hub._PROXIES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", PREPARED)
def test_pictures_are_prepared_as_by_timm(name: str, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """timm's own evaluation transform of its own configuration gives the same numbers as our Input, to the last bit."""
    from layerscope.models import of_timm as kind

    config = timm.data.resolve_data_config({}, pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    expects, doubt = kind._input_of(config)
    with Image.open(picture) as opened:
        theirs = timm.data.create_transform(**config)(opened)
    ours = open_source([str(picture)]).load([0], expects).pixels[0]
    assert not doubt and np.array_equal(theirs.numpy(), ours)


def test_the_network_is_timms(picture: Path) -> None:
    """The same modules and outputs as timm.create_model gives with the same weights; classes by their names in timm."""
    own = load("timm:test_resnet/none")
    theirs = timm.create_model("test_resnet").eval()
    theirs.load_state_dict(own.model.state_dict())
    x = torch.rand(2, 3, 160, 160)
    assert torch.equal(own.model.eval()(x), theirs(x)) and own.input.shape == (3, 160, 160)
    assert len(own.classes) == 1000 and own.classes[0] == "tench, Tinca tinca"


def test_features_are_the_maps_of_the_stages() -> None:
    """Behind /features stands timm's network without a head: several outputs, no classes."""
    own = load("timm:test_resnet/features/none")
    maps = own.model.eval()(torch.rand(1, 3, 160, 160))
    assert own.classes == () and [m.shape[1] for m in maps] == own.model.feature_info.channels()


def test_a_file_of_timms_weights_fits(tmp_path: Path) -> None:
    """What timm saved is loaded, and what timm itself renames as well: `checkpoint_filter_fn` of the network's home."""
    for name in ("test_resnet", "test_convnext"):
        torch.manual_seed(3)
        model = timm.create_model(name)
        torch.save({"state_dict": model.state_dict()}, tmp_path / "w.pt")
        filled = load(f"timm:{name}", weights=tmp_path / "w.pt")
        assert all(torch.equal(tensor, model.state_dict()[key]) for key, tensor in filled.model.state_dict().items())
        assert filled.classes and not filled.unloaded


def test_older_names_are_given_their_new_form_by_timm(tmp_path: Path) -> None:
    """ConvNeXt as its authors published it, whose names differ from timm's, fits after timm's own renaming."""
    torch.manual_seed(3)
    model = timm.create_model("test_convnext")
    old = {
        key.replace("stem.", "downsample_layers.0.").replace("mlp.fc1", "pwconv1").replace("mlp.fc2", "pwconv2")
        .replace("conv_dw", "dwconv").replace("head.norm", "norm").replace("head.fc", "head"): tensor
        for key, tensor in model.state_dict().items()
    }  # fmt: skip
    old = {
        ".".join(["downsample_layers", *key.split(".")[1:2], *key.split(".")[3:]]) if ".downsample." in key else
        ".".join([*key.split(".")[:2], *key.split(".")[3:]]) if ".blocks." in key else key: tensor
        for key, tensor in old.items()
    }  # fmt: skip
    torch.save({"model": old}, tmp_path / "old.pth")
    filled = load("timm:test_convnext", weights=tmp_path / "old.pth")
    assert not filled.unloaded
    assert all(torch.equal(tensor, model.state_dict()[key]) for key, tensor in filled.model.state_dict().items())


def test_a_hub_out_of_reach_is_said_at_once(offline: None) -> None:
    """No waiting for retries; the sentence says that a file or random weights will do."""
    began = time.monotonic()
    with pytest.raises(TraceError) as said:
        load("timm:test_resnet")
    assert time.monotonic() - began < 5
    assert str(said.value) == (
        "the weights of timm:test_resnet cannot be fetched (the hub cannot be reached): give a file with --weights, or "
        "write timm:test_resnet/none for random ones"
    )


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("timm:resnet5", 'timm has no network "resnet5"; did you mean resnet50'),
        ("timm:efficientnet_b0.ra_in", 'no network "efficientnet_b0.ra_in"; did you mean efficientnet_b0.ra_in1k'),
        ("timm:resnet18/stages", '"timm:resnet18/stages": behind a name of timm only /features (the maps'),
        ("timm:test_nfnet2/none", 'timm has no network "test_nfnet2"'),
    ],
)
def test_what_timm_does_not_have_is_refused(spec: str, said: str) -> None:
    """One sentence, with the nearest names."""
    with pytest.raises(UsageError) as error:
        load(spec)
    assert said in str(error.value)


def test_random_weights_and_a_file_do_not_go_together(tmp_path: Path) -> None:
    """One of them is meant."""
    torch.save({"a": torch.zeros(1)}, tmp_path / "w.pt")
    with pytest.raises(UsageError, match="asks for random weights, and --weights for those of a file"):
        load("timm:test_resnet/none", weights=tmp_path / "w.pt")


def test_a_network_without_published_weights_says_so() -> None:
    """The way out is a file, or random ones."""
    name = next(name for name in timm.list_models("resnet*") if not timm.models.is_model_pretrained(name))
    with pytest.raises(TraceError, match=f"timm publishes no weights of {name}: give a file with --weights"):
        load(f"timm:{name}")


def test_a_size_that_timm_tests_at_is_told() -> None:
    """ResNet-50 was trained at 224 px and is tested at 288, with the whole of the picture."""
    assert load("timm:resnet18/none").remarks == (
        "timm tests it at 288 px: --input 3x288x288 --resize 288 looks at it there",
    )


def test_its_own_forward_agrees_with_ours() -> None:
    """From picture files on: timm's transform and module beside our input and graph; another mean is found."""
    assert ls.trace_check("timm:test_resnet/none", limit=2).agrees
