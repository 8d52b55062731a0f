"""ZFNet, the network of Zeiler & Fergus 2013 (arXiv 1311.2901 v3), and its design for pictures of 64 px.

Both read as the paper counts: five layers of convolution and ReLU, two hidden dense layers, one for the classes.
"""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn


class ZFNet(nn.Module):
    """The network of Figure 3: 224 px in, maps of 110/55/26/13/13/13/6 px, 62,357,608 parameters for 1,000 classes.

    Sizes, strides and the order ReLU, pooling, contrast normalisation are the caption's; dense connections in layers
    3 to 5 and dropout are section 3's. The paper prints no padding and no rounding: only pooling that rounds up
    without padding fits 110 -> 55, 26 -> 13 and 13 -> 6; padding 1 in layer 1 and in layers 3 to 5 gives the rest.
    The contrast normalisation is Krizhevsky's across maps (section 2), with his constants: size 5, alpha 1e-4 a map
    (PyTorch divides alpha by the size), beta 0.75, k 2.
    """

    def __init__(self, classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.layer1 = _convolution(3, 96, kernel=7, stride=2, padding=1)
        self.pool1, self.contrast1 = _halving(), _contrast()
        self.layer2 = _convolution(96, 256, kernel=5, stride=2, padding=0)
        self.pool2, self.contrast2 = _halving(), _contrast()
        self.layer3 = _convolution(256, 384, kernel=3, padding=1)
        self.layer4 = _convolution(384, 384, kernel=3, padding=1)
        self.layer5 = _convolution(384, 256, kernel=3, padding=1)
        self.pool5 = _halving()
        self.flat = nn.Flatten()
        self.layer6 = _dense(256 * 6 * 6, 4096, dropout=dropout)
        self.layer7 = _dense(4096, 4096, dropout=dropout)
        self.classes = nn.Linear(4096, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.contrast1(self.pool1(self.layer1(x)))
        x = self.contrast2(self.pool2(self.layer2(x)))
        x = self.pool5(self.layer5(self.layer4(self.layer3(x))))
        return self.classes(self.layer7(self.layer6(self.flat(x))))


class ZFNet64(nn.Module):
    """The same design for 64 px: fields of 7, 19, 27, 35 and 43 px, that is 11, 30, 42, 55 and 67 % of the side.

    (The paper's fields are 3, 12, 33, 48 and 62 % of its side; its own strides would see all of 64 px from layer 4
    on.) Layer 1 is 7x7 with stride 2, one pooling follows, then 3x3 with stride 1; maps of 32, 16, 16, 16, 16 px.
    Before the dense layers the maps are pooled to 4x4, whatever the picture's size, so that training may begin on small
    pictures. hidden: units of the hidden dense layers; without any, each map's mean over all places goes straight to
    the classes, and so layer 5 itself has to find what the classes are told by.
    norm: with batch norm after each layer's weights, as it is trained; without, as it is shipped (`fold`).
    """

    def __init__(
        self,
        classes: int = 200,
        maps: Sequence[int] = (48, 96, 128, 128, 96),
        hidden: Sequence[int] = (512, 512),
        *,
        norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        one, two, three, four, five = maps
        self.layer1 = _convolution(3, one, kernel=7, stride=2, padding=3, norm=norm)
        self.pool1 = _halving()
        self.layer2 = _convolution(one, two, kernel=3, padding=1, norm=norm)
        self.layer3 = _convolution(two, three, kernel=3, padding=1, norm=norm)
        self.layer4 = _convolution(three, four, kernel=3, padding=1, norm=norm)
        self.layer5 = _convolution(four, five, kernel=3, padding=1, norm=norm)
        self.pool5 = _halving()
        side = 4 if hidden else 1
        self.pooled = nn.AdaptiveAvgPool2d(side)
        self.flat = nn.Flatten()
        sizes = (five * side * side, *hidden)
        self.hidden = [f"layer{number}" for number in range(6, 6 + len(hidden))]
        for name, (inputs, units) in zip(self.hidden, pairwise(sizes), strict=True):
            self.add_module(name, _dense(inputs, units, norm=norm, dropout=dropout))
        self.classes = nn.Linear(sizes[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(self.layer1(x))
        x = self.pooled(self.pool5(self.layer5(self.layer4(self.layer3(self.layer2(x))))))
        x = self.flat(x)
        for name in self.hidden:
            x = self.get_submodule(name)(x)
        return self.classes(x)


def _convolution(
    maps: int, units: int, *, kernel: int, stride: int = 1, padding: int, norm: bool = False
) -> nn.Sequential:
    convolution = nn.Conv2d(maps, units, kernel, stride, padding, bias=not norm)
    normed = [("norm", nn.BatchNorm2d(units))] if norm else []
    return nn.Sequential(OrderedDict([("conv", convolution), *normed, ("relu", nn.ReLU())]))


def _dense(inputs: int, units: int, *, norm: bool = False, dropout: float) -> nn.Sequential:
    normed = [("norm", nn.BatchNorm1d(units))] if norm else []
    dropped = [("dropout", nn.Dropout(dropout))] if dropout else []
    dense = nn.Linear(inputs, units, bias=not norm)
    return nn.Sequential(OrderedDict([("dense", dense), *normed, ("relu", nn.ReLU()), *dropped]))


def _halving() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


def _contrast() -> nn.LocalResponseNorm:
    return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
