"""Parts that act on each number by itself: rectifiers, smooth activations, other functions, constants."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.laws.modules import Called
from tests.laws.parts.making import Part, calling, module, part

RECTIFIERS: tuple[Part, ...] = (
    module("relu", nn.ReLU, rises=True),
    module("relu", partial(nn.ReLU, inplace=True), rises=True, writes=True),
    calling("relu", "relu", functional.relu, rises=True),
    calling("relu_", "relu", torch.relu_, rises=True, writes=True),
    calling("Tensor.relu", "relu", Tensor.relu, rises=True),
    module("hardtanh", nn.ReLU6, rises=True),
    calling("relu6, in place", "hardtanh", partial(functional.relu6, inplace=True), rises=True, writes=True),
    calling("hardtanh 0..6", "hardtanh", partial(functional.hardtanh, min_val=0.0, max_val=6.0), rises=True),
    module("leaky_relu", partial(nn.LeakyReLU, 0.1), rises=True),
    module("leaky_relu", partial(nn.LeakyReLU, 0.3, inplace=True), rises=True, writes=True),
    calling("leaky_relu 0.2", "leaky_relu", partial(functional.leaky_relu, negative_slope=0.2), rises=True),
    module("prelu", nn.PReLU, rises=True),
    part("PReLU of each channel", "prelu", lambda channels, *_: nn.PReLU(channels), rises=True),
)

SMOOTH: tuple[Part, ...] = (
    *(module("silu", nn.SiLU), module("silu", partial(nn.SiLU, inplace=True), writes=True), module("gelu", nn.GELU)),
    *(module("gelu", partial(nn.GELU, "tanh")), module("hardswish", nn.Hardswish), module("mish", nn.Mish)),
    *(module("elu", partial(nn.ELU, 0.7)), module("selu", nn.SELU), module("celu", partial(nn.CELU, 0.5))),
    *(module("softplus", nn.Softplus), module("sigmoid", nn.Sigmoid), module("tanh", nn.Tanh)),
    *(module("hardsigmoid", nn.Hardsigmoid), module("softsign", nn.Softsign), module("log_sigmoid", nn.LogSigmoid)),
    *(module("hardshrink", partial(nn.Hardshrink, 0.2)), module("softshrink", partial(nn.Softshrink, 0.2))),
    *(module("threshold", partial(nn.Threshold, 0.1, -0.3)), module("clamp", partial(nn.Hardtanh, -1.0, 2.0))),
    calling("clamp at 0.2", "clamp", lambda x: x.clamp(0.2)),
    calling("clamp to 1.5", "clamp", lambda x: torch.clamp(x, max=1.5)),
    calling("x * sigmoid(x)", "silu", lambda x: x * torch.sigmoid(x)),
    calling("x * hardsigmoid(x)", "hardswish", lambda x: x * functional.hardsigmoid(x)),
)

NUMBERS: tuple[Part, ...] = (
    calling("abs", "abs", torch.abs),
    calling("x + sign(x)", "sign add", lambda x: x + 0.1 * torch.sign(x)),
    calling("x * x", "product", lambda x: x * x),
    calling("x**2", "pow", lambda x: x**2),
    calling("x**tensor", "pow", lambda x: torch.pow(x.abs() + 0.1, torch.tensor(1.5, dtype=torch.float64))),
    calling("root", "sqrt", lambda x: (x**2 + 0.1).sqrt()),
    calling("one over root", "rsqrt", lambda x: (x**2 + 0.5).rsqrt()),
    calling("reciprocal", "reciprocal", lambda x: (x.abs() + 0.5).reciprocal()),
    calling("exp", "exp", lambda x: torch.exp(-x.abs())),
    calling("log", "log", lambda x: (x.abs() + 0.5).log()),
    calling("log1p", "log1p", lambda x: x.abs().log1p()),
    calling("over its size", "quotient", lambda x: x / (x.abs() + x * x + 0.5)),
    calling("half", "div add", lambda x: x / 2 + 0.0, rises=True),
    calling("less a constant", "sub", lambda x: x - 0.3),
    part("times a buffer", "mul", lambda c, *_: Called(_scaled_by(c), "times a buffer"), rises=True),
)


def _scaled_by(channels: int) -> Callable[[Tensor], Tensor]:
    factors = torch.linspace(0.5, 1.5, channels, dtype=torch.float64).view(1, -1, 1, 1)
    return lambda x: x * factors.to(x.dtype)
