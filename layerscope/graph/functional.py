"""An exported program without side effects: each call gives a new value, and writes over none.

torch's own way traces the program once more, which costs more than exporting it did. Most networks need only a few of
its steps, each stated here: a call in place becomes its twin; an evaluated batch norm, dropout or flattening becomes
what torch makes of it. A program that holds any other call goes torch's way. Both give the same graph
(tests/unit/graph/test_functional.py).
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from math import ceil
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.export import ExportedProgram
from torch.fx import Node as FxNode

from layerscope.core.errors import TraceError
from layerscope.core.failures import require_memory
from layerscope.core.quiet import quiet
from layerscope.graph.args import bind
from layerscope.graph.ops import OPERATIONS

aten = torch.ops.aten

# How a call is rewritten once it is known that all calls of the program can be.
Rewrite = Callable[[], None]

# Calls beside those of the table that torch leaves as they are: other spellings, sizes and parts, views of a tensor.
SPELT = frozenset(
    [
        aten.stack.default, aten.conv1d.default, aten.neg.default, aten.clamp.default, aten.clamp_min.default,
        aten.clamp_max.default, aten.rsub.Scalar, aten.constant_pad_nd.default,
    ]
)  # fmt: skip
NUMBERS = frozenset([operator.getitem, operator.mul, operator.floordiv, operator.add, operator.sub, aten.sym_size.int])
VIEWS = frozenset(
    [
        aten.view.default, aten.permute.default, aten.transpose.int, aten.unsqueeze.default, aten.squeeze.dim,
        aten.squeeze.dims, aten.slice.Tensor, aten.select.int, aten.split.Tensor, aten.split_with_sizes.default,
        aten.unbind.int, aten.expand.default, aten.t.default,
    ]
)  # fmt: skip
# Calls of the table that may give back the very tensor that they got.
SHARING = frozenset(
    [
        aten.reshape.default, aten.pad.default, aten.pixel_shuffle.default, aten.pixel_unshuffle.default,
        aten.channel_shuffle.default,
    ]
)  # fmt: skip


def without_effects(program: ExportedProgram) -> ExportedProgram:
    """The program without side effects, the short way where that can be; the given one may be rewritten.

    Raises TraceError.
    """
    return program if functional(program) else decomposed(program)


def decomposed(program: ExportedProgram) -> ExportedProgram:
    """Another program without side effects, torch's way. Raises TraceError."""
    try:
        with quiet():
            return program.run_decompositions({})
    except Exception as error:
        require_memory(error, "reading the exported program", kind=TraceError)
        said = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise TraceError(f"the exported program cannot be taken apart into ATen calls: {said[0][:200]}") from error


def functional(program: ExportedProgram) -> bool:
    """Rewrite a program's graph in place where all of its calls are known. False: it needs torch's own way, and is as
    it was."""
    order = {fx: place for place, fx in enumerate(program.graph.nodes)}
    steps: list[Rewrite] = []
    for fx in order:
        if fx.op == "call_function":
            step = _step(fx, order)
            if step is None:
                return False
            steps.append(step)
    for step in steps:
        step()
    program.graph.eliminate_dead_code()
    return True


def _step(fx: FxNode, order: Mapping[FxNode, int]) -> Rewrite | None:
    """What is to be done to a call; None where that is not known here."""
    target = fx.target
    if target in LOWERED:
        return LOWERED[target](fx, _bound(fx))
    if target in OPERATIONS.targets or target in SPELT or target in NUMBERS or target in VIEWS:
        return _nothing
    return _in_place(fx, order) if isinstance(target, OpOverload) and target._schema.is_mutable else None


def _bound(fx: FxNode) -> dict[str, Any]:
    return bind(fx.target, fx.args, fx.kwargs)  # type: ignore[arg-type]


def _nothing() -> None:
    """A call that stays as it is."""


def _in_place(fx: FxNode, order: Mapping[FxNode, int]) -> Rewrite | None:
    """A call that writes over its first argument, as the call that gives a new value, which is read instead from there
    on. Only where no other tensor shares the memory that is written."""
    twin: Any = _twin(fx.target)
    written = _same_memory(fx)
    if twin not in OPERATIONS.targets or not _is_its_own(written[0]):
        return None
    earlier = [user for one in written for user in one.users if order[user] < order[fx]]
    # A number worked out from sizes has no type of its own.
    dtypes = {getattr(source.meta["val"], "dtype", None) for source in fx.all_input_nodes}
    if any(_shares(user) for user in earlier) or dtypes != {fx.meta["val"].dtype}:
        return None

    def step() -> None:
        fx.target = twin
        before: FxNode = fx.args[0]  # type: ignore[assignment]
        before.replace_all_uses_with(fx, delete_user_cb=lambda user: order.get(user, -1) > order[fx])

    return step


def _same_memory(fx: FxNode) -> list[FxNode]:
    """The call that made what is written over, and all that write over it and hand it on."""
    while _twin(fx.target) is not None:
        fx = fx.args[0]  # type: ignore[assignment]
    found = [fx]
    for one in found:
        found.extend(user for user in one.users if _twin(user.target) is not None and user.args[0] is one)
    return found


