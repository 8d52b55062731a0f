"""What is read of an ONNX file is the network that wrote it: its modules, its names, its numbers for any batch."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

import layerscope as ls
from layerscope.models import load
from layerscope.models.onnx.paths import safe
from tests.helpers.onnx_files import OPSET, farthest, model_of, numbers, own_values, plan_of, saved, worst_gap

MAP = ("n", 4, 8, 8)


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.downsample = nn.Sequential(nn.Conv2d(before, width, 1), nn.BatchNorm2d(width)) if before != width else None

    def forward(self, x: Tensor) -> Tensor:
        found = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(found + (x if self.downsample is None else self.downsample(x)))


class Small(nn.Module):
    """A residual network of torch's usual making, with a functional flatten."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.relu, self.maxpool = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(Block(4, 4), Block(4, 6))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.flatten(self.avgpool(self.layer1(self.maxpool(self.relu(self.conv1(x))))), 1))


def small() -> Small:
    torch.manual_seed(0)
    network = Small().eval()
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean)
            nn.init.uniform_(part.running_var, 0.5, 2)
    return network


def exported(network: nn.Module, path: Path, opset: int) -> Path:
    """As torch's older exporter writes it, for one picture."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = io.BytesIO()
        torch.onnx.export(network, (torch.zeros(1, 3, 18, 14),), content, dynamo=False, opset_version=opset)
    path.write_bytes(content.getvalue())
    return path


def test_layers_are_those_of_the_network_that_wrote_it(tmp_path: Path) -> None:
    """Names, blocks and what `auto` means; the normalisations have gone into the convolutions before them."""
    network = small()
    expected = ls.trace(network, ls.Input(height=18, width=14))
    found = ls.trace(str(exported(network, tmp_path / "small.onnx", 17)))
    assert found.replay is not None and found.replay.pictures and not found.replay.fault
    assert [layer.name for layer in found.layers if layer.auto] == [
        layer.name for layer in expected.layers if layer.auto
    ]
    assert {layer.name for layer in found.layers} - {"layer1.0", "layer1.1"} <= {
        name for layer in expected.layers for name in (layer.name, *layer.aliases)
    } | {"layer1.0.relu_1", "layer1.1.relu_1"}
    pictures = np.random.default_rng(0).uniform(size=(3, 3, 18, 14)).astype(np.float32)
    for name in ("relu", "layer1.0", "layer1.1", "fc"):
        assert farthest(found.activations(pictures, name), expected.activations(pictures, name)) < 1e-5


def test_the_files_own_forward_is_onnxruntimes(tmp_path: Path) -> None:
    """From picture files to outputs; a network that is another on the way is told by the output that differs."""
    path = exported(small(), tmp_path / "small.onnx", 17)
    found = ls.trace_check(str(path), limit=2)
    assert found.agrees and found.outputs == 1 and found.own.startswith("onnxruntime, on pictures as layerscope")
    loaded = load(str(path))
    assert loaded.own is not None and loaded.own.run is not None
    x = torch.from_numpy(numbers(2, 3, 18, 14))
    (scores,) = loaded.own.run(x)
    assert farthest(loaded.model(x).detach().numpy(), scores.numpy()) < 1e-5


@pytest.mark.parametrize("opset", [9, 13, 17])
def test_what_was_exported_for_one_picture_runs_on_many(opset: int, tmp_path: Path) -> None:
    """Each as by itself in onnxruntime, all along the way."""
    path, x = exported(small(), tmp_path / "small.onnx", opset), numbers(3, 3, 18, 14)
    model = onnx.load(path)
    found = load(str(path)).model(torch.from_numpy(x))
    name = model.graph.input[0].name
    for node in model.graph.node:
        node.input[:] = ["x" if one == name else one for one in node.input]
    model.graph.input[0].name = "x"
    each = [own_values(model, x[i : i + 1], [model.graph.output[0].name]) for i in range(3)]
    assert farthest(found.detach().numpy(), np.concatenate([next(iter(one.values())) for one in each])) < 1e-5
    assert worst_gap(model, tmp_path, x[:1]) < 1e-5


def node(
    op: str, inputs: Sequence[str], outputs: Sequence[str], path: str, kinds: str, **attributes: Any
) -> onnx.NodeProto:
    """A node as torch's newer exporter writes it: path and classes beside it, the last for the operation."""
    node = helper.make_node(op, inputs, outputs, name=f"node_{outputs[0]}", **attributes)
    pieces = path.split(".") if path else []
    around = [".".join(pieces[: place + 1]) for place in range(len(pieces))]
    node.metadata_props.add(key="pkg.torch.onnx.name_scopes", value=repr(["", *around, op.lower()]))
    node.metadata_props.add(key="pkg.torch.onnx.class_hierarchy", value=repr(["net.Net", *kinds.split(), "aten.op"]))
    return node


