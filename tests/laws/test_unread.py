"""A device whose numbers nobody reads: PyTorch's "meta" has shapes alone, so that whoever asks for a number fails.

A GPU gives it, and the host waits for all calls before it. So what runs here waits for nothing there; and it mixes no
tensors of two devices, which a GPU refuses. A GPU's own kernels, and its times, are not seen here.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from layerscope.core.methods import METHODS
from layerscope.core.records import Batch
from layerscope.graph.ops import ROWS
from layerscope.graph.ops.table import Op
from layerscope.project.cone import CachedCones, CachedMaps, Entries, carry_back, forward_cones, needed_maps
from layerscope.project.extents import extents_of
from layerscope.project.run import activations_at
from layerscope.scan import scan_in_steps
from layerscope.scan.proposed import Bounds, Proposing
from layerscope.testing.ops import cases
from layerscope.testing.slow import slow_paths
from tests.helpers.networks import CASES, Case
from tests.helpers.sweep import swept
from tests.laws.checks import traced_case

UNREAD = torch.device("meta")
SIZE = 2


class Crossings(TorchDispatchMode):
    """Notes the calls on tensors of the processor and of the device at once, or that take one to the other."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        tensors = [one for one in tree_leaves((args, kwargs, found)) if isinstance(one, Tensor)]
        if len({tensor.device.type for tensor in tensors}) > 1:
            self.seen.append(str(func))
        return found


def batches(case: Case, count: int) -> Iterator[Batch]:
    """So many full ones, and one of a single image."""
    for first in range(0, count * SIZE + 1, SIZE):
        images = case.images(min(SIZE, count * SIZE + 1 - first))
        ids = np.arange(first, first + len(images))
        yield Batch(ids=ids, pixels=images.astype(np.float32), placements=(), records=())


@pytest.mark.parametrize("proposed", [False, True])
@pytest.mark.parametrize("case", swept(CASES, 6), ids=lambda case: case.name)
def test_a_shard_reads_nothing_before_its_end(case: Case, proposed: bool) -> None:
    """Every batch of it, with sums and sampled images: its pixels are all that goes to the device, and nothing comes
    back; at the end everything does, at once. A shard that is looked at batch by batch fails at the first."""
    net = traced_case(case)
    program, layers = net.program.to(UNREAD), net.layers
    count, k = 5, 3

    def steps() -> Iterator[int]:
        proposing = Proposing(program, layers, Bounds({}), k) if proposed else None
        sample, some = dict.fromkeys([0, 3, 4], 0), batches(case, count)
        yield from scan_in_steps(program, layers, some, k=k, batch_size=SIZE, sample=sample, proposing=proposing)

    running = steps()
    with Crossings() as crossings:
        next(running)
        begun = len(crossings.seen)
        for _ in range(count):
            next(running)
    assert crossings.seen[begun:] == ["aten._to_copy.default"] * count
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        next(running)
    with slow_paths("one wait a shard"), pytest.raises((NotImplementedError, RuntimeError), match="meta tensor"):
        next(steps())


@pytest.mark.parametrize("case", swept(CASES, 6), ids=lambda case: case.name)
def test_signals_are_carried_back_on_the_device(case: Case) -> None:
    """By every method, from every layer, on whole images and on cones alone."""
    net = traced_case(case)
    program = net.program.to(UNREAD)
    x = torch.from_numpy(case.images(3))
    for layer in (one for one in net.layers if not one.scan_only):
        rows, cols = (np.array([0, size // 2, size - 1]) for size in layer.map or (1, 1))
        entries = Entries(layer.node, np.array([0, 1, 2]), np.zeros(3, np.int64), rows, cols)
        cones = forward_cones(program, x, entries)
        for method in METHODS.names:
            extents = extents_of(program, layer.node, rows, cols, method)
            maps = program.run(x, needed_maps(program, layer.node, method) | {layer.node})
            values = activations_at(maps[layer.node], entries)
            for cache in (CachedMaps(maps, entries), CachedCones(*cones)):
                assert carry_back(program, entries, values, cache, method, extents).device == UNREAD


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_makes_nothing_on_another_device(row: Op) -> None:
    """Its call and its rules, on its samples: whatever they make of their own lies where their inputs lie."""
    for case in cases(row):
        args = {name: _unread(value) for name, value in case.call.args.items()}
        inputs, call = tuple(x.to(UNREAD) for x in case.inputs), replace(case.call, args=args, memo={})
        output = call.run(*inputs)
        assert output.device == UNREAD
        for rule in map(row.rule, METHODS.names):
            known = call.knowing(inputs if rule.inputs else (), output if rule.output else None)
            assert {part.device for part in rule(torch.empty_like(output), known)} == {UNREAD}


def _unread(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_unread(one) for one in value)
    return value.to(UNREAD) if isinstance(value, Tensor) else value
