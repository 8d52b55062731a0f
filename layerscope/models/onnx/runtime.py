"""An ONNX network's own forward: onnxruntime, which none of our code has a part in."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerscope.core.errors import TraceError
from layerscope.models.loaded import OwnForward

_KINDS: dict[str, type[np.generic]] = {
    "tensor(uint8)": np.uint8, "tensor(float16)": np.float16, "tensor(double)": np.float64
}  # fmt: skip
_SENTENCE = "onnxruntime, on pictures as layerscope prepares them (the file does not say how)"


def own_forward(path: Path, picture: str, outputs: Sequence[str], *, last: bool) -> OwnForward | None:
    """What runs a file by onnxruntime; None where that is not installed.

    picture, outputs: the names in the file. last: its pictures have their channels last.
    """
    if find_spec("onnxruntime") is None:
        return None

    def run(pictures: Tensor) -> list[Tensor]:
        array = np.ascontiguousarray((pictures.permute(0, 2, 3, 1) if last else pictures).numpy())
        try:
            return _run(path, picture, outputs, array)
        except Exception as error:
            said = " ".join(str(error).split())[:200]
            raise TraceError(f'onnxruntime does not run "{path}": {said}') from error

    return OwnForward(sentence=_SENTENCE, prepare=None, run=run)


def _run(path: Path, picture: str, outputs: Sequence[str], array: np.ndarray) -> list[Tensor]:
    """What a file gives for pictures, one by one: it may be fixed to one."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    kind = _KINDS.get(session.get_inputs()[0].type, np.float32)
    array = (array.round() if np.issubdtype(kind, np.integer) else array).astype(kind)
    each = [session.run(list(outputs), {picture: array[place : place + 1]}) for place in range(len(array))]
    return [torch.from_numpy(np.concatenate(one)) for one in zip(*each, strict=True)]