def test_what_torch_writes_beside_its_nodes_is_believed(tmp_path: Path) -> None:
    """Paths and classes; a convolution that took in its normalisation has its own name; two calls are one module."""
    sequential, block, relu = "torch.nn.modules.container.Sequential", "net.Block", "torch.nn.modules.activation.ReLU"
    norm = "torch.nn.modules.batchnorm.BatchNorm2d"
    nodes = []
    for number, source in (("0", "x"), ("1", "out0")):
        path = f"layers.{number}"
        nodes += [
            node("Conv", [source, f"{path}.conv.weight"], [f"a{number}"], f"{path}.bn", f"{sequential} {block} {norm}"),
            node("Relu", [f"a{number}"], [f"b{number}"], f"{path}.act", f"{sequential} {block} {relu}"),
            node("Add", [f"b{number}", source], [f"c{number}"], path, f"{sequential} {block}"),
            node("Relu", [f"c{number}"], [f"out{number}"], f"{path}.act", f"{sequential} {block} {relu}"),
        ]
    weights = {f"layers.{number}.conv.weight": numbers(4, 4, 1, 1) for number in "01"}
    path = saved(model_of(nodes, MAP, weights, outputs=["out1"]), tmp_path)
    network = load(str(path)).model
    assert [(name, type(part).__name__) for name, part in network.named_modules()][1:] == [
        ("layers", "Sequential"),
        ("layers.0", "Block"), ("layers.0.conv", "Conv2d"), ("layers.0.act", "ReLU"),
        ("layers.1", "Block"), ("layers.1.conv", "Conv2d"), ("layers.1.act", "ReLU"),
    ]  # fmt: skip
    assert [step[0] for step in network.layers[0].steps if isinstance(step[0], str)] == ["conv", "act", "act"]
    names = [layer.name for layer in ls.trace(str(path)).layers]
    assert names[:4] == ["layers.0.conv", "layers.0.act", "layers.0.add_1", "layers.0.act@2"]


def test_tensorflows_names_are_kerass(tmp_path: Path) -> None:
    """The model's own name goes, a convolution is called after its weights, what was put between after its input."""
    layer = "net_1/conv_1/convolution/ReadVariableOp:0"
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], name="net_1/conv_1/convolution__3", perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["t", layer], ["a"], name="net_1/bn_1/batchnorm/mul_1", kernel_shape=[1, 1]),
        helper.make_node("Relu", ["a"], ["b"], name="net_1/act_1/Relu"),
        helper.make_node("Transpose", ["b"], ["c"], name="Transpose__9", perm=[0, 2, 3, 1]),
        helper.make_node("Relu", ["c"], ["y"], name="net_1/act_1/Relu_1"),
    ]
    model = model_of(nodes, ("n", 8, 6, 3), {layer: numbers(4, 3, 1, 1)})
    network = load(str(saved(model, tmp_path))).model
    assert [name for name, _ in network.named_modules()][1:] == ["conv", "act", "act.relu", "act.relu_2"]
    x = numbers(2, 8, 6, 3)
    found = network(torch.from_numpy(x.transpose(0, 3, 1, 2).copy())).detach().numpy()
    assert farthest(found, own_values(model, x, ["y"])["y"]) < 1e-6


