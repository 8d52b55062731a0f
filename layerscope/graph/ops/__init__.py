"""THE table of operations: a row for each, ours and those of other packages, and what has none, with the reason.

To add an operation, add a row to the module that its kind belongs to, or name one in a package of your own, under the
entry points `layerscope.operations` (docs/add-an-op.md); nothing else changes.
"""

from collections.abc import Mapping
from importlib.metadata import EntryPoint

from torch._ops import OpOverload

from layerscope.core.errors import UsageError
from layerscope.core.readers import OPERATIONS as OPERATIONS_GROUP
from layerscope.core.registry import Registry
from layerscope.graph.ops import (
    activations,
    channels,
    conv,
    gate,
    join,
    moments,
    norm,
    pad,
    pointwise,
    pool,
    reduce,
    resample,
    shape,
    statistics,
)
from layerscope.graph.ops.refused import REASONS
from layerscope.graph.ops.table import Op

_MODULES = (
    *(conv, pool, reduce, pointwise, activations, gate, norm, statistics, moments),
    *(join, shape, channels, resample, pad),
)
ROWS: tuple[Op, ...] = tuple(row for module in _MODULES for row in module.ROWS)


class OperationRegistry(Registry[Op]):
    """The rows by name, and by the ATen overloads that they speak for: one row for each."""

    def __init__(self) -> None:
        super().__init__("operation", OPERATIONS_GROUP, Op, ROWS)
        self._targets: dict[OpOverload, Op] = {}
        self._by_name: dict[str, tuple[OpOverload, Op]] = {}
        self._made_of: Mapping[str, EntryPoint] | None = None

    @property
    def targets(self) -> Mapping[OpOverload, Op]:
        """The row of every overload that one speaks for."""
        guests = self.guests
        if guests is not self._made_of:
            rows = tuple(self) if guests else ROWS
            self._targets = {target: row for row in rows for target in row.targets}
            self._by_name = {str(target): (target, row) for target, row in self._targets.items()}
            self._made_of = guests
        return self._targets

    def named(self, name: str) -> tuple[OpOverload, Op] | None:
        """The overload of this name ("aten.relu.default") and its row, if one speaks for it."""
        if self.guests is not self._made_of:
            _ = self.targets
        return self._by_name.get(name)

    def declined(self) -> dict[str, str]:
        """What is known and has no row, with the reason for each."""
        spoken_for = {str(target).rsplit(".", 1)[0] for target in self.targets}
        return {name: reason for name, reason in REASONS.items() if name not in spoken_for}

    def _load(self, point: EntryPoint) -> Op:
        row = super()._load(point)
        for other in self.names:
            if other == point.name:
                break
            taken = self._taken(other, row)
            if taken:
                raise UsageError(
                    f'the operation "{row.name}" speaks for {taken[0]}, for which "{other}" speaks already: '
                    "take that target out of the row"
                )
        return row

    def _taken(self, other: str, row: Op) -> list[str]:
        try:
            return [str(target) for target in self.known(other).targets if target in row.targets]
        except UsageError:  # a row that cannot be loaded speaks for nothing
            return []


OPERATIONS = OperationRegistry()
assert len({target for row in ROWS for target in row.targets}) == sum(len(row.targets) for row in ROWS)
