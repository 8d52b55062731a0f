"""Tiny Darknet: a plain chain of convolution, batch norm and leaky ReLU, as Joseph Redmon describes it."""

from torch import nn

# (outputs, kernel) of a convolution, or None for a 2 x 2 max pool
PLAN: tuple[tuple[int, int] | None, ...] = (
    *((16, 3), None, (32, 3), None),
    *((16, 1), (128, 3), (16, 1), (128, 3), None),
    *((32, 1), (256, 3), (32, 1), (256, 3), None),
    *((64, 1), (512, 3), (64, 1), (512, 3), (128, 1)),
)


def tiny_darknet(classes: int = 1000) -> nn.Sequential:
    """The network for RGB pictures in 0..1 of 224 x 224 px."""
    net = nn.Sequential()
    channels, convolutions, pools = 3, 0, 0
    for step in PLAN:
        if step is None:
            pools += 1
            net.add_module(f"pool{pools}", nn.MaxPool2d(2, 2))
            continue
        convolutions += 1
        outputs, kernel = step
        net.add_module(f"conv{convolutions}", nn.Conv2d(channels, outputs, kernel, padding=kernel // 2, bias=False))
        net.add_module(f"bn{convolutions}", nn.BatchNorm2d(outputs, eps=1e-3))
        net.add_module(f"act{convolutions}", nn.LeakyReLU(0.1))
        channels = outputs
    net.add_module(f"conv{convolutions + 1}", nn.Conv2d(channels, classes, 1))
    net.add_module("avgpool", nn.AdaptiveAvgPool2d(1))
    net.add_module("flatten", nn.Flatten())
    return net
