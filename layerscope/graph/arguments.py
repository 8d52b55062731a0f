"""The arguments of a traced call, as the graph keeps them, and what in them stands in the way of running it."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.fx import Node as FxNode

from layerscope.graph.batch import BatchDim, is_number
from layerscope.graph.constants import Constants
from layerscope.graph.ops.calls import BatchSize, NodeInput


class CallArguments:
    """The arguments of one call: maps become NodeInputs, constants Weights, the batch's size its own word."""

    def __init__(self, ids: Mapping[FxNode, int], constants: Constants, batch: BatchDim, name: str) -> None:
        self.ids, self.constants, self.batch, self.name = ids, constants, batch, name
        self.sources: list[int] = []
        self.why, self.counted = "", ""

    def value(self, value: Any, key: str, place: int | None = None) -> Any:
        """An argument, or one entry of a list; `why` says what makes the call one that cannot be run, `counted` what
        of it no row speaks for."""
        if isinstance(value, list | tuple):
            return tuple(self.value(v, key, index) for index, v in enumerate(value))
        if not isinstance(value, FxNode):
            return value
        if value in self.ids:
            self.sources.append(self.ids[value])
            return NodeInput(len(self.sources) - 1)
        if value in self.constants and isinstance(value.meta.get("val"), Tensor):
            wish = f"{self.name}.{key}" if place is None else f"{self.name}.{key}.{place}"
            return self.constants.weight(value, wish)
        if is_number(value):
            return self._size(value, key, place)
        changed = self.constants.changed(value)
        if changed:
            self.why = f'it reads "{changed}", which every run of the network changes'
        self.why = self.why or "it reads a tensor that is no constant: every run makes it anew"
        return f"<{value.name}>"

    def _size(self, fx: FxNode, key: str, place: int | None) -> Any:
        """The batch's size may stand first in a shape, and nowhere else."""
        number, batch = fx.meta["val"], self.batch
        times = batch.times(number)
        # In a shape the pictures may lie in another axis, or be folded with others; nowhere else may they be counted.
        if times is None or key not in ("shape", "size"):
            self.why = self.why or batch.counted(number)
            return f"<{fx.name}>"
        # A first size that is a multiple of the batch's shows in the call's own first axis.
        if place != 0:
            self.counted = self.counted or batch.counted(number)
        return BatchSize(times)
