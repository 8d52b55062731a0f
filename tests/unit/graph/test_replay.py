"""The replay: what was read rightly agrees with the user's own network everywhere, and nothing else does."""

import gc
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import islice
from math import inf
from unittest import mock

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import layerscope as ls
from layerscope.core.errors import TraceError
from layerscope.core.replay import FAULTS, Replay
from layerscope.graph import Program, Reading, Traced, fields_of, layers_of, prepared, read_module, replay
from layerscope.graph.in_step import InStep
from tests.helpers.mutations import MUTATIONS, Mutant, mutants
from tests.helpers.networks import CASES, Case, Residual, randomise

INPUT = ls.Input(channels=3, height=14, width=19, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.25))


class Sums(nn.Module):
    """What the small networks of the helpers lack: an alpha, a difference of maps, a factor, a square group."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
        self.grouped = nn.Conv2d(4, 6, 2, groups=2)

    def forward(self, x: Tensor) -> Tensor:
        left, right = self.left(x), self.right(x)
        return self.grouped(torch.add(left, right, alpha=0.5) - right.relu() * 0.3)


NETWORKS = (*CASES, Case("sums", Sums, 3, 12, 13))
# In which every mutation can be told somewhere.
SOME = ("concat", "averages", "ceil mode", "dilation and groups", "asymmetric", "response normalisation", "sums")
FEW = tuple(case for case in NETWORKS if case.name in SOME)


@cache
def read(case: Case) -> tuple[nn.Module, Traced, ls.Network]:
    """A small network: the copy that was traced, what was read, and its layers."""
    twin = prepared(case.model())
    traced = read_module(twin, (case.channels, case.height, case.width))
    return twin.module, traced, ls.Network(case.name, input_of(case), Program(traced.graph, traced.weights))


def input_of(case: Case) -> ls.Input:
    show = None if case.channels in (1, 3) else (0, 1, 0)
    scale = (0.3 / case.scale,) * case.channels
    return ls.Input(
        channels=case.channels, height=case.height, width=case.width, mean=(0.5,) * case.channels, std=scale, show=show
    )


def replayed(case: Case, traced: Traced) -> Replay:
    module, _, net = read(case)
    program = Program(traced.graph, traced.weights)
    return replay(module, Reading(program, traced.recipe, net.layers, traced.returned), input_of(case))


@pytest.mark.parametrize("case", FEW, ids=lambda case: case.name)
def test_what_is_read_rightly_agrees_everywhere(case: Case) -> None:
    """Every output and every layer with a module, to float64's rounding."""
    module, traced, net = read(case)
    found = replayed(case, traced)
    assert (found.fault, found.pictures, found.dtype) == ("", 3, "float64")
    assert found.outputs == found.returned == 1
    paths = {path for path, _ in module.named_modules() if path}
    named = {layer.node for layer in net.layers if paths & {n.partition("@")[0] for n in (layer.name, *layer.aliases)}}
    assert found.layers == len(named) > 0
    assert found.worst < 1e-13


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.thin(4)
def test_every_mistake_of_a_reader_is_caught(name: str) -> None:
    """A fault at the first call of each network where it can be told is found."""
    applied = [caught(name, case, mutant) for case in FEW for mutant in islice(mutants(name, read(case)[1]), 1)]
    assert applied, f"in none of the networks: {name}"


@pytest.mark.wide
@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mistake_at_every_call_is_caught(name: str) -> None:
    """... at any call of any network, all of which agree as they are."""
    for case in NETWORKS:
        assert replayed(case, read(case)[1]).fault == ""
        for mutant in mutants(name, read(case)[1]):
            caught(name, case, mutant)


def caught(name: str, case: Case, mutant: Mutant) -> bool:
    found = replayed(case, mutant.traced)
    assert found.fault in ("reading", "running"), f"{case.name}, {mutant.node}: {name}, and {found.said}"
    return True


