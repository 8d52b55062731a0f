"""What the modules of the user's own network return, caught by hooks: nothing of layerscope takes part."""

from collections import Counter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import layerscope as ls


def outputs(module: nn.Module, x: np.ndarray, layers: list[ls.Layer]) -> dict[str, np.ndarray]:
    """What the modules of the layers' names gave for one picture, by name; without those that gave no such map."""
    wanted = {alias: layer for layer in layers for alias in (*layer.aliases, layer.name)}
    found: dict[str, np.ndarray] = {}
    times: Counter[str] = Counter()

    def keep(path: str, output: Any) -> None:
        times[path] += 1
        layer = wanted.get(path if times[path] == 1 else f"{path}@{times[path]}")
        if layer is not None and isinstance(output, Tensor) and tuple(output.shape[1:]) == _shape(layer):
            found[layer.name] = output[0].detach().clone().numpy()

    hooks = [
        part.register_forward_hook(lambda _module, _given, output, path=path: keep(path, output))
        for path, part in module.named_modules()
        if path
    ]
    try:
        with torch.no_grad():
            module(torch.from_numpy(np.ascontiguousarray(x))[None])
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _shape(layer: ls.Layer) -> tuple[int, ...]:
    return (layer.units, *(layer.map or ()))
