"""The same network in numbers of another type."""

import torch

from layerscope.graph import Carrier, Program


def cast(program: Carrier, dtype: torch.dtype) -> Program:
    """Its weights in a type of floating-point numbers; integers and truth values stay what they are."""
    weights = {name: w.to(dtype) if w.is_floating_point() else w for name, w in program.weights.items()}
    return Program(program.graph, weights)
