"""What `auto` means in networks without modules of their own: lists written down by hand, from Keras' own code.

The networks are twins of Keras' applications: their layers' names and their calls, with few blocks and channels.
"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from layerscope.graph.fields import fields_of
from layerscope.graph.layers import layers_of
from layerscope.graph.trace import trace_module
from tests.helpers.sweep import swept


class Listed(nn.Module):
    """Layers in one list, called by one function: no module says what belongs together."""

    def __init__(self, call: Callable[["Listed", Tensor], Tensor], **layers: nn.Module) -> None:
        super().__init__()
        self._modules.update(layers)
        self.call = call

    def forward(self, x: Tensor) -> Tensor:
        return self.call(self, x)

    def run(self, x: Tensor, *names: str) -> Tensor:
        for name in names:
            x = self.get_submodule(name)(x)
        return x


class Add(nn.Module):
    """Keras' Add."""

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        return one + other


class Concat(nn.Module):
    """Keras' Concatenate."""

    def forward(self, *maps: Tensor) -> Tensor:
        return torch.cat(maps, 1)


# What leaves a layer of a package bears the layer's name, as what leaves one of torch's own does.
Add.__module__ = Concat.__module__ = "layerscope.models.keras.twins"


def auto(model: nn.Module, side: int = 16) -> list[str]:
    graph = trace_module(model, (3, side, side)).graph
    return [layer.name for layer in layers_of(graph, fields_of(graph)) if layer.auto]


def conv(inputs: int, outputs: int, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups)


def resnet() -> nn.Module:
    """keras.applications.ResNet50: a convolution on the way around the first block of a stage."""
    layers: dict[str, nn.Module] = {"conv1_conv": conv(3, 4), "conv1_relu": nn.ReLU()}
    for name in ("conv2_block1", "conv2_block2"):
        layers |= {f"{name}_0_conv": conv(4, 4, 1)} if name.endswith("1") else {}
        layers |= {f"{name}_1_conv": conv(4, 2, 1), f"{name}_1_relu": nn.ReLU(), f"{name}_2_conv": conv(2, 4)}
        layers |= {f"{name}_add": Add(), f"{name}_out": nn.ReLU()}

    def call(net: Listed, x: Tensor) -> Tensor:
        x = net.run(x, "conv1_conv", "conv1_relu")
        for name in ("conv2_block1", "conv2_block2"):
            around = net.run(x, f"{name}_0_conv") if name.endswith("1") else x
            x = net.run(x, f"{name}_1_conv", f"{name}_1_relu", f"{name}_2_conv")
            x = net.run(net.get_submodule(f"{name}_add")(around, x), f"{name}_out")
        return x

    return Listed(call, **layers)


def inverted(names: dict[str, bool], activation: str) -> nn.Module:
    """MBConv under Keras' names; of each block whether a way leads around it. Activations bear numbers alone."""
    layers: dict[str, nn.Module] = {"stem_conv": conv(3, 4), "stem_activation": nn.SiLU()}
    for place, name in enumerate(names):
        layers |= {f"{name}_expand_conv": conv(4, 6, 1), f"{name}_expand_bn": nn.BatchNorm2d(6)}
        layers |= {f"{activation}_{place}": nn.SiLU(), f"{name}_dwconv": conv(6, 6, groups=6)}
        layers |= {f"{name}_se_reduce": conv(6, 2, 1), f"{name}_se_expand": conv(2, 6, 1)}
        layers |= {f"{name}_project_conv": conv(6, 4, 1), f"{name}_project_bn": nn.BatchNorm2d(4), f"{name}_add": Add()}

    def call(net: Listed, x: Tensor) -> Tensor:
        x = net.run(x, "stem_conv", "stem_activation")
        for place, (name, around) in enumerate(names.items()):
            y = net.run(x, f"{name}_expand_conv", f"{name}_expand_bn", f"{activation}_{place}", f"{name}_dwconv")
            gate = net.run(y.mean((2, 3), keepdim=True), f"{name}_se_reduce").relu()
            y = y * net.run(gate, f"{name}_se_expand").sigmoid()
            y = net.run(y, f"{name}_project_conv", f"{name}_project_bn")
            x = net.get_submodule(f"{name}_add")(y, x) if around else y
        return x

    return Listed(call, **layers)


