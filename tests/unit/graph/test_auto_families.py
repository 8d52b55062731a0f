"""What `auto` means in each family of networks: lists written down by hand, from the papers and their authors' code.

The networks are twins: the families' own structure and names of modules, with one or two blocks and few channels.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from layerscope.graph.auto import choose
from layerscope.graph.fields import fields_of
from layerscope.graph.layers import layers_of
from layerscope.graph.trace import trace_module
from tests.helpers.sweep import swept


def layers(model: nn.Module, side: int = 16) -> Mapping[str, str]:
    """The names of the layers that `auto` means, in execution order, with the part of each."""
    graph = trace_module(model, (3, side, side)).graph
    found = [layer for layer in layers_of(graph, fields_of(graph)) if layer.auto]
    assert [layer.node for layer in found] == list(choose(graph).nodes)
    return {layer.name: layer.part for layer in found}


def auto(model: nn.Module, side: int = 16) -> list[str]:
    return list(layers(model, side))


def conv(inputs: int, outputs: int, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups)


class ConvAct(nn.Module):
    """A convolution, its norm and its activation: YOLO's Conv, timm's ConvNormAct."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv, self.bn, self.act = conv(inputs, outputs, size, stride), nn.BatchNorm2d(outputs), nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))


class SqueezeExcite(nn.Module):
    """A gate for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(channels, 2, 1), nn.Conv2d(2, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.expand(self.reduce(x.mean((2, 3), keepdim=True)).relu()).sigmoid()


class Separable(nn.Module):
    """MBConv without expansion: what EfficientNet's first stage has one of."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dw, self.bn1, self.act = conv(channels, channels, groups=channels), nn.BatchNorm2d(channels), nn.SiLU()
        self.se, self.pw, self.bn2 = SqueezeExcite(channels), conv(channels, channels, 1), nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn2(self.pw(self.se(self.act(self.bn1(self.dw(x))))))


