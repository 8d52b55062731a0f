"""Keras networks by name, by file and as held: each a torch module of the same layers, held to Keras' own numbers."""

from pathlib import Path
from typing import Any

from layerscope.core.errors import TraceError, UsageError
from layerscope.core.keras_applications import APPLICATIONS, PREFIX, PREPARED, mode_of
from layerscope.core.networks import NONE
from layerscope.core.quiet import quiet
from layerscope.core.records import Input
from layerscope.models.keras.files import opened
from layerscope.models.keras.own import own_forward, require_the_same
from layerscope.models.keras.package import keras
from layerscope.models.keras.plans import AxisPlan
from layerscope.models.keras.preparation import MODES, fields_of, mode_named
from layerscope.models.keras.walk import graph_of, opened_graph, operations_of, torch_graph
from layerscope.models.loaded import RANDOM_SEED, Loaded

# The side that is taken for a network of pictures of any size.
ANY_SIDE = 224


def keras_application(spec: str, *, weights: str | Path | None = None, with_weights: bool = True) -> Loaded:
    """A network of keras.applications: with its published weights, a file's, or random ones ("/none" behind it)."""
    text, _, word = spec.removeprefix(PREFIX).partition(PREPARED)
    name, _, choice = text.partition("/")
    if choice not in ("", NONE[1:]):
        raise UsageError(f'"{spec}": only {NONE} (random weights) can follow the name')
    if choice and weights is not None:
        raise UsageError(f'"{spec}" asks for random weights, and --weights for those of a file: one')
    published = with_weights and not choice and weights is None
    package = keras()
    package.utils.set_random_seed(RANDOM_SEED)
    try:
        with quiet():
            model = getattr(package.applications, name)(weights="imagenet" if published else None)
    except Exception as error:
        raise TraceError(_not_made(name, error, published)) from error
    if weights is not None:
        _fill(model, Path(weights).expanduser(), name)
    mode = mode_named(word) if word else APPLICATIONS[name]
    remark = f"pictures are given to {name} {MODES[mode][1]}"
    return _loaded(model, spec, mode, (remark,), classes=_classes(model))


def keras_file(spec: Any, *, weights: object = None, with_weights: bool = True) -> Loaded:
    """The model in a `.keras` or `.h5` file, or one that the user holds."""
    if not isinstance(spec, str):
        return keras_model(spec)
    text, _, word = spec.removeprefix(PREFIX).partition(PREPARED)
    mode = mode_named(word) if word else None
    path = Path(text).expanduser()
    return keras_model(opened(path), path.name, mode)


def keras_model(model: Any, name: str = "", mode: str | None = None) -> Loaded:
    """A Keras model that is held. name: as it is told; mode: how its pictures are prepared, where that was said."""
    _require_a_model(model)
    mode_remarks: tuple[str, ...] = ()
    name = name or str(model.name)
    graph = _graph(model, name)
    if mode is None:
        mode, mode_remarks = _mode_seen(graph, name)
    return _loaded(model, name, mode, mode_remarks, graph=graph)


def _loaded(
    model: Any, name: str, mode: str, mode_remarks: tuple[str, ...], *, graph: Any = None, classes: tuple[str, ...] = ()
) -> Loaded:
    graph = graph or _graph(model, name)
    shape, remarks = _shape(graph, name)
    axes = _axes(graph, name)
    assert len(shape) == 3
    height, width, channels = (shape[0], shape[1], shape[2]) if axes.last else (shape[1], shape[2], shape[0])
    if channels is None:
        raise TraceError(f"{name} does not say how many channels its pictures have: give its Input a shape that does")
    sized = [side or ANY_SIDE for side in (height, width)]
    if None in (height, width):
        remarks += (f"{name} takes pictures of any size: {sized[0]}x{sized[1]} px is taken; --input asks for another",)
    twin = torch_graph(graph, axes).eval()
    expected = Input(channels=channels, height=sized[0], width=sized[1], crop="squash", **fields_of(mode, channels))
    require_the_same(model, twin, axes, expected, name, coarse=bool(_coarse(graph)))
    resized = (
        "pictures are squashed to its size by Pillow's bilinear interpolation; keras.utils.load_img takes "
        "--interpolation nearest where it is not told another"
    )
    return Loaded(
        name=name, model=twin, input=expected, classes=classes, own=own_forward(model, axes, expected, mode),
        remarks=(*mode_remarks, *remarks, resized, *_odd(graph)),
    )  # fmt: skip


def _require_a_model(model: Any) -> None:
    package = keras()
    if isinstance(model, package.Model):
        return
    what = type(model)
    if what.__module__.startswith(("tf_keras", "tensorflow")):
        raise UsageError(
            f"the model is one of Keras 2 ({what.__module__}): save it as a .keras file that Keras 3 can read, or turn "
            "it into ONNX with python -m tf2onnx.convert"
        )
    raise UsageError(f"a Keras layer ({what.__name__}) is no network: hand over a keras.Model that holds it")


