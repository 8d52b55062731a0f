"""A user's module becomes an exported program: its batch free, nothing printed, and what fails told in one sentence.

`torch.export` with a dynamic batch turns modules, functions and in-place calls alike into ATen calls without side
effects, so that a ReLU is a ReLU however it was written.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import nn
from torch.export import Dim, ExportedProgram, export

from layerscope.core.errors import TraceError
from layerscope.core.failures import require_memory
from layerscope.core.quiet import quiet
from layerscope.graph.failure import sentence
from layerscope.graph.module import signature

# Tensors of the code with at most so many numbers are known while exporting, where the code decides by them.
_KNOWN_NUMBERS = 4096


@contextmanager
def _knowing_small_tensors() -> Iterator[None]:
    """Export with the numbers of tensors that the code itself writes, such as the mean and std of a Normalize."""
    from torch._subclasses import fake_tensor

    before = fake_tensor.CONSTANT_NUMEL_LIMIT
    fake_tensor.CONSTANT_NUMEL_LIMIT = _KNOWN_NUMBERS
    try:
        with torch.no_grad():
            yield
    finally:
        fake_tensor.CONSTANT_NUMEL_LIMIT = before


# Ways to export that cost more or keep more, each only where torch says just this of the first.
_FURTHER_WAYS: tuple[tuple[str, Callable[[], AbstractContextManager[object]]], ...] = (
    # A forward that registers a hook on a tensor, or keeps its gradient, runs only where gradients are on.
    (r"requires?[ _]grad|require gradient", torch.enable_grad),
    (r"data-dependent", _knowing_small_tensors),
)


def exported(model: nn.Module, shape: tuple[int, int, int]) -> ExportedProgram:
    """Export a module for inputs of this shape (channels, height, width), as it is: the caller gives a copy.

    Raises TraceError where the model cannot be exported or takes more than one input.
    """
    example = torch.zeros((2, *shape), dtype=_dtype(model), device=_device(model))
    call = signature(model, example)

    def attempt(way: AbstractContextManager[object]) -> ExportedProgram:
        with quiet(), way:
            return export(model, call.args, call.kwargs, dynamic_shapes=call.dynamic_shapes)

    try:
        return attempt(torch.no_grad())
    except Exception as first:
        doing = f"exporting {type(model).__name__}"
        require_memory(first, doing, kind=TraceError)
        for said, way in _FURTHER_WAYS:
            if re.search(said, str(first)):
                try:
                    return attempt(way())
                except Exception as further:
                    require_memory(further, doing, kind=TraceError)
        with quiet():
            explanation = sentence(first, model, call)
        raise TraceError(explanation) from first


def specialised(program: ExportedProgram, shape: tuple[int, int, int]) -> ExportedProgram:
    """A program whose height or width was left free, for inputs of this shape; any other program as it is."""
    (name,) = program.graph_signature.user_inputs
    value = next(n for n in program.graph.nodes if n.name == name).meta["val"]
    free = [size for size in value.shape[1:] if not isinstance(size, int)]
    if not free:
        return program
    example = torch.zeros((2, *shape), dtype=value.dtype, device=value.device)
    try:
        with quiet(), torch.no_grad():
            return export(program.module(), (example,), dynamic_shapes=({0: Dim("batch", min=1)},))
    except Exception as error:
        require_memory(error, "reading the exported program", kind=TraceError)
        raise TraceError(
            f"the exported program cannot be used for an input of {list(shape)} ({type(error).__name__}); it takes "
            f"{[size if isinstance(size, int) else 'any' for size in value.shape[1:]]}, within the limits that it was "
            "exported with: change the Input, or export the model for this size"
        ) from error


def _dtype(model: nn.Module) -> torch.dtype:
    return next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)


def _device(model: nn.Module) -> torch.device:
    return next((p.device for p in model.parameters()), torch.device("cpu"))
