"""A Keras file opened: `.keras` and `.h5` with a model in them; what Keras cannot read is told before it is asked.

What a file needs from its user's code is seen in its own description, so that layers are named and not a traceback.
"""

import json
import zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from layerscope.core.errors import TraceError, UsageError, nearest
from layerscope.core.failures import require_machine
from layerscope.core.keras_applications import APPLICATIONS
from layerscope.core.quiet import quiet
from layerscope.models.keras.package import keras
from layerscope.models.signatures import is_zip

_HAND_OVER = (
    "open it where that code is and hand over the model itself, ls.trace(model), or write a function that gives it "
    "into a file and name net.py:FUNCTION"
)
_THROUGH_ONNX = (
    "where TensorFlow is, make the model anew in Keras 3, take its weights over and save it as a .keras file, or turn "
    "it into ONNX with python -m tf2onnx.convert and give the .onnx file"
)


def opened(path: Path) -> Any:
    """The Keras model in a file. Raises UsageError where there is none, TraceError where it cannot be had."""
    _require_a_file(path)
    name = path.name
    described = _described(path)
    _require_known(described, name)
    try:
        with quiet():
            return keras().models.load_model(path, compile=False)
    except Exception as error:
        said = " ".join(str(error).split())[:240].rstrip(".")
        raise TraceError(
            f'"{name}" cannot be opened by Keras {keras().__version__}{_made_by(described)}: {type(error).__name__}: '
            f"{said}; {_HAND_OVER}"
        ) from error


def _require_a_file(path: Path) -> None:
    if path.is_dir():
        if (path / "saved_model.pb").is_file():
            raise TraceError(f'"{path}" is a SavedModel of TensorFlow, which only TensorFlow can run: {_THROUGH_ONNX}')
        raise UsageError(f'"{path}" is a folder; name a .keras or .h5 file in it')
    if not path.is_file():
        known = nearest(path.name, _beside(path) if path.suffix else list(APPLICATIONS))
        what = f'there is no file "{path}"' if path.suffix else f'Keras has no convolutional network "{path}"'
        raise UsageError(f"{what}{known}; write keras:FILE.keras, keras:FILE.h5 or keras:APPLICATION")
    if path.suffix in (".pb", ".pbtxt", ".meta"):
        raise TraceError(f'"{path.name}" is a graph of TensorFlow, which only TensorFlow can run: {_THROUGH_ONNX}')
    if path.suffix == ".tflite":
        raise TraceError(f'"{path.name}" is a TensorFlow Lite file: give the Keras model that it was made of')


def _beside(path: Path) -> list[str]:
    try:
        return [one.name for one in path.parent.iterdir() if one.suffix in (".keras", ".h5", ".hdf5")]
    except OSError:
        return []


def _described(path: Path) -> dict[str, Any]:
    """What a file says of its model: {"config": ..., "keras_version": ...}. Raises TraceError where it holds none."""
    try:
        if is_zip(path):
            return _of_archive(path)
        h5py = import_module("h5py")
        if h5py.is_hdf5(path):
            return _of_hdf5(path)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        require_machine(error, path, kind=UsageError)
        raise TraceError(f'"{path.name}" is damaged or cut short: copy or download it again') from error
    raise TraceError(f'"{path.name}" is no Keras file: neither the archive that a .keras file is, nor HDF5')


def _of_archive(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        if "config.json" not in archive.namelist():
            raise TraceError(f'"{path.name}" is an archive without config.json: no Keras model')
        content = {"config": json.loads(archive.read("config.json"))}
        if "metadata.json" in archive.namelist():
            content["keras_version"] = json.loads(archive.read("metadata.json")).get("keras_version")
        return content


def _of_hdf5(path: Path) -> dict[str, Any]:
    with import_module("h5py").File(path) as file:
        config = file.attrs.get("model_config")
        if config is None:
            raise TraceError(
                f'"{path.name}" holds weights and no architecture: make the model in code, load_weights of this file, '
                'and save all of it with model.save("model.keras"); those of an application go with '
                f"keras:APPLICATION --weights {path.name}"
            )
        return {"config": json.loads(config), "keras_version": str(file.attrs.get("keras_version", "")) or None}


def _require_known(described: dict[str, Any], name: str) -> None:
    """Raises TraceError that names what only its user's code, or another Keras, can make."""
    custom, lambdas, old = set[str](), set[str](), set[str]()
    registered = keras().saving.get_custom_objects()
    for one in _objects(described["config"]):
        kind = str(one.get("registered_name") or one["class_name"])
        if one["class_name"] == "Lambda":
            lambdas.add(str(_config(one).get("name", "?")))
        elif one["class_name"] in ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer", "ModuleWrapper"):
            old.add(str(_config(one).get("name", one["class_name"])))
        elif _is_custom(one) and not any(one_known in registered for one_known in (kind, one["class_name"])):
            custom.add(str(one["class_name"]))
    if custom:
        raise TraceError(f'"{name}" needs code that is not in it, for {_listed(custom)}: {_HAND_OVER}')
    if lambdas:
        raise TraceError(
            f'"{name}" holds Lambda layers ({_listed(lambdas)}), whose code would be run to open it: '
            f"load it yourself with safe_mode=False where you trust it, and {_HAND_OVER}"
        )
    if old:
        raise TraceError(
            f'"{name}" was made by Keras 2 with operations of TensorFlow as layers ({_listed(old)}), which Keras 3 '
            f"cannot make: {_THROUGH_ONNX}"
        )


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every layer and other object that a description names, wherever it stands."""
    if isinstance(config, dict):
        if isinstance(config.get("class_name"), str):
            yield config
        config = list(config.values())
    if isinstance(config, list):
        for one in config:
            yield from _objects(one)


def _config(one: dict[str, Any]) -> dict[str, Any]:
    config = one.get("config")
    return config if isinstance(config, dict) else {}


def _is_custom(one: dict[str, Any]) -> bool:
    """True where no module of Keras holds the class: the module is told by .keras files, and not by .h5 files."""
    if "module" in one:
        return not str(one["module"] or "custom").startswith(("keras", "builtins")) or ">" in str(
            one.get("registered_name") or ""
        )
    return ">" in str(one["class_name"])


def _listed(names: set[str]) -> str:
    first = sorted(names)[:6]
    return ", ".join(first) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _made_by(described: dict[str, Any]) -> str:
    version = described.get("keras_version")
    return f" (it was written by Keras {version})" if version else ""
