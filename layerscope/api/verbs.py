"""The verbs: trace, images, build, open, figure. Each joins rooms and returns one thing."""

from pathlib import Path
from typing import Any

from layerscope.core.errors import UsageError
from layerscope.core.records import Input


def trace(model: Any, input: Input | None = None, *, weights: str | Path | None = None, **options: Any) -> Any:
    """Trace a network: a `torch.nn.Module` with its Input, or a spec such as "torchvision:alexnet"."""
    from layerscope.api.network import Network
    from layerscope.graph import Program, read_program, trace_module
    from layerscope.models import load

    name = type(model).__name__
    if isinstance(model, str | Path):
        loaded = load(str(model), weights=weights)
        model, name, input = loaded.model, loaded.name, input or loaded.input
    if input is None:
        raise UsageError(f"{name} does not say what it expects: input=ls.Input(channels=3, height=224, width=224)")
    traced = read_program(model) if hasattr(model, "graph_signature") else trace_module(model, input.shape)
    return Network(name, input, Program(traced.graph, traced.weights))
