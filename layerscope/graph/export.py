"""A user's module becomes an exported program: its batch free, nothing printed, and what fails told in one sentence.

`torch.export` with a dynamic batch turns modules, functions and in-place calls alike into ATen calls without side
effects, so that a ReLU is a ReLU however it was written.
"""

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import torch
from torch import nn
from torch.export import ExportedProgram, export

from layerscope.core.errors import TraceError
from layerscope.graph.failure import sentence
from layerscope.graph.module import signature

# A forward that registers a hook on a tensor, or keeps its gradient, runs only where gradients are on.
_WANTS_GRADIENTS = re.compile(r"requires?[ _]grad|require gradient")


def exported(model: nn.Module, shape: tuple[int, int, int]) -> ExportedProgram:
    """Export a module for inputs of this shape (channels, height, width), as it is: the caller gives a copy.

    Raises TraceError where the model cannot be exported or takes more than one input.
    """
    example = torch.zeros((2, *shape), dtype=_dtype(model), device=_device(model))
    call = signature(model, example)
    with quiet():
        for gradients in (False, True):
            try:
                with torch.set_grad_enabled(gradients):
                    return export(model, call.args, call.kwargs, dynamic_shapes=call.dynamic_shapes)
            except Exception as error:
                if not gradients and _WANTS_GRADIENTS.search(str(error)):
                    continue
                raise TraceError(sentence(error, model, example)) from error
    raise AssertionError("the second try returns or raises")


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


def _dtype(model: nn.Module) -> torch.dtype:
    return next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)


def _device(model: nn.Module) -> torch.device:
    return next((p.device for p in model.parameters()), torch.device("cpu"))
