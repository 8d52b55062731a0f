"""Excitation backprop: with which probability each neuron below the unit won, from the unit down to the pixels."""

import torch
from torch import Tensor

from layerscope.core.methods import Method
from layerscope.graph.ops.calls import Call, NodeInput
from layerscope.graph.ops.rules import Rule, vjp


def _won(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """p(j) = sum over i of p(i) a_j w+_ij / (sum over k of a_k w+_ik); the largest of a pool is its only child."""
    inputs = tuple(x.clamp(min=0) for x in call.tensors)
    if "weight" in call.args:
        call = call.changed(weight=call.once("w+", lambda: call["weight"].clamp(min=0)), bias=None)
    elif "alpha" in call.args:  # a sum or a difference; its constants are biases
        sign = 1 if "add" in str(call.target) else -1
        constants = {name: call[name] * 0 for name in ("self", "other") if not isinstance(call[name], NodeInput)}
        call = call.changed(alpha=sign * max(sign * call["alpha"], 0), **constants)
    total = call.run(*inputs)
    share = torch.where(total > 0, signal / total, 0)
    return tuple(x * back for x, back in zip(inputs, vjp(share, call.knowing(inputs)), strict=True))


def _only_child(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (torch.where(vjp(torch.ones_like(signal), call)[0] > 0, signal, 0),)


RULES = dict.fromkeys(("relu", "hardtanh", "leaky_relu", "silu", "local_response_norm"), Rule(lambda s, call: (s,)))
RULES |= dict.fromkeys(("batch_norm", "mul", "div"), Rule(_only_child))
SUMS = ("conv2d", "linear", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "mean", "add", "sub", "cat")
RULES |= dict.fromkeys(SUMS, Rule(_won, inputs=True))

row = Method(
    name="excitation", starts="one", recovers=False,
    sentence="excitation backprop: the probability with which each input won, through positive weights alone",
    limits="It shows where, not what: it has no sign, and inhibition has no part in it.",
    source="Zhang et al. 2016, section 3.2",
    rules=RULES.get,
)  # fmt: skip