class Idle(nn.Module):
    """Behind the second layer nothing is below zero, on any picture: neither of the last rectifiers changes a thing,
    with these weights. The last is behind a branch that gives zero, as zero-initialised residual blocks do."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.branch = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 1, 1), nn.Conv2d(1, 1, 1)
        for layer, bias in ((self.first, 0.0), (self.second, 50.0), (self.branch, 0.0)):
            nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(5))
            nn.init.constant_(layer.bias, bias)
        nn.init.zeros_(self.branch.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(self.first(x).relu()).relu()
        return (x + self.branch(x)).relu() - 0.5 * x


def test_a_call_that_changes_nothing_on_these_pictures_is_tried_with_other_weights() -> None:
    """Each of the rectifiers is missed when it is dropped, and what is read rightly agrees."""
    twin = prepared(Idle())
    traced = read_module(twin, INPUT.shape)
    dropped = [mutant.traced for mutant in mutants("a ReLU is dropped", traced)]
    found = [
        replay(twin.module, Reading(Program(one.graph, one.weights), one.recipe, (), one.returned), INPUT)
        for one in (traced, *dropped)
    ]
    assert [one.fault for one in found] == ["", "reading", "reading"]
    assert found[0].worst < 1e-13


class Closed(nn.Module):
    """A residual block as a training begins with: its branch is scaled by zero."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = x.relu()
        return (x + self.norm(self.conv(x))).relu()


def test_branches_that_are_closed_at_first_are_opened_for_the_proof() -> None:
    """Then the rectifier behind the sum changes something, and the network need not be run once more; its own weights
    stay as they are."""
    twin = prepared(Closed())
    traced = read_module(twin, INPUT.shape)
    *nodes, last = traced.graph.nodes
    last = replace(last, op="leaky_relu", target="aten.leaky_relu.default", args={**last.args, "negative_slope": 1.0})
    dropped = replace(traced, graph=replace(traced.graph, nodes=(*nodes, last)))
    readings = [Reading(Program(one.graph, one.weights), one.recipe, (), one.returned) for one in (traced, dropped)]
    with mock.patch.object(InStep, "_forward", autospec=True, side_effect=InStep._forward) as run:
        assert replay(twin.module, readings[0], INPUT).fault == ""
    assert run.call_count == 1
    assert replay(twin.module, readings[1], INPUT).fault == "reading"
    assert not twin.module.norm.weight.any()


class Turned(nn.Module):
    """A convolution of which a part's channels stand last, as in ConvNeXt."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 3, (2, 1)), nn.LayerNorm(6)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def test_a_map_of_another_shape_than_was_read_is_a_mistake() -> None:
    """Also where the network's own tensor lies otherwise than the value, which then cannot be turned into it."""
    twin = prepared(randomise(Turned(), seed=0))
    traced = read_module(twin, INPUT.shape)
    (mutant,) = (m.traced for m in mutants("a stride is swapped or larger", traced))
    layers = layers_of(traced.graph, fields_of(traced.graph))
    found = [
        replay(twin.module, Reading(Program(one.graph, one.weights), one.recipe, layers, one.returned), INPUT)
        for one in (traced, mutant)
    ]
    assert [one.fault for one in found] == ["", "reading"]
    assert found[1].where == "conv" and found[1].worst == inf