def inception() -> nn.Module:
    """keras.applications.InceptionV3: convolutions have numbers for names, what joins them is `mixed0`."""

    def call(net: Listed, x: Tensor) -> Tensor:
        x = net.run(x, "conv2d", "activation")
        for block in (0, 1):
            first = 1 + 4 * block
            branches = [
                net.run(x, f"conv2d_{first}", f"activation_{first}"),
                net.run(
                    x,
                    f"conv2d_{first + 1}",
                    f"activation_{first + 1}",
                    f"conv2d_{first + 2}",
                    f"activation_{first + 2}",
                ),
                net.run(functional.avg_pool2d(x, 3, 1, 1), f"conv2d_{first + 3}", f"activation_{first + 3}"),
            ]
            x = net.get_submodule(f"mixed{block}")(*branches)
        return x

    sizes = [(3, 4)] + [pair for inputs in (4, 6) for pair in ((inputs, 2), (inputs, 3), (3, 2), (inputs, 2))]
    layers: dict[str, nn.Module] = {"mixed0": Concat(), "mixed1": Concat()}
    for place, (inputs, outputs) in enumerate(sizes):
        end = f"_{place}" if place else ""
        layers |= {f"conv2d{end}": conv(inputs, outputs), f"activation{end}": nn.ReLU()}
    return Listed(call, **layers)


def convnext() -> nn.Module:
    """keras.applications.ConvNeXtTiny: sums have numbers for names; what makes the map smaller stands alone."""
    layers: dict[str, nn.Module] = {"stem_conv": conv(3, 4), "downsampling_conv_0": nn.Conv2d(4, 4, 2, 2)}
    for place, name in enumerate(("stage_0_block_0", "stage_0_block_1", "stage_1_block_0")):
        layers |= {f"{name}_depthwise_conv": conv(4, 4, 7, groups=4), f"{name}_pointwise_conv_1": conv(4, 8, 1)}
        layers |= {f"{name}_gelu": nn.GELU(), f"{name}_pointwise_conv_2": conv(8, 4, 1), f"add_{place}": Add()}

    def call(net: Listed, x: Tensor) -> Tensor:
        x = net.run(x, "stem_conv")
        for place, name in enumerate(("stage_0_block_0", "stage_0_block_1", "stage_1_block_0")):
            x = net.run(x, "downsampling_conv_0") if place == 2 else x
            steps = ("depthwise_conv", "pointwise_conv_1", "gelu", "pointwise_conv_2")
            x = net.get_submodule(f"add_{place}")(x, net.run(x, *(f"{name}_{step}" for step in steps)))
        return x

    return Listed(call, **layers)


def densenet() -> nn.Module:
    """keras.applications.DenseNet121: each layer hands on all that came before it."""
    layers: dict[str, nn.Module] = {"conv1": conv(3, 4), "conv1_relu": nn.ReLU(), "pool2_conv": conv(8, 4, 1)}
    for stage in ("conv2", "conv3"):
        for block, channels in (("block1", 4), ("block2", 6)):
            name = f"{stage}_{block}"
            layers |= {f"{name}_1_conv": conv(channels, 3, 1), f"{name}_1_relu": nn.ReLU()}
            layers |= {f"{name}_2_conv": conv(3, 2), f"{name}_concat": Concat()}

    def call(net: Listed, x: Tensor) -> Tensor:
        x = net.run(x, "conv1", "conv1_relu")
        for stage in ("conv2", "conv3"):
            for block in ("block1", "block2"):
                name = f"{stage}_{block}"
                y = net.run(x, f"{name}_1_conv", f"{name}_1_relu", f"{name}_2_conv")
                x = net.get_submodule(f"{name}_concat")(x, y)
            x = functional.avg_pool2d(net.run(x, "pool2_conv"), 2) if stage == "conv2" else x
        return x

    return Listed(call, **layers)


def xception() -> nn.Module:
    """keras.applications.Xception: the way around has a number for a name, and so has the sum; `block1` is no block."""
    layers: dict[str, nn.Module] = {"block1_conv1": conv(3, 4), "block1_conv1_act": nn.ReLU()}
    layers |= {"block1_conv2": conv(4, 4), "block1_conv2_act": nn.ReLU()}
    for place, name in enumerate(("block2", "block3")):
        layers |= {f"{name}_sepconv1": conv(4, 4), f"{name}_sepconv2_act": nn.ReLU(), f"{name}_sepconv2": conv(4, 4)}
        layers |= {f"conv2d_{place}": conv(4, 4, 1), f"add_{place}": Add()}

    def call(net: Listed, x: Tensor) -> Tensor:
        x = net.run(x, "block1_conv1", "block1_conv1_act", "block1_conv2", "block1_conv2_act")
        for place, name in enumerate(("block2", "block3")):
            y = net.run(x, f"{name}_sepconv1", f"{name}_sepconv2_act", f"{name}_sepconv2")
            x = net.get_submodule(f"add_{place}")(y, net.run(x, f"conv2d_{place}"))
        return x

    return Listed(call, **layers)


