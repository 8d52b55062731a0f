"""The user's own network and the graph made of it, each on its own input: what the two give, layer by layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from layerscope.core.errors import TraceError
from layerscope.core.quiet import quiet
from layerscope.core.records import Input
from layerscope.graph.in_step import InStep, Reading, gap
from layerscope.graph.read import read
from layerscope.graph.replay import BOUNDS
from layerscope.graph.trace import prepared


@dataclass(frozen=True, kw_only=True)
class RunsApart:
    """How far two runs are apart. gaps: by the name of a layer or output, in execution order, as a share of the largest
    magnitude there. outputs: those of the names that are outputs. bound: what rounding is allowed."""

    gaps: Mapping[str, float]
    outputs: tuple[str, ...]
    bound: float

    @property
    def first(self) -> str:
        """The first that differs; "" where none does."""
        return next((name for name, found in self.gaps.items() if not found <= self.bound), "")

    @property
    def largest(self) -> tuple[str, float]:
        """Where the two are farthest apart, and how far."""
        return max(self.gaps.items(), key=lambda item: item[1], default=("", 0.0))


class Pair:
    """A network in evaluation mode, and the graph made of it. Raises TraceError where it cannot be traced."""

    def __init__(
        self, model: nn.Module | ExportedProgram, input: Input, unloaded: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        found = read(model, input, unloaded=unloaded)
        self.module = prepared(model).module if isinstance(model, nn.Module) else model.module()
        self._reading = Reading(found.program, found.traced.recipe, found.layers, found.traced.returned)

    def apart(self, own: Tensor, ours: Tensor, returned: Sequence[Tensor] | None = None) -> RunsApart:
        """The network on one input beside the graph on another. returned: what other software returned for the first,
        in place of the module's outputs. Raises TraceError where the network cannot be run."""
        program = self._reading.program
        bound = BOUNDS[program.dtype]
        with quiet(), torch.no_grad():
            run = InStep(self.module, program, self._reading, own, bound, given=ours)
        failed = run.failed or run.stuck[1]
        if failed:
            raise TraceError(f"the network cannot be run on these pictures: {failed}")
        gaps = run.compared()
        outputs = tuple(name for name in gaps if name in self._reading.outputs)
        if returned is not None:
            gaps |= self._of_outputs(ours, returned)
        return RunsApart(gaps=gaps, outputs=outputs, bound=bound)

    def _of_outputs(self, ours: Tensor, returned: Sequence[Tensor]) -> dict[str, float]:
        places = self._reading.outputs
        values = self._reading.program.run(ours, {node for _, node in places.values()})
        return {name: gap(values[node], returned[place]) for name, (place, node) in places.items()}
