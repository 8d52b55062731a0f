"""A user's module becomes an exported program: copied first, its batch free, and what fails told in one sentence.

`torch.export` with a dynamic batch turns modules, functions and in-place calls alike into ATen calls without side
effects, so that a ReLU is a ReLU however it was written.
"""

import copy
import inspect
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram, export

from layerscope.core.errors import TraceError


def exported(model: nn.Module, shape: tuple[int, int, int]) -> ExportedProgram:
    """Export a copy of a module for inputs of this shape (channels, height, width), in evaluation mode.

    Raises TraceError where the model cannot be exported or takes more than one input.
    """
    try:
        model = copy.deepcopy(model).eval()
    except Exception as error:
        raise TraceError(f"the model cannot be copied ({_first_line(error)}); trace it before it is run") from error
    _one_input(model)
    example = torch.zeros((2, *shape), dtype=_dtype(model), device=_device(model))
    return _exported(model, example)


def _one_input(model: nn.Module) -> None:
    """Refuse a model that needs more than one argument, by their names."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    given = inspect.signature(model.forward).parameters.values()
    needed = [p.name for p in given if p.kind in kinds and p.default is inspect.Parameter.empty]
    if len(needed) > 1:
        listed = ", ".join(needed)
        name = type(model).__name__
        raise TraceError(f"{name} takes {len(needed)} inputs ({listed}); only networks of one picture are known")


@contextmanager
def quiet() -> Iterator[None]:
    """Exporting tells its own story in warnings and logs; ours is one sentence."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _exported(model: nn.Module, example: Tensor) -> ExportedProgram:
    with quiet(), torch.no_grad():
        try:
            return export(model, (example,), dynamic_shapes=({0: Dim("batch", min=1)},))
        except Exception as error:
            raise TraceError(
                f"{type(model).__name__} cannot be exported for an input of {list(example.shape[1:])}: "
                f"{_first_line(error)}; torch.export must succeed with a dynamic batch "
                "(one picture tensor as its only input, no Python branches on values)"
            ) from error


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".:")[:240]


def _dtype(model: nn.Module) -> torch.dtype:
    return next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)


def _device(model: nn.Module) -> torch.device:
    return next((p.device for p in model.parameters()), torch.device("cpu"))
