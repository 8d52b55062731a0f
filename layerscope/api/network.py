"""Network: a traced CNN that users hold, with its layers, activations and projections."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerscope.api import notebook
from layerscope.api.arguments import batch_of, indices
from layerscope.core.errors import LayerscopeError, UnknownOp, UnsupportedMethod, UsageError, nearest
from layerscope.core.methods import METHODS
from layerscope.core.records import Input, Projections
from layerscope.core.records import LayerRecord as Layer
from layerscope.core.replay import Replay
from layerscope.graph import Carrier, fields_of, layers_of
from layerscope.graph.blocks import module_calls
from layerscope.graph.program import describe
from layerscope.project.cone import Entries
from layerscope.project.plan import forwarded_cropped
from layerscope.project.run import project


class Network:
    """A traced CNN: its layers, what they compute, and where each of their positions looks.

    name: as printed and stored. input: what it expects. program: the graph with its weights. layers: every layer in
    execution order; those that `auto` means say so. classes: the names of its outputs, empty where nobody says them.
    remarks: what a user should know of how it was loaded and read, one sentence each. replay: what came of comparing
    the program with the user's own network; None where nobody did.
    """

    def __init__(
        self, name: str, input: Input, program: Carrier, classes: tuple[str, ...] = (), remarks: tuple[str, ...] = (),
        replay: Replay | None = None,
    ) -> None:  # fmt: skip
        self.name, self.input, self.program, self.classes, self.remarks = name, input, program, classes, remarks
        self.replay = replay
        self.layers: tuple[Layer, ...] = layers_of(program.graph, fields_of(program.graph))
        self._by_name = {alias: layer for layer in self.layers for alias in (*layer.aliases, layer.name)}

    def __contains__(self, name: object) -> bool:
        """True for the name or alias of a layer that can be had."""
        return name in self._by_name

    def __getitem__(self, name: Any) -> Layer:
        """The layer of this name or alias. Raises UnknownOp behind a refused operation, UsageError for all else."""
        if not isinstance(name, str):
            raise UsageError(f"{self.name}: a layer is asked for by its name, not by {_instead(name, self._by_name)}")
        if name not in self._by_name:
            raise self._missing(name)
        return self._by_name[name]

    def _missing(self, name: str) -> LayerscopeError:
        """Why there is no such layer."""
        graph = self.program.graph
        calls = module_calls(graph)
        leaving = calls[name].leaving if name in calls else tuple(n.id for n in graph.nodes if n.name == name)
        had = [layer.name for layer in self.layers if layer.node in leaving]
        if had:
            return UsageError(
                f'"{name}" of {self.name} gives {len(leaving)} outputs and means none of them; what can be had: '
                f"{', '.join(had)}"
            )
        behind = sorted({stuck for node in leaving for stuck in graph.lost[node]})
        if behind:
            return UnknownOp(
                f'layer "{name}" cannot be had: {describe(graph.nodes[i] for i in behind)}. '
                "layerscope ops lists the rows; docs/add-an-op.md shows how to add one"
            )
        return UsageError(f'{self.name} has no layer "{name}"{nearest(name, self._by_name)}')

    def __repr__(self) -> str:
        chosen = sum(layer.auto for layer in self.layers)
        return f"<Network {self.name}: {len(self.layers)} layers, {chosen} of them auto, input {self.input.shape}>"

    def _repr_html_(self) -> str:
        said = self.replay.said if self.replay else ""
        return notebook.network_html(self.name, self.input, self.layers, said)

    def on(self, device: str) -> "Network":
        """The same network on another device, as PyTorch names it. Raises UsageError where there is none."""
        try:
            if device == "cpu":
                return self
            return Network(self.name, self.input, self.program.to(device), self.classes, self.remarks, self.replay)
        except (RuntimeError, AssertionError) as error:
            raise UsageError(f'the device "{device}" cannot be used: {str(error).splitlines()[0]}') from error

    def activations(self, x: np.ndarray | Tensor, layer: Any) -> np.ndarray:
        """What a layer computes: [n, units, rows, cols], or [n, units] for a dense layer, in the model's dtype.

        x: the network's input [n, c, h, w], already preprocessed. What NumPy does not have, bfloat16, comes as float32.
        """
        node = self[layer].node
        values = self.program.run(batch_of(x, self.name, self.input.shape), {node})[node].contiguous().cpu()
        return (values.float() if values.dtype is torch.bfloat16 else values).numpy()

    def project(
        self,
        x: np.ndarray | Tensor,
        layer: Any,
        *,
        image: Sequence[int],
        unit: Sequence[int],
        row: Sequence[int],
        col: Sequence[int],
        method: str = "deconvnet",
    ) -> Projections:
        """Carry activations of one layer back to pixels; each starts from its own value.

        x: the network's input [n, c, h, w]. image, unit, row, col: which activations, one entry per projection
        (row = col = 0 for dense layers). method: "deconvnet", "guided" or "gradient".
        Raises UnsupportedMethod for another method, UsageError for places that do not exist.
        """
        if method not in METHODS:
            raise UnsupportedMethod(f'there is no method "{method}"; the methods are {", ".join(METHODS.names)}')
        x, chosen = batch_of(x, self.name, self.input.shape), self[layer]
        sizes = {"image": len(x), "unit": chosen.units}
        sizes |= dict(zip(("row", "col"), chosen.map or (1, 1), strict=True))
        if chosen.scan_only:
            raise UnknownOp(f'layer "{chosen.name}" has no projections: {chosen.scan_only}')
        given = {"image": image, "unit": unit, "row": row, "col": col}
        arrays = {key: indices(key, values, sizes[key], chosen.name) for key, values in given.items()}
        if len({len(a) for a in arrays.values()}) != 1:
            raise UsageError("image, unit, row and col must have one entry per projection, all of the same length")
        entries = Entries(node=chosen.node, **arrays)
        cropped = forwarded_cropped(self.program, {entries.node: entries.image}, {entries.node: (method,)})
        return project(self.program, x, entries, method, cropped=entries.node in cropped)


def _instead(given: object, names: Collection[str]) -> str:
    """What was given in a name's place, in words, and the name that it may stand for."""
    if isinstance(given, Layer):
        return f'the layer itself; write "{given.name}"'
    if isinstance(given, torch.nn.Module):
        return f"a module ({type(given).__name__}): a network keeps no modules, only their names"
    hint = f'; did you mean "{given}"?' if str(given) in names else ""
    return f"{given!r} ({type(given).__name__}){hint}"
