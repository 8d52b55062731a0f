"""Torchvision's segmenters whole, its detectors by their backbone, and its others refused with the way out."""

from pathlib import Path

import pytest
import torch
from torchvision import models

from layerscope.core.errors import UsageError
from layerscope.models import load


def test_a_segmenter_is_built_as_for_published_weights() -> None:
    """The same tensors as torchvision's builder gives with the settings of its published weights: both heads."""
    own = load("torchvision:fcn_resnet50/none")
    theirs = models.get_model("fcn_resnet50", weights=None, weights_backbone=None, aux_loss=True)
    assert list(own.model.state_dict()) == list(theirs.state_dict())
    assert own.input.shape == (3, 520, 520) and own.classes == () and own.own is not None


def test_of_a_detector_the_backbone_is_taken(tmp_path: Path) -> None:
    """It says so; a file of the whole detector's weights fits, and the input is what its own first part prepares."""
    torch.manual_seed(4)
    theirs = models.get_model("ssdlite320_mobilenet_v3_large", weights=None, weights_backbone=None)
    torch.save(theirs.state_dict(), tmp_path / "w.pt")
    own = load("torchvision:ssdlite320_mobilenet_v3_large", weights=tmp_path / "w.pt")
    expected = theirs.backbone.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in own.model.state_dict().items())
    assert (own.input.shape, own.input.crop) == ((3, 320, 320), "squash")
    assert own.input.mean == tuple(theirs.transform.image_mean) and own.input.std == tuple(theirs.transform.image_std)
    assert own.remarks[0].startswith("of the detector ssdlite320_mobilenet_v3_large its backbone is looked at")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("quantized_resnet18", "is quantised, its numbers are whole ones of 8 bits: give the network as it was before, "
                               "torchvision:resnet18"),
        ("r3d_18", "takes clips of several frames; only networks of one picture are known"),
        ("raft_small", "takes two pictures; only networks of one picture are known"),
        ("fcn_resnet5", 'torchvision has no network "fcn_resnet5"; did you mean fcn_resnet50'),
    ],
)  # fmt: skip
def test_others_are_refused_with_the_way_out(name: str, said: str) -> None:
    """Quantised networks, those of clips and of two pictures, and names that there are not."""
    with pytest.raises(UsageError) as error:
        load(f"torchvision:{name}")
    assert said in str(error.value)