def test_a_picture_with_channels_last_is_prepared_channels_first(tmp_path: Path) -> None:
    """What acts on each number, and each channel, before the first convolution is turned with it."""
    nodes = [
        helper.make_node("Mul", ["x", "scale"], ["a"]),
        helper.make_node("Sub", ["a", "mean"], ["b"]),
        helper.make_node("Transpose", ["b"], ["c"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["c", "w"], ["y"], kernel_shape=[1, 1]),
    ]
    weights = {"scale": np.float32(0.5).reshape(()), "mean": numbers(3), "w": numbers(4, 3, 1, 1)}
    model, x = model_of(nodes, ("n", 8, 6, 3), weights), numbers(2, 8, 6, 3)
    network = load(str(saved(model, tmp_path))).model
    found = network(torch.from_numpy(x.transpose(0, 3, 1, 2).copy())).detach().numpy()
    assert farthest(found, own_values(model, x, ["y"])["y"]) < 1e-6
    assert not any("permuted" in str(step[0]) for step in network.steps)


def test_arithmetic_with_sizes_is_done_while_reading(tmp_path: Path) -> None:
    """Flatten and doubling as exporters write them out, for pictures of another size than the file was read for."""
    constants = {"0": np.int64(0), "axis": np.array([0]), "-1": np.array([-1]), "2": np.float32([2]),
                 "from": np.array([2]), "to": np.array([4])}  # fmt: skip
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Slice", ["shape", "from", "to"], ["side"]),
        helper.make_node("Cast", ["side"], ["sides"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["sides", "2"], ["twice"]),
        helper.make_node("Floor", ["twice"], ["whole"]),
        helper.make_node("Cast", ["whole"], ["large"], to=TensorProto.INT64),
        helper.make_node("Slice", ["shape", "axis", "from"], ["rest"]),
        helper.make_node("Concat", ["rest", "large"], ["sizes"], axis=0),
        helper.make_node("Resize", ["x", "", "", "sizes"], ["up"], mode="linear"),
        helper.make_node("Gather", ["shape", "0"], ["n"]),
        helper.make_node("Unsqueeze", ["n", "axis"], ["first"]),
        helper.make_node("Concat", ["first", "-1"], ["flat"], axis=0),
        helper.make_node("Reshape", ["up", "flat"], ["y"]),
    ]
    model = model_of(nodes, ("n", 3, "h", "w"), constants)
    for shape in ((2, 3, 5, 7), (1, 3, 8, 4)):
        assert worst_gap(model, tmp_path, numbers(*shape)) < 1e-6
    program = torch.export.export(load(str(saved(model, tmp_path))).model, (torch.zeros(2, 3, 6, 6),),
                                  dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))  # fmt: skip
    assert program.module()(torch.zeros(5, 3, 6, 6)).shape == (5, 3 * 12 * 12)


def test_weights_that_are_standardised_in_the_file_are_made_once(tmp_path: Path) -> None:
    """By a normalisation as while training, which is of constants alone; one of maps is not known."""
    weights = {"raw": numbers(1, 4, 36), "ones": np.ones(4, np.float32), "none": np.zeros(4, np.float32),
               "shape": np.array([4, 4, 3, 3])}  # fmt: skip
    nodes = [
        helper.make_node("BatchNormalization", ["raw", "ones", "none", "none", "ones"], ["s", "", ""], training_mode=1),
        helper.make_node("Reshape", ["s", "shape"], ["w"]),
        helper.make_node("Conv", ["x", "w"], ["y"], name="conv"),
    ]
    model = model_of(nodes, MAP, weights, opset=15)
    network = load(str(saved(model, tmp_path))).model
    raw = weights["raw"][0].astype(np.float64)
    by_hand = (raw - raw.mean(1, keepdims=True)) / np.sqrt(raw.var(1, keepdims=True) + 1e-5)
    assert farthest(network.conv.weight.detach().numpy().reshape(4, 36), by_hand) < 1e-6
    assert [name for name, _ in network.named_parameters()] == ["conv.weight"]