def test_nothing_of_a_replay_is_left_in_memory() -> None:
    """Neither networks in float64 nor programs of their weights, though nobody looks for garbage."""
    twin = prepared(Idle())
    traced = read_module(twin, INPUT.shape)
    reading = Reading(Program(traced.graph, traced.weights), traced.recipe, (), traced.returned)

    def there() -> int:
        return sum(isinstance(thing, Idle | Program) for thing in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = there()
        assert replay(twin.module, reading, INPUT).fault == ""
        assert there() == before
    finally:
        gc.enable()


def test_what_changes_no_value_is_no_mistake() -> None:
    """The momentum of a trained batch norm is read by nobody."""
    case = next(case for case in FEW if case.name == "asymmetric")
    traced = read(case)[1]
    nodes = tuple(
        replace(node, args={**node.args, "momentum": 0.7}) if "momentum" in node.args else node
        for node in traced.graph.nodes
    )
    assert nodes != traced.graph.nodes
    assert replayed(case, replace(traced, graph=replace(traced.graph, nodes=nodes))).fault == ""


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_coarse_networks_are_compared_in_float64(dtype: torch.dtype) -> None:
    """Another eps, one part in a hundred, is found whatever numbers the network holds; so are weights of others."""
    twin = prepared(randomise(Residual(), seed=3).to(dtype))
    traced = read_module(twin, INPUT.shape)
    eps = next(mutants("another eps", traced)).traced
    other = {key: weight.flip(0) if weight.dim() == 4 else weight for key, weight in traced.weights.items()}
    found = [
        replay(twin.module, Reading(Program(graph, weights), traced.recipe, (), traced.returned), INPUT)
        for graph, weights in ((traced.graph, traced.weights), (eps.graph, traced.weights), (traced.graph, other))
    ]
    assert [one.fault for one in found] == ["", "reading", "reading"]
    assert [one.dtype for one in found[:2]] == ["float64"] * 2 and found[0].outputs == 1
    assert found[1].worst > found[1].bound == 1e-9


class Around(nn.Module):
    """A convolution before and one behind something."""

    def __init__(self, call: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second, self.call = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3), call

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.call(self.first(x)).relu())


def test_a_network_that_casts_is_compared_in_its_own_numbers() -> None:
    """Where its code makes float64 coarser, rounding is as large as that of its own numbers, and so is the bound."""
    net = ls.trace(Around(lambda x: x.to(torch.float32).to(x.dtype)), INPUT)
    assert (net.replay.fault, net.replay.dtype, net.replay.bound) == ("", "float32", 1e-3)


def test_constants_in_the_code_may_be_rounded() -> None:
    """Numbers that the code writes in the type of its picture are exported in the network's: no fault, and said so."""
    net = ls.trace(Around(lambda x: x - x.new_tensor([0.485, 0.456, 0.406, 0.1]).reshape(1, 4, 1, 1)), INPUT)
    assert net.replay.fault == "" and 1e-9 < net.replay.bound < 1e-5
    assert 1e-10 < net.replay.worst < 1e-7


def _mixed(x: Tensor) -> Tensor:
    return x + x.roll(1, 0)


def _whitened(x: Tensor) -> Tensor:
    return x - x.mean((0, 2, 3), keepdim=True)


def _by_size(x: Tensor) -> Tensor:
    return x / x.size(0)


def wrongly_read(call: Callable[[Tensor], Tensor], wrong: Callable[..., Tensor]) -> Replay:
    """A network whose `call`, a product with one, a reader took for `wrong`."""
    model = Around(call).double()
    twin = prepared(model)
    traced = read_module(twin, INPUT.shape)
    program = Program(traced.graph, traced.weights)
    net = ls.Network("around", INPUT, program)
    (node,) = [node.id for node in traced.graph.nodes if node.op == "mul"]
    known = program.call
    program.call = lambda asked: Replaced(known(asked), wrong) if asked == node else known(asked)  # type: ignore
    return replay(twin.module, Reading(program, traced.recipe, net.layers, traced.returned), INPUT)


class Replaced:
    """A call that computes something else."""

    def __init__(self, call, function) -> None:
        self.call, self.function = call, function

    def run(self, *tensors: Tensor, batch: int | None = None) -> Tensor:
        return self.function(*tensors)


@pytest.mark.parametrize("function", [_mixed, _whitened, _by_size], ids=lambda function: function.__name__)
def test_what_reads_the_batch_is_told_from_one_picture_alone(function: Callable[[Tensor], Tensor]) -> None:
    """Even where graph and network agree on the batch: the node is named whose values hang on other pictures."""

    class Sneaky(nn.Module):
        """As long as it is traced, nothing of the kind."""

        def forward(self, x: Tensor) -> Tensor:
            return x * 1.0 if torch.compiler.is_exporting() else function(x)

    model = nn.Sequential(nn.Conv2d(3, 4, 3), Sneaky(), nn.Conv2d(4, 2, 3)).double()
    assert ls.trace(model, INPUT).replay.fault == "reading"
    found = wrongly_read(lambda x: x * 1.0 if torch.compiler.is_exporting() else function(x), function)
    assert (found.fault, found.where) == ("batch", "mul_1")
    assert "a picture alone gives other numbers" in found.said


