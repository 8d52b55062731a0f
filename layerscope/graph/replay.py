"""The replay: the user's own network and the graph made of it, run on the same pictures and compared everywhere.

Whatever was read wrongly ends here. Both run in float64 where that can be: rounding is so small there that even another
eps is seen. Beside them runs the program as it is used, on one picture alone: what depends on the other pictures of a
batch is another number there.
"""

import copy
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.utils._pytree import tree_leaves

from layerscope.core.quiet import quiet
from layerscope.core.records import Input
from layerscope.core.replay import Replay
from layerscope.graph.awake import turn, turned, wake
from layerscope.graph.constants import WeightsRecipe
from layerscope.graph.graph import Graph
from layerscope.graph.in_step import InStep, Reading, called, gap, values
from layerscope.graph.ops.calls import Weight
from layerscope.graph.program import Program
from layerscope.graph.rounding import allowed

REPLAYED_PICTURES = 3
# How often a network of which a call changed nothing is run once more, on other pictures and with other weights.
TRIES = 3
# What rounding may do, as a share of a layer's largest magnitude: measured over torchvision's networks
# (docs/decisions/014-replay-proof.md).
BOUNDS = {torch.float64: 1e-9, torch.float32: 1e-3, torch.float16: 0.3, torch.bfloat16: 0.3}
# Multiplications a picture up to which float64 is worth its time: processors have no fast convolutions for it.
MOST_IN_FLOAT64 = 12e9


def replay(model: nn.Module | ExportedProgram, reading: Reading, input: Input) -> Replay:
    """Compare a network with the program made of it.

    model: the copy that was traced, in evaluation mode; it is run, and so for nobody else. input: in whose range the
    pictures are drawn.
    """
    module = model if isinstance(model, nn.Module) else model.module()
    pictures = _pictures(input, _batch(model)).to(reading.program.device)
    with _as_it_was():
        found = _replayed(module, reading, pictures)
        if not found.pictures:  # a hook on a tensor, for one, needs gradients
            with torch.enable_grad():
                found = _replayed(module, reading, pictures)
    return found


def multiplications(graph: Graph) -> int:
    """How many multiplications a picture takes in convolutions and dense layers."""
    weighted = [node for node in graph.nodes if isinstance(node.args.get("weight"), Weight) and node.shape]
    return sum(prod(node.args["weight"].shape[1:]) * prod(node.shape) for node in weighted)


def _replayed(module: nn.Module, reading: Reading, pictures: Tensor) -> Replay:
    program = reading.program
    # First, so that what a run changes in the network is seen by the next.
    alone = _returned(module, pictures[:1], program.dtype) if len(pictures) > 1 else []
    dtype = torch.float64 if multiplications(program.graph) <= MOST_IN_FLOAT64 else torch.float32
    run = None
    if torch.finfo(dtype).eps < torch.finfo(program.dtype).eps:
        run = _in_finer_numbers(module, reading, pictures, dtype)
    run = run or InStep(module, program, reading, pictures, BOUNDS[program.dtype])
    found = _judged(run, alone)
    if found.pictures and not found.fault and run.program.dtype == torch.float64:
        found = _with_no_call_untried(run, found)
    other = _other_weights(module, reading) if found.pictures and not found.fault else None
    return found if other is None else replace(found, fault="reading", where=other[0], worst=other[1])


def _in_finer_numbers(module: nn.Module, reading: Reading, pictures: Tensor, dtype: torch.dtype) -> InStep | None:
    """Both in float64, say; None where one cannot be run so, or where the network makes its numbers coarser itself."""
    try:
        twin = copy.deepcopy(module).to(dtype)
        woken = wake(twin)
        weights = _in_numbers_of(twin, reading.recipe, dtype)
        reading = _as_used(reading, weights) if woken else reading
    except Exception:
        return None
    # Contiguous as the user's own: half as dear as a mixture, and float64 is not faster channels-last.
    program = Program(reading.program.graph, weights, torch.contiguous_format)
    run = InStep(twin, program, reading, pictures, max(BOUNDS[dtype], _rounded(twin, reading.recipe)))
    return None if run.failed or run.stuck[0] or run.coarser else run