def _graph(model: Any, name: str) -> Any:
    """The graph of a model; of one whose call is the user's own code, by a symbolic call."""
    graph = graph_of(model)
    if graph is None:
        shape = _built_shape(model)
        if shape is None:
            raise TraceError(f"{name} does not know its input's shape yet: call it once on a batch of pictures before")
        graph = opened_graph(model, keras().Input(batch_shape=(None, *shape[1:])))
    if graph is None:
        raise TraceError(
            f"{name} ({type(model).__name__}) cannot be taken apart: its call does more than call layers and "
            "operations of Keras; write it with keras.layers and keras.ops alone, or as a Functional model"
        )
    return graph


def _built_shape(model: Any) -> tuple[int | None, ...] | None:
    config = model.get_build_config() or {}
    shape: Any = config.get("input_shape")
    if not isinstance(shape, list | tuple) or any(isinstance(side, list | tuple) for side in shape):
        return None
    return tuple(shape) or None


def _shape(graph: Any, name: str) -> tuple[tuple[int | None, ...], tuple[str, ...]]:
    """The shape of the one picture that a graph takes, without the batch."""
    inputs = graph._inputs
    if len(inputs) != 1:
        listed = ", ".join(str(tensor.name) for tensor in inputs)
        raise TraceError(
            f"{name} takes {len(inputs)} inputs ({listed}); only networks of one picture are known: hand over the part "
            "that sees one, keras.Model(picture, output)"
        )
    shape = tuple(inputs[0].shape)[1:]
    if len(shape) != 3:
        raise TraceError(
            f"{name} takes {list(shape)} without the batch: only networks of pictures, of three axes, are known"
        )
    return shape, ()


def _axes(graph: Any, name: str) -> AxisPlan:
    """The order of a model's axes, by its convolutions and pools."""
    orders = {
        operation.data_format for operation in operations_of(graph)
        if getattr(operation, "data_format", None) and hasattr(operation, "strides")
    }  # fmt: skip
    if len(orders) > 1:
        raise TraceError(f"{name} has layers of both orders of axes, channels_last and channels_first: give it one")
    order = next(iter(orders), keras().config.image_data_format())
    return AxisPlan(last=order == "channels_last")


def _mode_seen(graph: Any, name: str) -> tuple[str, tuple[str, ...]]:
    """How pictures are prepared, as far as the network shows it, and what is assumed."""
    for operation in operations_of(graph):
        kind = type(operation).__name__
        if kind in ("Rescaling", "Normalization") or not isinstance(operation, keras().layers.Layer):
            return "raw", (f"{name} begins by rescaling: pictures are given to it {MODES['raw'][1]}",)
        if hasattr(operation, "kernel") or hasattr(operation, "depthwise_kernel"):
            break
    named = [str(one) for one in (getattr(graph, "name", ""), *(m.name for m in operations_of(graph, nested=True)))]
    application = next((one for one in named if mode_of(one) not in (None, "raw")), None)
    instead = f"write {PREFIX}FILE{PREPARED}WORD, with one of {', '.join(MODES)}, where it was trained otherwise"
    if application is not None:
        mode = str(mode_of(application))
        return mode, (f"{name} holds {application}: pictures are given to it {MODES[mode][1]}; {instead}",)
    return "unit", (
        f"nothing in {name} says how pictures become its input: they are given to it {MODES['unit'][1]}; {instead}",
    )


def _odd(graph: Any) -> tuple[str, ...]:
    """What differs between this Keras and others, where the network has it."""
    found = []
    averages = [
        operation.name for operation in operations_of(graph)
        if type(operation).__name__ == "AveragePooling2D" and operation.padding == "same"
        and max(operation.strides) > 1
    ]  # fmt: skip
    if averages:
        found.append(
            f'averages padded to "same" ({averages[0]}) are as Keras has them on torch, which repeats the border where '
            "TensorFlow leaves it out"
        )
    coarse = _coarse(graph)
    if coarse:
        found.append(f"Keras computes the network in {coarse}; here it is computed in float32")
    return tuple(found)


def _coarse(graph: Any) -> str:
    """The policy of half precision that the network has, "" for none."""
    policies = {str(one.dtype_policy.name) for one in operations_of(graph) if hasattr(one, "dtype_policy")}
    return next((policy for policy in sorted(policies) if policy.endswith("float16")), "")


def _fill(model: Any, path: Path, name: str) -> None:
    if not path.is_file():
        raise UsageError(f'there is no weights file "{path}"')
    try:
        with quiet():
            model.load_weights(path)
    except Exception as error:
        said = " ".join(str(error).split())[:200].rstrip(".")
        raise TraceError(f'"{path.name}" does not fit {name}: {said}') from error


def _not_made(name: str, error: Exception, published: bool) -> str:
    said = " ".join(str(error).split())[:200].rstrip(".")
    if published and not isinstance(error, ValueError):
        return (
            f"the weights of {PREFIX}{name} cannot be fetched ({said}); give a file with --weights, or "
            f"{PREFIX}{name}{NONE} for random ones"
        )
    return f"Keras cannot make {name}: {said}"


def _classes(model: Any) -> tuple[str, ...]:
    """The names of ImageNet's classes, for a network that has them."""
    from torchvision.models import ResNet50_Weights

    names = tuple(ResNet50_Weights.DEFAULT.meta["categories"])
    return names if tuple(model.output.shape)[1:] == (len(names),) else ()
