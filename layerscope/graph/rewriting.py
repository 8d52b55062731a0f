"""How a call of a program's graph is rewritten: by a function that gives it another target and other arguments."""

from collections.abc import Callable
from typing import Any

from torch._ops import OpOverload
from torch.fx import Node as FxNode

from layerscope.graph.args import bind

Arguments = dict[str, Any]
# The row's own target and arguments for a call, or None where it is another operation.
Rewriting = Callable[[FxNode, Arguments], tuple[OpOverload, Arguments] | None]


def rewrite(fx: FxNode, rewriting: Rewriting) -> None:
    """Rewrite a call in place, where the rewriting is for it."""
    found = rewriting(fx, bind(fx.target, fx.args, fx.kwargs))  # type: ignore[arg-type]
    if found is not None:
        fx.target, arguments = found
        schema = [argument for argument in fx.target._schema.arguments if argument.name in arguments]
        fx.args = tuple(arguments[argument.name] for argument in schema if not argument.kwarg_only)
        fx.kwargs = {argument.name: arguments[argument.name] for argument in schema if argument.kwarg_only}


def before(fx: FxNode, target: OpOverload, *args: Any) -> FxNode:
    """A further call in front of this one, in its place of the network; its shapes are those that it gives."""
    with fx.graph.inserting_before(fx):
        made = fx.graph.call_function(target, args)
    values = [arg.meta["val"] if isinstance(arg, FxNode) else arg for arg in args]
    made.meta = {**fx.meta, "val": target(*values)}
    return made
