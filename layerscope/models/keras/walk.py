"""A Keras model's graph as a torch module: one child a layer, named as Keras names it, called in the graph's order.

A nested model is a child with children. A layer of the user's own is opened in the same way, by Keras' symbolic call,
so that the layers in it are seen; what stays closed is called as it is, on maps in Keras' order of axes.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from layerscope.core.errors import TraceError
from layerscope.models.keras.calls import HeldWeight, KerasCall, KerasModel, KerasStep, Slot, each, flat
from layerscope.models.keras.operations import operation_plan
from layerscope.models.keras.package import keras
from layerscope.models.keras.plans import AxisPlan, KerasLayer, Unplanned, number
from layerscope.models.keras.rows import plan_of


def torch_graph(graph: Any, axes: AxisPlan) -> KerasModel:
    """A graph of Keras (a Functional, or one that `opened_graph` made) as a torch module. Raises TraceError."""
    return _walked(graph, axes)


def operations_of(graph: Any, *, nested: bool = False) -> Iterator[Any]:
    """Every layer and operation of a graph in order, those of nested models too; with `nested` the models alone."""
    for node in _calls(graph):
        inner = graph_of(node.operation)
        if inner is None:
            yield from () if nested else (node.operation,)
        else:
            yield from (node.operation,) if nested else ()
            yield from operations_of(inner, nested=nested)


def graph_of(model: Any) -> Any:
    """The graph inside a Functional or Sequential; None where there is none."""
    if hasattr(model, "_nodes_by_depth") and hasattr(model, "_inputs"):
        return model
    return getattr(model, "_functional", None)


def _walked(graph: Any, axes: AxisPlan, kind: type | None = None) -> KerasModel:
    """kind: the class of a layer that was opened, whose name its calls bear."""
    numbers: dict[int, int] = {}

    def numbered(tensor: Any) -> int:
        return numbers.setdefault(id(tensor), len(numbers))

    taken = tuple(numbered(tensor) for tensor in graph._inputs)
    children: dict[int, str] = {}
    modules: dict[str, nn.Module] = {}
    steps: list[KerasStep] = []
    for node in _calls(graph):
        layer = isinstance(node.operation, keras().layers.Layer)
        name = children.get(id(node.operation)) if layer else None
        weights: dict[str, Tensor] = {}
        given = _without_training(node.arguments.kwargs) if layer else node.arguments.kwargs
        args, kwargs = (_with_slots(value, numbered, weights) for value in (node.arguments.args, given))
        if name is None:
            name = children[id(node.operation)] = _free(node.operation.name, modules)
            modules[name] = _child(node, (args, kwargs), weights, axes)
        gives = tuple(numbered(tensor) for tensor in node.outputs)
        steps.append(KerasStep(child=name, args=args, kwargs=kwargs, gives=gives))
    made = _class_of(kind)(tuple(steps), taken, tuple(numbered(tensor) for tensor in graph._outputs))
    made._modules.update(modules)
    return made


def _class_of(kind: type | None) -> type[KerasModel]:
    """KerasModel, by the name of the user's own class where it is one: by their classes blocks are told."""
    if kind is None:
        return KerasModel
    return type(kind.__name__, (KerasModel,), {"__module__": kind.__module__, "__qualname__": kind.__qualname__})


def _calls(graph: Any) -> Iterator[Any]:
    """The calls of a graph, in the order in which Keras makes them."""
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from (node for node in graph._nodes_by_depth[depth] if node.operation and not node.is_input)


def _without_training(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if name != "training" and not (name == "mask" and not value)}


def _child(node: Any, arguments: Any, weights: dict[str, Tensor], axes: AxisPlan) -> nn.Module:
    """The module of one layer or operation."""
    operation, ranks = node.operation, [len(tensor.shape) for tensor in node.input_tensors]
    if not isinstance(operation, keras().layers.Layer):
        sides = [weights[one.name] if isinstance(one, HeldWeight) else one for one in flat(arguments)]
        try:
            sides = [None if isinstance(side, Slot) else side for side in sides]
            return KerasLayer(operation_plan(operation, sides, ranks, axes))
        except Unplanned:
            return KerasCall(operation, axes, False, weights)
    if graph_of(operation) is not None:
        return _walked(graph_of(operation), axes)
    quantised = getattr(operation, "quantization_mode", None)
    if quantised:
        raise TraceError(
            f'the layer "{operation.name}" is quantised ({quantised}); give the network as it was before quantisation'
        )
    plan = plan_of(operation, axes, ranks[0] if ranks else 0)
    if plan is not None:
        return KerasLayer(plan)
    opened = opened_graph(operation, *node.arguments.args, **_without_training(node.arguments.kwargs))
    if opened is not None:
        return _walked(opened, axes, type(operation))
    return KerasCall(operation, axes, _trains(operation), weights)


def _trains(layer: Any) -> bool:
    return "training" in inspect.signature(layer.call).parameters


def opened_graph(layer: Any, *args: Any, **kwargs: Any) -> Any:
    """The graph of what a user's own layer or model calls, by a symbolic call with these (symbolic) arguments.

    None for Keras' own layers, and where the code of the layer does more than call layers and operations of Keras.
    """
    if type(layer).__module__.startswith("keras.src.layers."):
        return None
    package, found = keras(), []

    def fresh(value: Any) -> Any:
        if isinstance(value, package.KerasTensor):
            found.append(package.Input(batch_shape=value.shape, dtype=value.dtype))
            return found[-1]
        return each(value, fresh)

    args, kwargs = fresh(args), fresh(kwargs)
    if _trains(layer):
        kwargs["training"] = False
    called = [(part, list(part._inbound_nodes)) for part in layer._flatten_layers()]
    try:
        outputs = layer.call(*args, **kwargs)
        graph = package.Function(found, outputs)
    except Exception:
        return None
    finally:
        # The user's layers are left as they were: a further call in their record would make `layer.output` ambiguous.
        for part, nodes in called:
            part._inbound_nodes = nodes
    return graph if _calls_something(graph) else None


def _calls_something(graph: Any) -> bool:
    return next(_calls(graph), None) is not None


def _with_slots(value: Any, numbered: Callable[[Any], int], weights: dict[str, Tensor]) -> Any:
    """A node's arguments, with Slots for maps and HeldWeight for weights."""
    if isinstance(value, keras().KerasTensor):
        return Slot(numbered(value))
    if isinstance(value, keras().Variable | Tensor):
        found = number(value)
        assert found is not None
        name = f"weight_{len(weights)}" if weights else "weight"
        weights[name] = found
        return HeldWeight(name)
    return each(value, lambda one: _with_slots(one, numbered, weights))


def _free(name: str, modules: Mapping[str, nn.Module]) -> str:
    """A layer's name as a torch module's: without dots, and no attribute of every module."""
    name = str(name).replace(".", "_") or "layer"
    while name in modules or hasattr(nn.Module(), name):
        name += "_"
    return name
