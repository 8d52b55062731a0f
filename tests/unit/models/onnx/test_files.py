"""What is wrong with an ONNX file is told in one sentence, before anything is run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from layerscope.core.errors import TraceError, UsageError
from layerscope.models import load
from tests.helpers.onnx_files import model_of, numbers, saved

CONV = helper.make_node("Conv", ["x", "w"], ["y"], name="conv")
WEIGHTS = {"w": numbers(4, 3, 3, 3)}


def nothing(model: onnx.ModelProto) -> None:
    """The model as it is."""


def newer(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 99


def older(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 6


def of_others(model: onnx.ModelProto) -> None:
    model.opset_import[0].domain = "ai.onnx.ml"


def quantised(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("QuantizeLinear", ["y", "scale"], ["z"]))
    model.graph.node.append(helper.make_node("QLinearConv", ["z"], ["q"]))


def two_inputs(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["n", 1, 8, 8]))


def no_input(model: onnx.ModelProto) -> None:
    del model.graph.input[:]


def rows_of_numbers(model: onnx.ModelProto) -> None:
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 784]))


def text(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING


def many_channels(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 500


def unknown_first(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "Unheard"
    model.graph.node[0].domain = "of.somebody"


def elsewhere(model: onnx.ModelProto, place: str = "m.onnx.data") -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=place)


def outside(model: onnx.ModelProto) -> None:
    elsewhere(model, "../secret.bin")


def loop(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "Loop"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (newer, 'm.onnx" is written in ONNX opset 99, and the installed onnx .* knows those up to 2.: pip install'),
        (older, 'm.onnx" is written in ONNX opset 6, whose operators meant something else; export it again'),
        (of_others, r'm.onnx" has no operators of ONNX itself, but of other domains \(ai.onnx.ml\)'),
        (quantised, r"is quantised \(QuantizeLinear 1, QLinearConv 1\), and .*: give the file as it was before"),
        (two_inputs, r'"m.onnx" takes 2 inputs \(x \[n, 3, 8, 8\], mask \[n, 1, 8, 8\]\); only networks of one'),
        (no_input, '"m.onnx" takes no input, and so no picture'),
        (rows_of_numbers, r'"m.onnx" takes \[n, 784\], which is no picture: expected \[pictures, channels'),
        (text, '"m.onnx" takes numbers of the type STRING, which no picture has'),
        (many_channels, r"takes \[n, 500, 8, 8\]: no picture has 500 channels"),
        (unknown_first, 'nothing of .*m.onnx" can be had: Unheard of of.somebody: it is an operator that is not known'),
        (elsewhere, 'keeps 1 of its weights in another file, which is missing: put m.onnx.data into "'),
        (outside, 'keeps weights in "../secret.bin", which is no file beside it'),
        (loop, "nothing of .* can be had: Loop: it is a loop"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_had_says_why(
    change: Callable[[onnx.ModelProto], None], said: str, tmp_path: Path
) -> None:
    """One sentence: what, where, what to do."""
    model = model_of([CONV], weights=WEIGHTS)
    change(model)
    with pytest.raises(TraceError, match=said) as raised:
        load(str(saved(model, tmp_path)))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cannot be read as ONNX: it is empty"),
        (b"\x08\x08\x12\x07pytorch" + b"\xff" * 99, "cannot be read as ONNX: it is damaged or cut short"),
        (b"<!DOCTYPE html><html>sign in</html>", "cannot be read as ONNX: it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "cannot be read as ONNX: it is a Git LFS pointer"),
        (b"PK\x03\x04" + bytes(99), "cannot be read as ONNX: it is a zip archive"),
    ],
)
def test_another_file_in_its_place_is_told(content: bytes, said: str, tmp_path: Path) -> None:
    """By what it is."""
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(TraceError, match=said):
        load(str(tmp_path / "m.onnx"))


def test_a_file_that_is_cut_short_is_told(tmp_path: Path) -> None:
    """Wherever it was cut."""
    whole = model_of([CONV], weights=WEIGHTS).SerializeToString()
    for length in range(1, len(whole) - 1, len(whole) // 9):
        (tmp_path / "m.onnx").write_bytes(whole[:length])
        with pytest.raises(TraceError, match=r"cannot be read as ONNX|can be had|takes no input|has no operators"):
            load(str(tmp_path / "m.onnx"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With the nearest that is; a folder is none."""
    saved(model_of([CONV], weights=WEIGHTS), tmp_path, "resnet.onnx")
    with pytest.raises(UsageError, match=r'there is no file ".*resnett.onnx"; did you mean resnet.onnx\?'):
        load(str(tmp_path / "resnett.onnx"))
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(UsageError, match=r"is a folder; name the \.onnx file in it"):
        load(str(tmp_path / "folder.onnx"))


def test_weights_beside_the_file_are_read(tmp_path: Path) -> None:
    """As the file says; where they are cut short, that is told."""
    model = model_of([CONV], weights=WEIGHTS)
    elsewhere(model)
    beside = tmp_path / "m.onnx.data"
    beside.write_bytes(WEIGHTS["w"].tobytes())
    assert np.array_equal(load(str(saved(model, tmp_path))).model.state_dict()["conv.weight"].numpy(), WEIGHTS["w"])
    beside.write_bytes(b"few")
    with pytest.raises(TraceError, match=r'the weights "w" of ".*m.onnx" cannot be read from "m.onnx.data" beside it'):
        load(str(tmp_path / "m.onnx"))