def test_sizes_may_be_cut(tmp_path: Path) -> None:
    """A margin that depends on the map's size, never below zero."""
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"], start=2),
        helper.make_node("Sub", ["10s", "shape"], ["lack"]),
        helper.make_node("Clip", ["lack", "0"], ["more"]),
        helper.make_node("Pad", ["x", "pads", "", "axes"], ["a"]),
        helper.make_node("Concat", ["0s", "more"], ["pads"], axis=0),
    ]
    nodes = [*nodes[:3], nodes[4], nodes[3], helper.make_node("Relu", ["a"], ["y"])]
    weights = {"10s": np.array([10, 10]), "0": np.int64(0), "0s": np.array([0, 0]), "axes": np.array([2, 3])}
    assert worst_gap(model_of(nodes, ("n", 4, "h", "w"), weights), tmp_path, numbers(2, 4, 7, 12)) == 0


@pytest.mark.parametrize(
    ("shape", "fits"), [([1, -1], True), ([1, 4, 64], True), ([-1, 256], True), ([0, 256], True), ([4, 64], False)]
)
def test_a_batch_of_one_in_a_reshape_is_made_free_or_refused(shape: list[int], fits: bool, tmp_path: Path) -> None:
    """Where the rest holds one picture; a shape that puts pictures together is said to hold for one only."""
    node = helper.make_node("Reshape", ["a", "shape"], ["y"])
    model = model_of([helper.make_node("Relu", ["x"], ["a"]), node], (1, 4, 8, 8), {"shape": np.array(shape)})
    loaded = load(str(saved(model, tmp_path)))
    x = torch.from_numpy(numbers(3, 4, 8, 8))
    assert torch.equal(loaded.model(x).flatten(1), x.relu().flatten(1))
    assert ("which holds for a batch of 1 only" in loaded.remarks[-1]) is not fits


def test_a_constant_map_beside_one_picture_stands_beside_each(tmp_path: Path) -> None:
    """Coordinates, say, that a network of one picture joins to it."""
    model = model_of([helper.make_node("Concat", ["x", "c"], ["y"], axis=1)], (1, *MAP[1:]), {"c": numbers(1, 2, 8, 8)})
    x = numbers(3, 4, 8, 8)
    found = load(str(saved(model, tmp_path))).model(torch.from_numpy(x)).numpy()
    assert np.array_equal(found, np.concatenate([own_values(model, one[None], ["y"])["y"] for one in x]))