def test_numbers_that_are_drawn_are_no_fault_of_the_reader() -> None:
    """A network that gives other numbers each time is told as that; so is one that counts its own calls."""

    def noisy(x: Tensor) -> Tensor:
        return x * 1.0 if torch.compiler.is_exporting() else functional.dropout(x, 0.5, True)

    class Counting(nn.Module):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return x * 1.0 if torch.compiler.is_exporting() else x * self.calls

    for call, where in ((noisy, "second"), (Counting(), "call")):
        found = ls.trace(Around(call), INPUT).replay
        assert (found.fault, found.where) == ("random", where)
        assert found.said.startswith("the network gives other numbers each time that it is run")


def test_buffers_that_forward_changes_but_nobody_reads_are_no_fault() -> None:
    """Counters and running statistics of a network in evaluation mode change, its values do not."""

    class Monitor(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.register_buffer("calls", torch.zeros(1))
            self.seen = None

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            self.seen = self.conv(x)
            return self.seen.relu()

    model = Monitor()
    net = ls.trace(model, INPUT)
    assert net.replay.fault == "" and net.replay.layers == 1
    assert float(model.calls) == 0 and model.seen is None


def test_the_users_code_runs_as_a_guest(capsys: pytest.CaptureFixture[str]) -> None:
    """Its hooks hear nothing, its words are not shown, no random number is taken, gradients and weights stay."""
    heard: list[Tensor] = []
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True)).train()
    model[0].register_forward_hook(lambda module, given, output: heard.append(output))

    class Talking(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            if not torch.compiler.is_exporting():
                print("here I am")
                torch.rand(3)
            return x

    model.append(Talking())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    net = ls.trace(model, INPUT)
    assert net.replay.fault == "" and net.replay.layers == 3
    assert not heard and capsys.readouterr() == ("", "")
    assert torch.equal(state, torch.get_rng_state())
    assert torch.is_grad_enabled() and model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_network_may_write_over_its_input() -> None:
    """Each run gets pictures of its own."""

    class Writes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            x *= 2
            return self.conv(x)

    for dtype in (torch.float32, torch.float64):
        assert ls.trace(Writes().to(dtype), INPUT).replay.fault == ""


class Several(nn.Module):
    """Outputs in a dictionary, in another order than they are computed; one of them behind what has no row."""

    def __init__(self) -> None:
        super().__init__()
        self.early, self.late = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        early = self.early(x).relu()
        late = self.late(early)
        return {"late": late, "lost": late.cumsum(2), "early": early, "name": "several", "input": x}


def test_each_output_is_compared_with_its_own_node() -> None:
    """In the order in which the network gives them; those that cannot be had are counted, what is no result is not."""
    found = ls.trace(Several(), INPUT).replay
    assert (found.fault, found.outputs, found.returned) == ("", 3, 3)
    assert found.said.startswith("replayed on 3 pictures: the outputs and 2 layers agree")


def test_exported_programs_are_compared_by_their_outputs() -> None:
    """With a free batch, and with a batch that is fixed."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3)).eval()
    free = ({0: torch.export.Dim("batch", min=1)},)
    for count, shapes, pictures in ((2, free, 3), (1, None, 1)):
        program = torch.export.export(model, (torch.zeros(count, *INPUT.shape),), dynamic_shapes=shapes)
        found = ls.trace(program, INPUT).replay
        assert (found.fault, found.pictures, found.outputs, found.layers) == ("", pictures, 1, 0)
        assert found.dtype == "float64"


def test_a_module_that_is_called_more_often_than_it_counts_is_left_out() -> None:
    """A call whose result nobody needs has no node: which call a name means is then unknown, and nothing is wrong."""

    class Wasteful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.end = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 2, 3)

        def forward(self, x: Tensor) -> Tensor:
            self.conv(x * 2)
            return self.end(self.conv(x))

    found = ls.trace(Wasteful(), INPUT).replay
    assert (found.fault, found.outputs, found.layers) == ("", 1, 1)


def test_infinity_agrees_with_itself_only() -> None:
    """Numbers that are not finite must be the same on both sides."""
    from layerscope.graph.in_step import gap

    inf, nan = float("inf"), float("nan")
    a = torch.tensor([1.0, inf, nan, -2.0])
    assert gap(a, a.clone()) == 0
    assert gap(torch.tensor([1.0, inf, nan, -1.0]), a) == 0.5
    assert gap(torch.tensor([1.0, -inf, nan, -2.0]), a) == inf
    assert gap(torch.tensor([1.0, inf, 0.0, -2.0]), a) == inf
    assert gap(torch.zeros(2), torch.zeros(2)) == 0 and gap(torch.ones(2), torch.zeros(2)) == inf
    assert gap(torch.ones(2), torch.ones(3)) == inf


def test_a_build_is_refused_above_the_bound(tmp_path) -> None:
    """Layer, difference and what to do in one sentence; no file is begun. Nothing is refused below it."""
    from PIL import Image

    Image.new("RGB", (20, 20), (90, 20, 30)).save(tmp_path / "a.png")
    net = ls.trace(Residual(), INPUT)
    fine = net.replay
    net.replay = replace(fine, fault="reading", where="block1.bn1", worst=0.0312)
    with pytest.raises(TraceError) as error:
        ls.build(net, tmp_path / "a.png", tmp_path / "a.atlas", progress=False)
    said = str(error.value)
    assert 'at "block1.bn1" its graph differs by 3e-2 of the largest value there' in said
    assert "nothing is built from it" in said and "please report it" in said and "\n" not in said
    assert not list(tmp_path.glob("a.atlas*"))
    net.replay = fine
    with ls.build(net, tmp_path / "a.png", tmp_path / "a.atlas", progress=False, units=2) as atlas:
        assert Replay.of(atlas.file.statistic("replay")) == fine


def test_a_record_of_a_replay_survives_json() -> None:
    """Even where the difference has no bound."""
    for found in (
        Replay(pictures=3, layers=2, worst=1e-7, where="a"),
        Replay(fault="reading", worst=np.inf, where="b"),
    ):
        assert Replay.of(found.data()) == found
    assert all(Replay(fault=fault, where="a", worst=0.1).said for fault in FAULTS)


def test_why_there_was_no_replay_is_said() -> None:
    """A network that can be exported and not run is no fault of its graph."""

    class Shy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            if not torch.compiler.is_exporting():
                raise RuntimeError("not today")
            return self.conv(x)

    found = ls.trace(Shy(), INPUT).replay
    assert (found.fault, found.pictures) == ("", 0)
    assert found.said == "could not be replayed: not today"


def test_short_memory_is_no_fault_of_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that there is no memory for was not read wrongly: the network counts as one that could not be replayed."""

    def short(program: Program, node: int) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(Program, "_call", short)
    found = ls.trace(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), INPUT).replay
    assert (found.fault, found.pictures, found.said) == ("", 0, "could not be replayed: out of memory")