class Inverted(nn.Module):
    """MBConv."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.expand, self.inner, self.skip = ConvAct(inputs, 2 * inputs, 1), Separable(2 * inputs), inputs == outputs
        self.project = conv(2 * inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.inner(self.expand(x)))
        return x + y if self.skip else y


class Residual(nn.Module):
    """ResNet's basic block, under the names of its authors' code."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = conv(inputs, outputs), conv(outputs, outputs)
        self.downsample = nn.Identity() if inputs == outputs else conv(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return (self.conv2(self.conv1(x).relu()) + self.downsample(x)).relu()


def efficientnet() -> nn.Module:
    blocks = [[Separable(4)], [Inverted(4, 6), Inverted(6, 6)], [Inverted(6, 8)]]
    parts = {"stem": ConvAct(3, 4), "blocks": nn.Sequential(*(nn.Sequential(*stage) for stage in blocks))}
    return nn.Sequential(OrderedDict(parts | {"head": ConvAct(8, 9, 1)}))


class AnyStage(nn.Sequential):
    """RegNet's stage: a class of its own, that strings blocks together."""

    def __init__(self, name: str, inputs: int, outputs: int, depth: int) -> None:
        blocks = [Residual(inputs if place == 0 else outputs, outputs) for place in range(depth)]
        super().__init__(OrderedDict((f"{name}-{place}", block) for place, block in enumerate(blocks)))


def regnet() -> nn.Module:
    stages = {"block1": AnyStage("block1", 3, 4, 1), "block2": AnyStage("block2", 4, 5, 2)}
    return nn.Sequential(
        OrderedDict(stem=nn.Sequential(conv(3, 3), nn.ReLU()), trunk=nn.Sequential(OrderedDict(stages)))
    )


class ConvNextBlock(nn.Module):
    """A depthwise convolution, then dense layers over the channels of each place, here as convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            conv(channels, channels, 7, groups=channels), nn.GroupNorm(1, channels),
            conv(channels, 2 * channels, 1), nn.GELU(), conv(2 * channels, channels, 1),
        )  # fmt: skip
        self.layer_scale = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layer_scale * self.block(x)


class ConvNextStage(nn.Module):
    """timm's and transformers' stage: what makes the map smaller, but in the first, then blocks."""

    def __init__(self, inputs: int, outputs: int, depth: int) -> None:
        super().__init__()
        smaller = nn.Sequential(nn.GroupNorm(1, inputs), nn.Conv2d(inputs, outputs, 2, 2))
        self.downsample = nn.Identity() if inputs == outputs else smaller
        self.blocks = nn.Sequential(*(ConvNextBlock(outputs) for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.downsample(x))


def convnext() -> nn.Module:
    stages = nn.Sequential(ConvNextStage(4, 4, 2), ConvNextStage(4, 6, 1))
    return nn.Sequential(OrderedDict(stem=nn.Sequential(nn.Conv2d(3, 4, 2, 2), nn.GroupNorm(1, 4)), stages=stages))


class RepVgg(nn.Module):
    """RepVGG while it is trained: two convolutions, and the map itself where it fits."""

    def __init__(self, inputs: int, outputs: int, kernels: tuple[int, ...] = (3, 1)) -> None:
        super().__init__()
        self.branches = nn.ModuleList(conv(inputs, outputs, size) for size in kernels)
        self.identity = nn.BatchNorm2d(inputs) if inputs == outputs else None

    def forward(self, x: Tensor) -> Tensor:
        y = sum((branch(x) for branch in self.branches), torch.zeros(()))
        return (y if self.identity is None else y + self.identity(x)).relu()


def repvgg() -> nn.Module:
    stages = nn.Sequential(nn.Sequential(RepVgg(4, 4), RepVgg(4, 4, (1,))), nn.Sequential(RepVgg(4, 6)))
    return nn.Sequential(OrderedDict(stem=RepVgg(3, 4), stages=stages))


class Fusion(nn.Module):
    """HRNet's module: branches of blocks at two resolutions, and maps of each made of both."""

    def __init__(self) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Sequential(Residual(4, 4), Residual(4, 4)) for _ in range(2))
        self.down, self.across = conv(4, 4, stride=2), conv(4, 4, 1)

    def forward(self, pair: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        high, low = (branch(x) for branch, x in zip(self.branches, pair, strict=True))
        up = functional.interpolate(self.across(low), scale_factor=2.0)
        return (high + up).relu(), (low + self.down(high)).relu()


class HighResolution(nn.Module):
    """HRNet with one stage of two modules."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.transition = conv(3, 4), conv(4, 4, stride=2)
        self.stage2, self.last = nn.Sequential(Fusion(), Fusion()), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).relu()
        high, low = self.stage2((x, self.transition(x).relu()))
        return self.last(torch.cat([high.mean((2, 3)), low.mean((2, 3))], 1))


class DoubleConv(nn.Module):
    """U-Net's two convolutions."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.double_conv = nn.Sequential(conv(inputs, outputs), nn.ReLU(), conv(outputs, outputs), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.double_conv(x)


class Up(nn.Module):
    """A step of the way up; `sample` may be anything."""

    def __init__(self, inputs: int, outputs: int, sample: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.sample = DoubleConv(inputs, outputs), sample

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.conv(torch.cat([skip, self.sample(x)], 1))


def nearest(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0)


def bicubic(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bicubic")


class Unet(nn.Module):
    """U-Net as it is written everywhere."""

    def __init__(self, sample: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.inc, self.down1, self.down2 = DoubleConv(3, 4), self._down(4, 6), self._down(6, 8)
        self.up1, self.up2, self.outc = Up(14, 6, sample), Up(10, 4, sample), conv(4, 2, 1)

    @staticmethod
    def _down(inputs: int, outputs: int) -> nn.Module:
        return nn.Sequential(nn.MaxPool2d(2), DoubleConv(inputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        a = self.inc(x)
        b = self.down1(a)
        return self.outc(self.up2(self.up1(self.down2(b), b), a))


class Bottlenecks(nn.Module):
    """YOLO's C2f: all that its bottlenecks give is joined."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.cv1, self.cv2 = ConvAct(inputs, outputs, 1), ConvAct(3 * outputs, outputs, 1)
        self.m = nn.ModuleList([Residual(outputs, outputs), Residual(outputs, outputs)])

    def forward(self, x: Tensor) -> Tensor:
        maps = [self.cv1(x)]
        for bottleneck in self.m:
            maps.append(bottleneck(maps[-1]))
        return self.cv2(torch.cat(maps, 1))


class PyramidPool(nn.Module):
    """YOLO's SPPF, of which a network has one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cv1, self.cv2, self.m = (
            ConvAct(channels, channels, 1),
            ConvAct(2 * channels, channels, 1),
            nn.MaxPool2d(3, 1, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.cv1(x)
        return self.cv2(torch.cat([x, self.m(x)], 1))


class Detect(nn.Module):
    """YOLO's head: boxes and classes at two resolutions, side by side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cv2 = nn.ModuleList(nn.Sequential(ConvAct(channels, 4), conv(4, 4, 1)) for _ in range(2))
        self.cv3 = nn.ModuleList(nn.Sequential(ConvAct(channels, 4), conv(4, 3, 1)) for _ in range(2))

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        found = [torch.cat([a(x), b(x)], 1) for a, b, x in zip(self.cv2, self.cv3, maps, strict=True)]
        return torch.cat([x.flatten(2) for x in found], 2), found


class Yolo(nn.Module):
    """A list of modules, each with where it reads from, as the yaml files say."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.ModuleList([
            ConvAct(3, 4), ConvAct(4, 4, 3, 2), Bottlenecks(4, 4), ConvAct(4, 4, 3, 2), PyramidPool(4),
            nn.Upsample(scale_factor=2.0), Bottlenecks(8, 4), ConvAct(4, 4, 3, 2), Bottlenecks(8, 4), Detect(4),
        ])  # fmt: skip

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        m = self.model
        skip = m[2](m[1](m[0](x)))
        deep = m[4](m[3](skip))
        fine = m[6](torch.cat([m[5](deep), skip], 1))
        return m[9]([fine, m[8](torch.cat([m[7](fine), deep], 1))])


class Lateral(nn.Module):
    """A level of a feature pyramid: the backbone's map beside the one above."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.skip_conv = conv(channels, 4, 1)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return nearest(x) + self.skip_conv(skip)


class Pyramid(nn.Module):
    """A backbone, a pyramid of its maps, and one head for all levels, which gives a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.ModuleList([Residual(3, 4), Residual(4, 6), Residual(6, 8)])
        self.neck = nn.ModuleDict({"p5": conv(8, 4, 1), "p4": Lateral(6), "p3": Lateral(4)})
        self.head = nn.Sequential(conv(4, 4), nn.ReLU(), conv(4, 2))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        kept = []
        for block in self.backbone:
            x = block(x)
            kept.append(x)
            x = functional.max_pool2d(x, 2)
        top = self.neck["p5"](kept[2])
        middle = self.neck["p4"](top, kept[1])
        return {"p4": self.head(middle), "p3": self.head(self.neck["p3"](middle, kept[0]))}


class Parted(nn.Module):
    """A separable convolution: two operations with nothing between them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.depthwise, self.pointwise = conv(inputs, inputs, groups=inputs), conv(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


def separable() -> nn.Module:
    steps = [(Parted(a, b), nn.BatchNorm2d(b), nn.ReLU()) for a, b in ((3, 4), (4, 5))]
    return nn.Sequential(*(module for step in steps for module in step))


class DenseLayer(nn.Module):
    """DenseNet's: what it gives is joined to all that came before."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = conv(inputs, 4, 1), conv(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv2(self.conv1(x.relu()).relu())], 1)


def densenet() -> nn.Module:
    class DenseBlock(nn.Sequential): ...

    blocks = {"denseblock1": DenseBlock(DenseLayer(3), DenseLayer(5)), "transition1": conv(7, 4, 1)}
    return nn.Sequential(OrderedDict(blocks | {"denseblock2": DenseBlock(DenseLayer(4), DenseLayer(6))}))


class Tokens(nn.Module):
    """An attention block between convolutions: places look at each other."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.qkv, self.proj = conv(channels, 3 * channels, 1), conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (part.flatten(2) for part in self.qkv(x).chunk(3, 1))
        return x + self.proj((v @ (q.transpose(1, 2) @ k).softmax(1)).reshape(x.shape))


def attentive() -> nn.Module:
    blocks = nn.Sequential(Residual(4, 4), Tokens(4), Tokens(4), Residual(4, 4))
    return nn.Sequential(OrderedDict(stem=ConvAct(3, 4), blocks=blocks))


# By hand, and never by the program: stem, every block of the paper's table, the convolutions between and behind them.
FAMILIES: dict[str, tuple[Callable[[], nn.Module], list[str]]] = {
    "EfficientNet": (efficientnet, ["stem.act", "blocks.0.0", "blocks.1.0", "blocks.1.1", "blocks.2.0", "head.act"]),
    "RegNet": (regnet, ["stem.1", "trunk.block1.block1-0", "trunk.block2.block2-0", "trunk.block2.block2-1"]),
    "ConvNeXt": (
        convnext,
        ["stem.1",  "stages.0.blocks.0", "stages.0.blocks.1", "stages.1.downsample.1",
         "stages.1.blocks.0"],
    ),
    "RepVGG": (repvgg, ["stem", "stages.0.0", "stages.0.1", "stages.1.0"]),
    "HRNet": (
        HighResolution,
        ["relu_1", "relu_2", "stage2.0.branches.0", "stage2.0.branches.1", "stage2.0.relu_1", "stage2.0.relu_2",
         "stage2.1.branches.0", "stage2.1.branches.1", "stage2.1.relu_1", "stage2.1.relu_2"],
    ),
    "DenseNet": (densenet, ["denseblock1", "transition1", "denseblock2"]),
    "Xception": (separable, ["2", "5"]),
    "attention between convolutions": (attentive, ["stem.act", "blocks.0", "blocks.1", "blocks.2", "blocks.3"]),
}  # fmt: skip


@pytest.mark.parametrize("family", swept(FAMILIES, 4))
def test_auto_is_what_a_reader_of_the_paper_calls_the_layers(family: str) -> None:
    """A stem, every block, what stands between blocks; never a gate's own convolutions, nor a whole stage."""
    build, expected = FAMILIES[family]
    assert auto(build()) == expected


@pytest.mark.parametrize("sample", [nearest, bicubic])
def test_u_nets_have_an_encoder_and_a_decoder(sample: Callable[[Tensor], Tensor]) -> None:
    """Every block of both by its authors' name, whether or not the way up has a row."""
    assert layers(Unet(sample)) == {
        **dict.fromkeys(("inc", "down1.1", "down2.1"), "encoder"), **dict.fromkeys(("up1", "up2"), "decoder"),
        "outc": "head",
    }  # fmt: skip


def test_detectors_have_a_backbone_a_neck_and_a_head() -> None:
    """Of YOLO each numbered module that has filters, and the head's convolutions at each resolution."""
    found = layers(Yolo())
    head = [f"model.9.cv{kind}.{level}.{step}" for level in (0, 1) for kind in (2, 3) for step in ("0.act", "1")]
    assert [name for name, part in found.items() if part == "backbone"] == [f"model.{n}" for n in (0, 1, 2, 3, 4)]
    assert [name for name, part in found.items() if part == "neck"] == [f"model.{n}" for n in (6, 7, 8)]
    assert [name for name, part in found.items() if part == "head"] == head
    assert len(found) == 5 + 3 + 8


def test_parts_go_by_the_names_of_modules() -> None:
    """Where they have such names; of a pyramid the levels are layers, and a head that is called twice is one each."""
    assert layers(Pyramid()) == {
        **{f"backbone.{n}": "backbone" for n in (0, 1, 2)},
        **dict.fromkeys(("neck.p5", "neck.p4", "neck.p3"), "neck"),
        **dict.fromkeys(("head.1", "head.2", "head.1@2", "head.2@2"), "head"),
    }


def test_outputs_are_layers_by_their_keys() -> None:
    """`output.p4` is what a dict holds under p4; a network that gives one map has no such names."""
    graph = trace_module(Pyramid(), (3, 16, 16)).graph
    found = {alias: layer.name for layer in layers_of(graph, fields_of(graph)) for alias in layer.aliases}
    assert (found["output.p4"], found["output.p3"]) == ("head.2", "head.2@2")
    assert trace_module(Unet(nearest), (3, 16, 16)).graph.returned == ()