def _with_no_call_untried(run: InStep, found: Replay) -> Replay:
    """The same once more where calls of the network changed nothing: whether such a call was read cannot be told, so it
    is run again with other weights, in which the graph must follow the network as well, on other pictures."""
    idle = run.idle
    for seed in range(1, TRIES + 1):
        tried = _tried(run, seed) if idle else None
        if tried is None:
            break
        judged, still = tried
        if judged.fault:
            return judged
        idle &= still
    return found


def _tried(run: InStep, seed: int) -> tuple[Replay, set[int]] | None:
    """What a run with other weights says, and the calls that changed nothing in it either. Its network is gone then:
    memory may not hold a third one in float64."""
    try:
        twin = copy.deepcopy(run.module)
        turn(twin, seed)
        weights = _in_numbers_of(twin, run.reading.recipe, run.program.dtype)
    except Exception:
        return None
    reading = replace(run.reading, program=Program(run.program.graph, weights, torch.contiguous_format))
    other = InStep(twin, reading.program, reading, turned(run.pictures, seed), run.bound)
    return None if other.failed else (_judged(other, []), other.idle)


def _as_used(reading: Reading, weights: Mapping[str, Tensor]) -> Reading:
    """The program as it is used, with other weights."""
    used = reading.program
    given = {name: weights[name].to(weight.dtype) for name, weight in used.weights.items()}
    return replace(reading, program=Program(used.graph, given))


def _other_weights(module: nn.Module, reading: Reading) -> tuple[str, float] | None:
    """The first node whose weights in the program are not those of the network, and how far they are from them."""
    try:
        expected = reading.recipe.weights(module.state_dict())
    except KeyError:
        return None
    given = reading.program.weights
    apart = {
        name: gap(given[name], tensor)
        for name, tensor in expected.items()
        if name in given and not torch.equal(given[name], tensor)
    }
    for node in reading.program.graph.nodes:
        for value in node.args.values():
            if isinstance(value, Weight) and apart.get(value.name):
                return node.name, apart[value.name]
    return None


def _rounded(twin: nn.Module, recipe: WeightsRecipe) -> float:
    """What numbers that stand in the network's code may differ by: exporting wrote them down in coarser numbers."""
    buffers = dict(twin.named_buffers())
    written = {tensor.dtype for name, tensor in recipe.literals.items() if name not in buffers}
    written |= {value for step in recipe.derived for value in step.args.values() if isinstance(value, torch.dtype)}
    return max((16 * torch.finfo(dtype).eps for dtype in written if dtype.is_floating_point), default=0.0)


def _in_numbers_of(twin: nn.Module, recipe: WeightsRecipe, dtype: torch.dtype) -> dict[str, Tensor]:
    """The graph's weights out of a network in finer numbers: what is made of weights is made anew from these."""
    buffers = dict(twin.named_buffers())
    literals = {name: buffers.get(name, tensor) for name, tensor in recipe.literals.items()}
    made = replace(recipe, literals=literals).weights(twin.state_dict())
    return {name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in made.items()}


def _judged(run: InStep, alone: list[Any]) -> Replay:
    """What a run says. alone: what the network returned for the first picture by itself."""
    if run.failed:
        return Replay(why=run.failed)
    gaps, bound = run.compared(), run.bound
    steep = _steep(run, gaps)
    bound = max([bound, *steep.values()])
    layers = len({run.node(name) for name in gaps if name not in run.reading.outputs})
    facts = {
        "pictures": len(run.pictures), "layers": layers, "outputs": len(run.reading.outputs),
        "returned": run.outputs, "bound": bound, "dtype": str(run.program.dtype).removeprefix("torch."),
    }  # fmt: skip
    if run.stuck[0]:
        return Replay(**facts, fault="running", where=run.stuck[0], why=run.stuck[1])
    for name, found in gaps.items():
        if not found <= max(run.bound, steep.get(name, 0.0)):
            return Replay(**facts, worst=found, where=name, fault="random" if _again(run, name) else "reading")
    dependent = _reads_the_batch(run, bound) or _returns_the_batch(run, alone, bound)
    if dependent:
        return Replay(**facts, worst=dependent[1], where=dependent[0], fault="batch")
    where = max(gaps, key=gaps.__getitem__, default="")
    return Replay(**facts, worst=gaps.get(where, 0.0), where=where)


def _steep(run: InStep, gaps: Mapping[str, float]) -> dict[str, float]:
    """What rounding alone may do to each layer or output that differs by more than is allowed elsewhere."""
    beyond = {name: run.node(name) for name, found in gaps.items() if not found <= run.bound}
    moved = allowed(run.program, run.pictures, set(beyond.values())) if beyond and not run.stuck[0] else {}
    return {name: moved[node] for name, node in beyond.items() if gaps[name] <= moved.get(node, 0.0)}