class Loose(nn.Module):
    """Functions between modules and what counts the pictures of a batch: no module, and no output, shows them."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.left(x), self.right(x).relu()], 1)
        return x * x.shape[0]


def test_a_layer_that_no_module_shows_is_found_among_the_results() -> None:
    """What leads only to what cannot be run is compared all the same, and a mistake in it caught by name."""
    twin = prepared(Loose())
    traced = read_module(twin, INPUT.shape)
    net = ls.Network("loose", INPUT, Program(traced.graph, traced.weights))

    def found(mutated: Traced) -> Replay:
        program = Program(mutated.graph, mutated.weights)
        return replay(twin.module, Reading(program, traced.recipe, net.layers, traced.returned), INPUT)

    right = found(traced)
    assert (right.fault, right.outputs, right.layers) == ("", 0, 4)
    (mutant,) = mutants("branches are joined in another order", traced)
    wrong = found(mutant.traced)
    assert (wrong.fault, wrong.where) == ("reading", "cat_1")


class Steep(nn.Module):
    """The difference of a batch norm and of the same by hand, all but `part` of it: what rounding leaves of sixteen
    digits is seen in the eighth."""

    def __init__(self, part: float) -> None:
        super().__init__()
        self.conv, self.norm, self.part = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), part

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        mean, var = (value[:, None, None] for value in (self.norm.running_mean, self.norm.running_var))
        by_hand = (x - mean) / (var + self.norm.eps).sqrt()
        by_hand = by_hand * self.norm.weight[:, None, None] + self.norm.bias[:, None, None]
        return self.norm(x) - by_hand * (1 - self.part)


def test_what_rounding_does_to_a_steep_network_is_no_fault() -> None:
    """It is seen in how far the network's values move when pictures move by their last digit, and the bound says so."""
    found = ls.trace(randomise(Steep(1e-7).double(), 3).eval(), ls.Input(height=12, width=12)).replay
    assert found is not None and not found.fault
    assert 1e-9 < found.worst <= found.bound <= 1e-6