@cache
def _twin(target: Any) -> OpOverload | None:
    """aten.relu.default for aten.relu_.default; None where there is none with the same arguments."""
    if not isinstance(target, OpOverload):
        return None
    space, name = target._schema.name.split("::")
    packet = getattr(aten, name.removesuffix("_"), None) if space == "aten" and name.endswith("_") else None
    twin = getattr(packet, target._overloadname, None)
    written = [argument.is_write for argument in target._schema.arguments]
    if twin is None or written != [True] + [False] * (len(written) - 1):
        return None
    names = [[argument.name for argument in one._schema.arguments] for one in (target, twin)]
    return twin if names[0] == names[1] and not twin._schema.is_mutable else None


def _is_its_own(fx: FxNode) -> bool:
    """True for a value in memory that the program made for it alone."""
    target: Any = fx.target
    if fx.op != "call_function" or target in SHARING:
        return False
    if target in OPERATIONS.targets or target is aten.batch_norm.default:
        return all(result.alias_info is None for result in target._schema.returns)
    return False


def _shares(fx: FxNode) -> bool:
    """True for a call whose result may lie in the memory of its input."""
    target: Any = fx.target
    return fx.op == "call_function" and (
        target in VIEWS or target in SHARING or (target in LOWERED and target is not aten.batch_norm.default)
        or target is operator.getitem
    )  # fmt: skip


def _batch_norm(fx: FxNode, call: dict[str, Any]) -> Rewrite | None:
    """By the means that were kept in training."""
    if call["training"] or call["running_mean"] is None or call["running_var"] is None:
        return None
    names = ("input", "weight", "bias", "running_mean", "running_var", "momentum", "eps")

    def step() -> None:
        call = _bound(fx)
        with fx.graph.inserting_before(fx):
            norm = fx.graph.call_function(
                aten._native_batch_norm_legit_no_training.default, tuple(call[name] for name in names)
            )
        # Of its three results the first alone is read.
        norm.meta = {**fx.meta, "val": (fx.meta["val"],)}
        fx.target, fx.args, fx.kwargs = operator.getitem, (norm, 0), {}

    return step


def _handed_on(fx: FxNode, call: dict[str, Any]) -> Rewrite | None:
    """Dropout, once a network is trained, and calls about how a tensor lies in memory."""
    if call.get("train") or call.get("training"):
        return None
    return partial(_hand_on, fx)


def _hand_on(fx: FxNode) -> None:
    given: FxNode = fx.args[0]  # type: ignore[assignment]
    fx.replace_all_uses_with(given)
    fx.graph.erase_node(fx)


def _flattened(fx: FxNode, call: dict[str, Any]) -> Rewrite | None:
    before, after = call["self"].meta["val"], fx.meta["val"]
    start, end = (call[name] % max(before.dim(), 1) for name in ("start_dim", "end_dim"))
    if start == end:
        return partial(_hand_on, fx)
    if start == 0 or not all(isinstance(size, int) for size in after.shape[1:]):
        return None

    def step() -> None:
        with fx.graph.inserting_before(fx):
            batch = fx.graph.call_function(aten.sym_size.int, (fx.args[0], 0))
        batch.meta = {**fx.meta, "val": before.shape[0]}
        _seen_as(fx, [batch, *map(int, after.shape[1:])])

    return step


def _expanded(fx: FxNode, call: dict[str, Any]) -> Rewrite | None:
    """As large as another map: its sizes, of which the batch alone is free."""
    sizes = call["other"].meta["val"].shape
    if not all(isinstance(size, int) for size in sizes[1:]):
        return None

    def step() -> None:
        other = fx.args[1]
        with fx.graph.inserting_before(fx):
            batch = fx.graph.call_function(aten.sym_size.int, (other, 0))
        batch.meta = {**fx.meta, "val": sizes[0]}
        fx.target, fx.args, fx.kwargs = aten.expand.default, (fx.args[0], [batch, *map(int, sizes[1:])]), {}

    return step


def _reshaped(fx: FxNode, call: dict[str, Any]) -> Rewrite | None:
    return lambda: _seen_as(fx, _bound(fx)["shape"])


def _seen_as(fx: FxNode, shape: Sequence[Any]) -> None:
    """A reshape as a view where memory allows it, else as one of a copy."""
    given: FxNode = fx.args[0]  # type: ignore[assignment]
    target = aten.view.default if _lies_well(given.meta["val"], fx.meta["val"]) else aten._unsafe_view.default
    fx.target, fx.args, fx.kwargs = target, (given, list(shape)), {}


def _lies_well(given: Tensor, wanted: Tensor) -> bool:
    """True where a tensor's memory can be read in another shape."""
    try:
        given.view(wanted.shape)
    except (RuntimeError, ValueError):
        return False
    return True


def _chunked(fx: FxNode, call: dict[str, Any]) -> Rewrite | None:
    size = call["self"].meta["val"].shape[call["dim"]]
    if not isinstance(size, int):
        return None

    def step() -> None:
        fx.target, fx.kwargs = aten.split.Tensor, {}
        fx.args = (fx.args[0], ceil(size / call["chunks"]), call["dim"])

    return step


LOWERED: dict[Any, Callable[[FxNode, dict[str, Any]], Rewrite | None]] = {
    aten.batch_norm.default: _batch_norm,
    aten.dropout.default: _handed_on,
    aten.dropout_.default: _handed_on,
    aten.feature_dropout.default: _handed_on,
    aten.feature_dropout_.default: _handed_on,
    aten.contiguous.default: _handed_on,
    aten.flatten.using_ints: _flattened,
    aten.reshape.default: _reshaped,
    aten.chunk.default: _chunked,
    aten.expand_as.default: _expanded,
}