def test_narrow_weights_are_computed_with_in_float32(tmp_path: Path) -> None:
    """Number for number, of float16, and a cast between them changes nothing."""
    weights = {"w": WEIGHTS["w"].astype(np.float16)}
    nodes = [
        helper.make_node("Cast", ["x"], ["half"], to=TensorProto.FLOAT16),
        helper.make_node("Conv", ["half", "w"], ["y"]),
    ]
    (kept,) = load(str(saved(model_of(nodes, weights=weights), tmp_path))).model.state_dict().values()
    assert np.array_equal(kept.numpy(), weights["w"].astype(np.float32))


@pytest.mark.parametrize(
    ("shape", "expected", "said"),
    [
        (("n", 3, 20, 30), (3, 20, 30), ""),
        ((1, 1, 20, 30), (1, 20, 30), ""),
        (("n", "c", "h", "w"), (3, 224, 224), "leaves the size of its pictures open; 224 x 224 is taken: --input 3xH"),
        (("n", 3, "h", 64), (3, 224, 64), "224 x 64 is taken"),
        (("n", 20, 30, 3), (3, 20, 30), ""),
        (("n", 5, 20, 30), (5, 20, 30), ""),
    ],
)  # fmt: skip
def test_what_a_file_expects_is_what_its_input_says(
    shape: tuple[int | str, ...], expected: tuple[int, ...], said: str, tmp_path: Path
) -> None:
    """Channels first or last, fixed or open; what is assumed is told."""
    channels = next(size for size in (*shape[1:], 3) if size in (1, 3, 5) or size == "c")
    channels = 3 if channels == "c" else channels
    nodes = [helper.make_node("Conv", ["v" if shape[-1] == 3 else "x", "w"], ["y"], name="conv")]
    if shape[-1] == 3:
        nodes.insert(0, helper.make_node("Transpose", ["x"], ["v"], perm=[0, 3, 1, 2]))
    loaded = load(str(saved(model_of(nodes, shape, {"w": numbers(2, channels, 1, 1)}), tmp_path)))
    assert loaded.input is not None and loaded.input.shape == expected
    assert said in loaded.remarks[0]
    assert "m.onnx does not say how its pictures were prepared: unless --mean, --std or --order" in loaded.remarks[-1]


def test_the_range_and_order_that_a_file_states_are_taken(tmp_path: Path) -> None:
    """Whole numbers are pictures from 0 to 255, and so says ONNX's own word for it."""
    model = model_of([helper.make_node("Cast", ["x"], ["v"], to=1), helper.make_node("Relu", ["v"], ["y"])],
                     elements=TensorProto.UINT8)  # fmt: skip
    assert load(str(saved(model, tmp_path))).input.std == (1 / 255,) * 3
    model = model_of([CONV], weights=WEIGHTS)
    for key, value in (("Image.BitmapPixelFormat", "Bgr8"), ("Image.NominalPixelRange", "NominalRange_0_255")):
        model.metadata_props.add(key=key, value=value)
    expected = load(str(saved(model, tmp_path))).input
    assert (expected.order, expected.std) == ("BGR", (1 / 255,) * 3)


@pytest.mark.parametrize(
    ("operator", "constant", "whole"),
    [
        ("Mul", 1 / 255, True), ("Mul", 1 / 127.5, True), ("Div", 255.0, True), ("Sub", 123.7, True),
        ("Add", -104, True),
        ("Mul", 2.0, False), ("Div", 0.225, False), ("Sub", 0.45, False), ("Add", 123.7, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("held", ["among the weights", "in a node"])
def test_a_network_that_brings_its_pictures_down_gets_them_large(
    operator: str, constant: float, whole: bool, held: str, tmp_path: Path
) -> None:
    """What begins by dividing by 255, or takes off a mean that no number from 0 to 1 has, gets 0 to 255."""
    value = np.array(constant, np.float32)
    nodes = [helper.make_node("Cast", ["x"], ["v"], to=1), helper.make_node(operator, ["v", "c"], ["y"])]
    if held == "in a node":
        nodes.insert(0, helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(value)))
    model = model_of(nodes, weights={"c": value} if held == "among the weights" else {})
    assert load(str(saved(model, tmp_path))).input.std == (1 / 255 if whole else 1.0,) * 3


def test_weights_do_not_go_with_it(tmp_path: Path) -> None:
    """A file beside it would not be used, so it is refused."""
    path = saved(model_of([CONV], weights=WEIGHTS), tmp_path)
    with pytest.raises(UsageError, match="holds its own weights; --weights goes with"):
        load(str(path), weights=tmp_path / "w.pt")


def test_a_constant_as_a_tensor_of_a_node_is_read(tmp_path: Path) -> None:
    """Weights may stand in Constant nodes, as older exporters write them."""
    nodes = [helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(WEIGHTS["w"])), CONV]
    assert np.array_equal(load(str(saved(model_of(nodes), tmp_path))).model.conv.weight.detach(), WEIGHTS["w"])