def unet() -> nn.Module:
    """A U-Net in one function: the ways around its lower levels are no blocks."""
    sizes = {"down1": (3, 4), "down2": (4, 6), "low": (6, 8), "up2": (14, 6), "up1": (10, 4), "last": (4, 2)}

    def call(net: Listed, x: Tensor) -> Tensor:
        first = net.run(x, "down1").relu()
        second = net.run(functional.max_pool2d(first, 2), "down2").relu()
        low = net.run(functional.max_pool2d(second, 2), "low").relu()
        x = net.run(torch.cat([functional.interpolate(low, scale_factor=2.0), second], 1), "up2").relu()
        return net.run(
            net.run(torch.cat([functional.interpolate(x, scale_factor=2.0), first], 1), "up1").relu(), "last"
        )

    return Listed(call, **{name: conv(*pair) for name, pair in sizes.items()})


FAMILIES: dict[str, tuple[Callable[[], nn.Module], list[str]]] = {
    "ResNet": (resnet, ["conv1_relu", "conv2_block1_out", "conv2_block2_out"]),
    "EfficientNet": (
        lambda: inverted({"block1a": False, "block1b": True, "block2a": False, "block2b": True}, "swish"),
        ["stem_activation", "block1a_project_bn", "block1b_add", "block2a_project_bn", "block2b_add"],
    ),
    "MobileNetV3": (
        lambda: inverted({"expanded_conv": False, "expanded_conv_1": False, "expanded_conv_2": True,
                          "expanded_conv_3": True}, "re_lu"),
        ["stem_activation", "expanded_conv_project_bn", "expanded_conv_1_project_bn", "expanded_conv_2_add",
         "expanded_conv_3_add"],
    ),
    "Inception": (inception, ["activation", "mixed0", "mixed1"]),
    "ConvNeXt": (
        convnext, ["stem_conv", "stage_0_block_0", "stage_0_block_1", "downsampling_conv_0", "stage_1_block_0"]
    ),
    "DenseNet": (densenet, ["conv1_relu", "conv2_block2_concat", "pool2_conv", "conv3_block2_concat"]),
    "Xception": (xception, ["block1_conv1_act", "block1_conv2_act", "block2", "block3"]),
    "U-Net": (unet, ["relu_1", "relu_2", "relu_3", "relu_4", "relu_5", "last"]),
}  # fmt: skip


@pytest.mark.parametrize("family", swept(FAMILIES, 4))
def test_auto_is_what_the_authors_call_blocks(family: str) -> None:
    """What leaves each block by its own name; by what its filters' names have in common where it has but a number."""
    build, expected = FAMILIES[family]
    assert auto(build()) == expected


def test_one_way_around_is_no_block() -> None:
    """A single skip in a chain hides none of the convolutions beside it: a block is followed by another."""

    def call(net: Listed, x: Tensor) -> Tensor:
        x = net.run(x, "a").relu()
        return net.run((x + net.run(net.run(x, "b").relu(), "c")).relu(), "d", "e", "f")

    names = {"a": (3, 4), "b": (4, 4), "c": (4, 4), "d": (4, 4), "e": (4, 4), "f": (4, 4)}
    assert auto(Listed(call, **{name: conv(*pair) for name, pair in names.items()})) == [
        "relu_1", "relu_2", "relu_3", "d", "e", "f"
    ]  # fmt: skip


def test_modules_of_ones_own_come_first() -> None:
    """Where classes tell the blocks, ways that part and meet outside of them hide nothing."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = conv(4, 4), conv(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.two(self.one(x).relu())

    def call(net: Listed, x: Tensor) -> Tensor:
        x = net.run(net.run(x, "stem"), "block1", "block2")
        for name in ("a", "c"):
            x = x + net.run(net.run(x, name).relu(), chr(ord(name) + 1))
        return x

    layers = {"stem": conv(3, 4), "block1": Block(), "block2": Block(), **{name: conv(4, 4) for name in "abcd"}}
    assert auto(Listed(call, **layers)) == ["stem", "block1", "block2", "relu_1", "b", "relu_2", "d"]