def _again(run: InStep, name: str) -> bool:
    """True where the network, run again, gives other numbers than before."""
    again = InStep(run.module, run.program, run.reading, run.pictures, run.bound)
    before, after = run.compared()[name], again.compared().get(name, 0.0)
    return before != after and not abs(before - after) <= run.bound


def _as_exact(run: InStep) -> bool:
    """True where the program in use gives for a picture alone what the run gave for it among others."""
    return all(found <= BOUNDS[run.reading.program.dtype] for found in run.apart.values())


def _reads_the_batch(run: InStep, bound: float) -> tuple[str, float] | None:
    """The first node of the program whose value for a picture depends on the others of its batch, and how far."""
    if _as_exact(run):
        return None
    # It may be that the program in use is coarser: the same once more in the numbers of the run.
    wanted = {layer.node for layer in run.reading.layers}
    pairs = zip(values(run.program, run.pictures, wanted), values(run.program, run.pictures[:1], wanted), strict=True)
    gaps = {node: gap(single, whole[:1]) for (node, whole), (_, single) in pairs}
    beyond = {node for node, found in gaps.items() if not found <= bound}
    moved = allowed(run.program, run.pictures[:1], beyond) if beyond else {}
    for node in sorted(beyond):
        if not gaps[node] <= moved.get(node, 0.0):
            return run.program.graph.nodes[node].name, gaps[node]
    return None


def _returns_the_batch(run: InStep, alone: list[Any], bound: float) -> tuple[str, float] | None:
    """The first output of the user's own network that depends on the other pictures, and how far."""
    for single, most in ((alone, BOUNDS[run.reading.program.dtype]), (None, bound)):
        single = _returned(run.module, run.pictures[:1], run.program.dtype) if single is None else single
        found = _farthest(run, single)
        if found is None or found[1] <= most:
            return None
    assert found is not None
    name, gone = found
    node = run.node(name)
    return None if gone <= allowed(run.program, run.pictures[:1], {node}).get(node, 0.0) else found


def _farthest(run: InStep, alone: list[Any]) -> tuple[str, float] | None:
    if len(alone) != len(run.returned):
        return None
    gaps = {
        name: gap(alone[place].flatten(), run.returned[place][:1].flatten())
        for name, (place, _) in run.reading.outputs.items()
    }
    return max(gaps.items(), key=lambda item: item[1], default=None)


def _returned(module: nn.Module, pictures: Tensor, dtype: torch.dtype) -> list[Any]:
    """What a network returns; nothing where it cannot be run on so many pictures."""
    try:
        return tree_leaves(called(module, pictures, dtype))
    except Exception:
        return []


def _batch(model: nn.Module | ExportedProgram) -> int:
    """How many pictures are run: an exported program may be fixed to its own number."""
    if isinstance(model, ExportedProgram):
        named = model.graph_signature.user_inputs
        (picture,) = [node for node in model.graph.nodes if node.op == "placeholder" and node.name in named]
        size = picture.meta["val"].shape[0]
        return size if isinstance(size, int) else REPLAYED_PICTURES
    return REPLAYED_PICTURES


def _pictures(input: Input, count: int) -> Tensor:
    """Seeded pictures, patches of colour under noise, as the network is given them: float64[count, c, h, w]."""
    random = torch.Generator().manual_seed(0)
    noise = torch.rand((count, *input.shape), generator=random, dtype=torch.float64)
    patches = torch.rand((count, input.channels, 5, 5), generator=random, dtype=torch.float64)
    patches = nn.functional.interpolate(patches, size=input.shape[1:])
    mean, std = (torch.tensor(values, dtype=torch.float64).reshape(-1, 1, 1) for values in (input.mean, input.std))
    return ((noise + patches) / 2 - mean) / std


@contextmanager
def _as_it_was() -> Iterator[None]:
    """The user's code runs as a guest: no word on the screen, random numbers, gradients and compilers left alone."""
    with ExitStack() as stack:
        stack.enter_context(quiet())
        stack.enter_context(torch.no_grad())
        stack.enter_context(torch.random.fork_rng())
        stack.enter_context(torch.compiler.set_stance("force_eager"))
        torch.manual_seed(0)
        yield