class SteepGate(nn.Module):
    """A gate that sees the ninth digit of a dense layer, which rounds otherwise for one picture than for three."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.dense, self.last = nn.Conv2d(3, 64, 3), nn.Linear(64, 64), nn.Conv2d(64, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return self.last(x * (1e8 * self.dense(x.mean((2, 3)))).sin()[:, :, None, None])


def test_what_rounding_does_to_a_picture_alone_in_a_steep_network_is_no_fault() -> None:
    """Other pictures of its batch have no part in it."""
    torch.manual_seed(0)
    twin = prepared(SteepGate())
    traced = read_module(twin, INPUT.shape)
    program = Program(traced.graph, traced.weights)
    layers = ls.Network("steep", INPUT, program).layers
    found = replay(twin.module, Reading(program, traced.recipe, layers, traced.returned), INPUT)
    assert found.pictures and not found.fault, found


class Grid(nn.Module):
    """Places of a map in float32, whatever the network's own numbers are, and a rectifier that changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.places, self.last = nn.Conv2d(3, 4, 3), nn.Conv2d(1, 4, 1), nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        everywhere = ~torch.zeros((x.shape[0], *x.shape[2:])).to(torch.bool)
        far = everywhere.cumsum(2, dtype=torch.float32)
        grid = (far / 10000 ** (torch.arange(1).to(torch.float32) + 0.3)).sin()
        return self.last((x.abs().relu() + self.places(grid[:, None].to(x.dtype))).relu())


def test_numbers_that_a_network_makes_in_a_coarser_type_may_be_rounded() -> None:
    """The graph may make them in its own, where what stands in the code is made finer with it."""
    torch.manual_seed(0)
    found = ls.trace(Grid().double().eval(), INPUT).replay
    assert found is not None and found.dtype == "float64"
    assert not found.fault and 1e-9 < found.bound < 1e-5


@pytest.mark.parametrize("name", ["a bias is dropped", "another eps"])
def test_a_mistake_in_a_steep_network_is_caught(name: str) -> None:
    """However far rounding may go there."""
    module = randomise(Steep(1e-7).double(), 3).eval()
    expected = ls.Input(height=12, width=12)
    traced = read_module(prepared(module), expected.shape)
    layers = ls.trace(module, expected).layers
    for mutant in mutants(name, traced):
        program = Program(mutant.traced.graph, mutant.traced.weights)
        found = replay(module, Reading(program, traced.recipe, layers, traced.returned), expected)
        assert found.fault == "reading", f"{mutant.node}: {found.said}"
