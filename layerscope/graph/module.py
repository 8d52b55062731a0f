"""The user's module: which of its wrappers is taken off, how it is copied, and what it is called with.

Whatever is done to a network is done to a copy. A module that has run in a notebook holds more than weights: results of
its last run, hooks of other tools, a wrapper for several devices; none of this is the network.
"""

import copy
import functools
import gc
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType, FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from layerscope.core.errors import TraceError
from layerscope.core.failures import require_memory

# What only passes its input on to the network that it holds: class -> the attribute that holds it.
WRAPPERS = {
    "torch.nn.parallel.data_parallel.DataParallel": "module",
    "torch.nn.parallel.distributed.DistributedDataParallel": "module",
    "torch.optim.swa_utils.AveragedModel": "module",
    "torch._dynamo.eval_frame.OptimizedModule": "_orig_mod",
}


@dataclass(frozen=True, kw_only=True)
class Copied:
    """A copy of a user's module in evaluation mode. left_out: hooks that the copy does not have, as sentences."""

    module: nn.Module
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Signature:
    """How a module is called with a batch of pictures, and which of its axes is free."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any]
    dynamic_shapes: Any


def bare(model: nn.Module) -> nn.Module:
    """The network inside DataParallel, AveragedModel, `torch.compile` and their kin; its names are the user's own."""
    while (held := WRAPPERS.get(f"{type(model).__module__}.{type(model).__qualname__}")) is not None:
        model = getattr(model, held)
    return model


def copied(model: nn.Module) -> Copied:
    """Copy a module, without the graphs of earlier runs and the hooks of other tools. Raises TraceError.

    Tensors that an earlier run left in attributes are copied as plain values. Forward hooks stay where torch itself
    made them (weight norm, pruning), pre-hooks always: they may make a module's weights.
    """
    scripted = [path for path, m in model.named_modules() if isinstance(m, torch.jit.ScriptModule)]
    if scripted:
        which = f'its part "{scripted[0]}"' if scripted[0] else type(model).__name__
        raise TraceError(
            f"{which} is TorchScript, which keeps no modules that could be traced: give the Python module that it was "
            "made from, with its state dict, or a program of torch.export"
        )
    memo: dict[int, Any] = {id(t): t.detach().clone() for t in _tensors_of(model) if not t.is_leaf}
    try:
        twin = copy.deepcopy(model, dict(memo)).eval()
    except Exception as error:
        require_memory(error, f"copying {type(model).__name__}", kind=TraceError)
        raise TraceError(_not_copied(model, memo, error)) from error
    left_out = []
    for path, module in twin.named_modules():
        left_out += [f"{path or type(twin).__name__}: {hook}" for hook in _without_hooks(module)]
        if isinstance(module, nn.DataParallel):
            module.device_ids = []  # a wrapped part runs where it lies
        if type(module).__module__.startswith("ultralytics.") and hasattr(module, "dynamic"):
            # Else a detector's head keeps the grid of the first batch, its size with it.
            vars(module)["dynamic"] = True
    return Copied(module=twin, left_out=tuple(left_out))


def signature(model: nn.Module, example: Tensor) -> Signature:
    """How to call a module with one batch of pictures. Raises TraceError where it takes none, or more than one."""
    name, free = type(model).__name__, {0: Dim("batch", min=1)}
    if type(model).forward is nn.Module.forward and "forward" not in vars(model):
        raise TraceError(f"{name} has no forward: it holds modules, but does not say how they follow each other")
    given = list(inspect.signature(model.forward).parameters.values())
    required = [p.name for p in given if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if len(required) > 1:
        raise TraceError(
            f"{name} takes {len(required)} inputs ({', '.join(required)}); only networks of one picture are known: "
            f"give the part that sees one picture{_part_of(model)}, a module with one input that calls this one, or a "
            f"value for each of the others, as --bind {required[1]}=none"
        )
    first = next((p for p in given if p.name in required), next(iter(given), None))
    if first is None or first.kind is first.VAR_KEYWORD:
        raise TraceError(f"{name}.forward takes no picture: its first argument must be a batch of pictures")
    if first.kind is first.KEYWORD_ONLY:
        return Signature(kwargs={first.name: example}, dynamic_shapes={first.name: free})
    # What a star collects is one more tuple.
    return Signature(
        args=(example,), kwargs={}, dynamic_shapes=((free,) if first.kind is first.VAR_POSITIONAL else free,)
    )


def _part_of(model: nn.Module) -> str:
    """An example of a part, where a module with parts of its own is there."""
    parts = [path for path, part in model.named_children() if any(True for _ in part.parameters())]
    return f', such as its "{parts[0]}"' if parts else ""


_OPAQUE = (type, ModuleType, FunctionType, FrameType, str, bytes, int, float)


def _tensors_of(model: nn.Module) -> Iterator[Tensor]:
    """Every tensor that a module holds, in whatever attribute, container or object."""
    todo: list[Any] = [model]
    seen = {id(model)}
    while todo:
        held = todo.pop()
        if isinstance(held, Tensor):
            yield held
        for inner in () if isinstance(held, Tensor) else gc.get_referents(held):
            if id(inner) not in seen and not isinstance(inner, _OPAQUE):
                seen.add(id(inner))
                todo.append(inner)


def _not_copied(model: nn.Module, memo: dict[int, Any], error: Exception) -> str:
    """Which attribute cannot be copied, in one sentence."""
    for path, module in model.named_modules():
        for key, value in vars(module).items():
            if key == "_modules":
                continue
            try:
                copy.deepcopy(value, dict(memo))
            except Exception as reason:
                where = f"{path}.{key}" if path else key
                return (
                    f'the model cannot be copied: its attribute "{where}" ({type(value).__name__}) cannot '
                    f"({_said(reason)}); take it off before tracing, for example with del model.{where}"
                )
    return f"the model cannot be copied ({_said(error)})"


def _said(error: Exception) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:160]}" if lines else type(error).__name__


def _without_hooks(module: nn.Module) -> list[str]:
    """Take the hooks of other tools off a copy; what was taken off and could change values, in words."""
    module._backward_hooks.clear()
    module._backward_pre_hooks.clear()
    foreign = {key: hook for key, hook in module._forward_hooks.items() if not _is_torchs(hook)}
    for key in foreign:
        del module._forward_hooks[key]
        module._forward_hooks_with_kwargs.pop(key, None)
        module._forward_hooks_always_called.pop(key, None)
    return [_described(hook) for hook in foreign.values()]


def _plain(hook: Callable[..., Any]) -> Any:
    """The function or object behind a partial or a method."""
    while isinstance(hook, functools.partial):
        hook = hook.func
    return getattr(hook, "__func__", hook)


def _is_torchs(hook: Callable[..., Any]) -> bool:
    hook = _plain(hook)
    home = hook.__module__ if isinstance(hook, FunctionType) else type(hook).__module__
    return (home or "").partition(".")[0] == "torch"


def _described(hook: Callable[..., Any]) -> str:
    hook = _plain(hook)
    code = getattr(hook, "__code__", None)
    name = getattr(hook, "__qualname__", type(hook).__qualname__)
    return f"{name} (line {code.co_firstlineno} of {code.co_filename})" if code else name