def test_what_stands_before_an_unknown_operator_can_be_had(tmp_path: Path) -> None:
    """Its input is what the network gives then, and which operators are not known is told, each once."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="stem"),
        *(helper.make_node("Unheard", ["a"], [f"b{place}"], domain="of.somebody") for place in range(3)),
        helper.make_node("NonMaxSuppression", ["a", "b0"], ["c"]),
        helper.make_node("Relu", ["b1"], ["y"]),
    ]
    model = model_of(nodes, MAP, {"w": numbers(4, 4, 1, 1)}, domains=["of.somebody"])
    loaded = load(str(saved(model, tmp_path)))
    assert [name for name, _ in loaded.model.named_modules()][1:] == ["stem"]
    assert loaded.remarks[-1] == (
        "of m.onnx only what stands before some nodes can be had: Unheard of of.somebody: it is an operator that is "
        "not known (3 times)"
    )


def test_what_an_unknown_operator_of_constants_would_have_joined_is_given(tmp_path: Path) -> None:
    """The map beside it, which something known would have read."""
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="act"),
        helper.make_node("Unheard", ["c"], ["b"], domain="of.somebody"),
        helper.make_node("Add", ["a", "b"], ["y"]),
    ]
    model = model_of(nodes, MAP, {"c": numbers(4, 1, 1)}, domains=["of.somebody"])
    plan, _ = plan_of(model, tmp_path)
    assert plan.outputs == ["a"]


def test_a_dropout_that_is_on_is_refused(tmp_path: Path) -> None:
    """It draws anew in every run."""
    nodes = [helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Dropout", ["a", "ratio", "on"], ["y"])]
    model = model_of(nodes, MAP, {"ratio": np.float32(0.5), "on": np.array(True)})
    assert "it drops numbers at random, as while training" in load(str(saved(model, tmp_path))).remarks[-1]


def test_choices_by_constants_and_functions_are_written_out(tmp_path: Path) -> None:
    """An If whose condition is known is the branch taken; a function of the file is its nodes."""
    branches = [
        helper.make_graph([helper.make_node(op, ["a"], [f"of {op}"])], op, [], [onnx.ValueInfoProto(name=f"of {op}")])
        for op in ("Sigmoid", "Tanh")
    ]
    nodes = [
        helper.make_node("Twice", ["x"], ["a"], domain="own"),
        helper.make_node("If", ["yes"], ["y"], then_branch=branches[0], else_branch=branches[1]),
    ]
    model = model_of(nodes, MAP, {"yes": np.array(True)}, domains=["own"])
    body = [helper.make_node("Add", ["v", "v"], ["w"])]
    model.functions.append(helper.make_function("own", "Twice", ["v"], ["w"], body, [helper.make_opsetid("", OPSET)]))
    x = numbers(2, 4, 8, 8)
    found = load(str(saved(model, tmp_path))).model(torch.from_numpy(x))
    assert farthest(found.numpy(), 1 / (1 + np.exp(-2 * x))) < 1e-6


def test_a_scope_that_reads_what_became_of_its_own_is_called_in_parts(tmp_path: Path) -> None:
    """Modules keep their paths, and the order is the file's."""
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="/part/one/Relu"),
        helper.make_node("Sigmoid", ["a"], ["b"], name="/other/Sigmoid"),
        helper.make_node("Tanh", ["b"], ["c"], name="/part/two/Tanh"),
        helper.make_node("Conv", ["c", "w"], ["y"], name="/last/Conv"),
    ]
    model = model_of(nodes, MAP, {"w": numbers(4, 4, 1, 1)})
    network = load(str(saved(model, tmp_path))).model
    assert [step[0] for step in network.steps] == ["part.one", "other", "part.two", "last"]
    assert worst_gap(model, tmp_path, numbers(2, 4, 8, 8)) < 1e-6


HOSTILE = (
    '"); raise SystemExit("', "forward", "", "..", ".", "a..b", "training", "lambda", "__class__", "p2o.Conv.0",
    "x" * 5000, "con\nv", "weight", "a@2", "*?[", "{0}", "ﬁrst", "層/1:0", "0", "steps",
)  # fmt: skip


def test_names_are_text_whatever_they_are(tmp_path: Path) -> None:
    """Such as would be code, attributes of modules, or two of one name: each is a path of its own, and it runs."""
    weights, nodes = {"w": numbers(3, 3, 1, 1)}, []
    for place, name in enumerate((*HOSTILE, "twin", "twin")):
        nodes.append(helper.make_node("Conv", [f"v{place - 1}" if place else "x", "w"], [f"v{place}"], name=name))
    path = saved(model_of(nodes, ("n", 3, 4, 4), weights, outputs=[f"v{len(nodes) - 1}"]), tmp_path)
    network = load(str(path)).model
    paths = [name for name, part in network.named_modules() if isinstance(part, nn.Conv2d)]
    assert len(paths) == len(set(paths)) == len(nodes)
    assert all(len(name) < 200 and not set(name) & set("\"'\\\n{}[]@*?") for name in paths)
    assert "p2o.Conv.0" in paths
    layers = [layer.name for layer in ls.trace(str(path)).layers]
    assert len(layers) == len(set(layers)) == len(nodes)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_piece_of_a_name_is_one_that_a_module_can_have(name: str) -> None:
    """Neither code nor an attribute, never empty, and the same when it is read again."""
    for piece in name.split("."):
        found = safe(piece)
        assert found and safe(found) in (found, f"{found}_") and not hasattr(nn.Module(), found)


def test_parts_of_one_kind_are_of_one_class(tmp_path: Path) -> None:
    """Where nobody says classes, by the names of what they hold; so that blocks are told from other parts."""
    network = load(str(exported(small(), tmp_path / "small.onnx", 13))).model
    first, second = network.layer1
    assert type(first) is type(second) and isinstance(network.layer1, nn.Sequential)
    assert type(first).__module__.startswith("layerscope.")
