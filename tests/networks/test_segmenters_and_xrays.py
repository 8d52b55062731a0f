"""segmentation_models_pytorch and torchxrayvision, named: architectures, folders, files; what is refused, and why."""

from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
import torchxrayvision as xrv

import layerscope as ls
from layerscope.core.errors import TraceError, UsageError
from layerscope.models import load

SMALL = ls.Input(height=64, width=64)


def agrees(net: ls.Network, model: torch.nn.Module) -> None:
    """Every layer was compared, and the output is the library's own."""
    assert net.replay is not None and net.replay.pictures and not net.replay.fault
    x = torch.rand((1, *net.input.shape), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = model.eval()(x).numpy()
    found = net.activations(x.numpy(), net.layers[-1].name)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("spec", ["smp:unet/resnet18/none", "smp:FPN/mobilenet_v2/none", "smp:unet/tu-resnet10t/none"])
def test_an_architecture_over_an_encoder_opens(spec: str) -> None:
    net = ls.trace(spec, SMALL)
    assert net.replay is not None and net.replay.pictures and not net.replay.fault
    assert {layer.part for layer in net.layers if layer.auto} >= {"encoder", "decoder"}
    assert not any(layer.scan_only for layer in net.layers)


@pytest.mark.parametrize("channels, classes", [(3, 1), (1, 4), (5, 2)])
def test_a_files_weights_say_channels_and_classes(tmp_path: Path, channels: int, classes: int) -> None:
    model = smp.Unet("resnet18", encoder_weights=None, in_channels=channels, classes=classes)
    torch.save({"state_dict": model.state_dict()}, tmp_path / "mine.pt")
    spec, show = "smp:unet/resnet18", (0, 1, 2) if channels > 3 else None
    size = ls.Input(channels=channels, height=64, width=64, mean=(0.0,) * channels, std=(1.0,) * channels, show=show)
    agrees(ls.trace(spec, size, weights=tmp_path / "mine.pt"), model)
    assert load(spec, weights=tmp_path / "mine.pt").input.channels == channels


def test_a_folder_is_named_by_itself(tmp_path: Path) -> None:
    """With its own weights, with random ones, and by any way to it."""
    model = smp.Linknet("resnet18", encoder_weights=None, classes=2)
    model.save_pretrained(tmp_path / "road")
    net = ls.trace(f"smp:{tmp_path / 'road'}", SMALL)
    agrees(net, model)
    assert net.name == "smp:road"
    assert load(f"smp:{tmp_path / 'road'}/none").name == "smp:road/none"


@pytest.mark.parametrize(
    "spec, said",
    [
        ("smp:unet/resnt18/none", 'no encoder "resnt18"; did you mean resnet18'),
        ("smp:unt/resnet18/none", 'no architecture "unt"; did you mean unet'),
        ("smp:unet/resnet18", "publishes no weights of whole segmenters"),
        ("smp:nothing", "neither ARCHITECTURE/ENCODER, such as smp:unet/resnet34, nor a folder"),
        ("smp:./nothing", "neither ARCHITECTURE/ENCODER, such as smp:unet/resnet34, nor a folder"),
        ("smp:someone/net", "the hub cannot be reached"),
        ("xrv:densenet121-res224-al/none", "did you mean densenet121-res224-all"),
        ("xrv:densenet121-res224-all", "--trust allows that"),
        ("xrv:resnet50-res512-all/none", "without its published weights"),
    ],
)
def test_what_cannot_be_had_is_said_in_one_sentence(spec: str, said: str) -> None:
    with (
        mock.patch("layerscope.models.hub._resolves", lambda: False),
        pytest.raises((UsageError, TraceError)) as caught,
    ):
        load(spec)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no config\.json"):
        load(f"smp:{tmp_path}")


def test_x_rays_are_given_in_the_librarys_own_scale() -> None:
    """Black is -1024 and white 1024, as its own normalisation says."""
    net = ls.trace("xrv:densenet121-res224-all/none")
    agrees(net, load("xrv:densenet121-res224-all/none").model)
    pixels = np.array([0.0, 100.0, 255.0])
    ours = (pixels / 255 - net.input.mean[0]) / net.input.std[0]
    np.testing.assert_allclose(ours, xrv.utils.normalize(pixels, 255), atol=1e-3)
    assert net.input.shape == (1, 224, 224) and "Atelectasis" in net.classes


def test_a_files_weights_go_into_an_x_ray_network(tmp_path: Path) -> None:
    model = xrv.models.DenseNet(weights=None)
    torch.save(model.state_dict(), tmp_path / "mine.pt")
    agrees(ls.trace("xrv:densenet121-res224-all", weights=tmp_path / "mine.pt"), model)


def test_published_weights_are_opened_where_they_are_trusted() -> None:
    """What the library fetches is asked for by name; where it cannot, one sentence says where files may lie."""
    with mock.patch.object(xrv.models, "get_model", side_effect=OSError("no connection")) as asked:
        with pytest.raises(TraceError, match=r"no connection.*models_data.*/none"):
            load("xrv:densenet121-res224-nih", trust=True)
        asked.assert_called_once_with("densenet121-res224-nih")
