"""A network kind: COUNT oriented gratings as the filters of one convolution, such as "stripes:8"."""

import math

import torch
from torch import nn

from layerscope.core.errors import UsageError
from layerscope.core.networks import NetworkKind
from layerscope.core.records import Input
from layerscope.models import Loaded

SIDE, PERIOD = 9, 4.0


def load(network, *, weights, with_weights):
    count = network.partition(":")[2]
    if not count.isdecimal() or not 1 <= int(count) <= 64:
        raise UsageError(f'"{network}": write how many stripes, 1 to 64, such as stripes:8')
    rows, cols = torch.meshgrid(torch.arange(SIDE) - SIDE // 2, torch.arange(SIDE) - SIDE // 2, indexing="ij")
    bank = nn.Conv2d(3, int(count), SIDE, padding=SIDE // 2, bias=False)
    for number, kernel in enumerate(bank.weight.data):
        angle = math.pi * number / int(count)
        kernel[:] = torch.cos(2 * math.pi / PERIOD * (math.cos(angle) * cols + math.sin(angle) * rows)) / SIDE**2
    model = nn.Sequential(bank, nn.ReLU(), nn.MaxPool2d(2))
    return Loaded(name=network, model=model, input=Input(height=64, width=64, mean=(0.5,) * 3, std=(0.25,) * 3))


stripes = NetworkKind(
    name="stripes", sentence="a bank of oriented gratings", form="stripes:COUNT", prefix="stripes:", load=load,
    samples=("stripes:8",),
)  # fmt: skip
