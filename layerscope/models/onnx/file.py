"""An ONNX file as it lies on the disk: what it must be, and one sentence for each way in which it is not."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper
from onnx.external_data_helper import load_external_data_for_tensor, uses_external_data

from layerscope.core.errors import TraceError, UsageError, nearest

OLDEST = 7
_QUANTISED = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger")
_FEWEST = 4
_WAY_OUT = "give the file as it was before quantisation, in float32"


def model_in(path: Path) -> ModelProto:
    """The model in a file, with weights that lie beside it, its functions written out.

    Raises UsageError where there is no file; TraceError for what is no ONNX, is cut short or quantised, of an opset
    that is not known, or whose weights are missing.
    """
    if path.is_dir():
        raise UsageError(f'"{path}" is a folder; name the .onnx file in it')
    if not path.is_file():
        beside = [one.name for one in path.parent.glob("*.onnx")] if path.parent.is_dir() else []
        raise UsageError(f'there is no file "{path}"{nearest(path.name, beside)}')
    model = _parsed(path)
    _refuse_what_is_newer(model, path)
    _refuse_quantised(model, path)
    _load_weights_beside(model, path)
    if model.functions:
        from onnx.inliner import inline_local_functions

        model = inline_local_functions(model)
    return model


def opsets(model: ModelProto) -> dict[str, int]:
    """The version of each domain, torch's and everybody's written ""."""
    return {domain(entry.domain): entry.version for entry in model.opset_import}


def domain(name: str) -> str:
    """A domain's name, one for that of ONNX itself."""
    return "" if name == "ai.onnx" else name


def graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """A graph, and those inside its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs) if attribute.HasField("g") or attribute.graphs else ():
                yield from graphs(inner)


def names_read(graph: GraphProto) -> set[str]:
    """The names of all values that a node of a graph, or of one inside it, reads, or that it gives."""
    found = {one.name for one in graph.output}
    for node in graph.node:
        found.update(node.input)
        for each in node.attribute:
            if each.HasField("g"):
                found |= names_read(each.g)
    return found


def _parsed(path: Path) -> ModelProto:
    model = ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise TraceError(f'"{path}" cannot be read as ONNX: {_no_onnx(path)}') from error
    except OSError as error:
        raise UsageError(f'"{path}" cannot be read: {error.strerror}') from error
    if not model.graph.node or not model.opset_import:
        raise TraceError(f'"{path}" cannot be read as ONNX: {_no_onnx(path)}')
    return model


def _no_onnx(path: Path) -> str:
    from layerscope.models.signatures import kind_of_file

    kind = kind_of_file(path)
    if not path.stat().st_size:
        return "it is empty; copy or download it again"
    if "ONNX" in kind.what or "not known" in kind.what:
        return "it is damaged or cut short, or something else; copy or download it again"
    return f"it is {kind.what}"


def _refuse_what_is_newer(model: ModelProto, path: Path) -> None:
    newest, found = onnx.defs.onnx_opset_version(), opsets(model).get("")
    if found is None:
        listed = ", ".join(sorted(filter(None, opsets(model)))) or "none"
        raise TraceError(
            f'"{path}" has no operators of ONNX itself, but of other domains ({listed}); no network of these can be had'
        )
    if found > newest:
        raise TraceError(
            f'"{path}" is written in ONNX opset {found}, and the installed onnx {onnx.__version__} knows those up to '
            f"{newest}: pip install --upgrade onnx, or export it with opset_version={newest}"
        )
    if found < OLDEST:
        raise TraceError(
            f'"{path}" is written in ONNX opset {found}, whose operators meant something else; export it again with '
            "opset_version=17, or bring it up with onnx.version_converter.convert_version(model, 17)"
        )


def _refuse_quantised(model: ModelProto, path: Path) -> None:
    found = Counter(node.op_type for graph in graphs(model.graph) for node in graph.node if _is_quantised(node))
    if found:
        listed = ", ".join(f"{name} {count}" for name, count in found.most_common(4))
        raise TraceError(f'"{path}" is quantised ({listed}), and whole numbers have no gradients: {_WAY_OUT}')


def _is_quantised(node: NodeProto) -> bool:
    return node.op_type in _QUANTISED or node.op_type.startswith("QLinear")


def _load_weights_beside(model: ModelProto, path: Path) -> None:
    """Fill in the tensors that lie in other files; they must be beside this one."""
    tensors = [tensor for tensor in _tensors(model) if uses_external_data(tensor)]
    places = {_location(tensor) for tensor in tensors}
    for place in sorted(places):
        if not place or os.path.isabs(place) or ".." in Path(place).parts:
            raise TraceError(
                f'"{path}" keeps weights in "{place}", which is no file beside it; save it again with onnx'
            )
    missing = sorted(place for place in places if not (path.parent / place).is_file())
    if missing:
        count = sum(_location(tensor) in missing for tensor in tensors)
        rest = f" and {len(missing) - _FEWEST} more" if len(missing) > _FEWEST else ""
        raise TraceError(
            f'"{path}" keeps {count} of its weights in another file, which is missing: put '
            f'{", ".join(missing[:_FEWEST])}{rest} into "{path.parent}", where it lay when the network was exported'
        )
    for tensor in tensors:
        place = _location(tensor)
        try:
            load_external_data_for_tensor(tensor, str(path.parent))
            numpy_helper.to_array(tensor)
        except Exception as error:
            raise TraceError(
                f'the weights "{tensor.name}" of "{path}" cannot be read from "{place}" beside it: it is cut '
                "short, or another network's; copy or download both again"
            ) from error


def _location(tensor: TensorProto) -> str:
    return next((entry.value for entry in tensor.external_data if entry.key == "location"), "")


def _tensors(model: ModelProto) -> Iterator[Any]:
    for graph in graphs(model.graph):
        yield from graph.initializer
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                yield from attribute.tensors
