"""Why a module cannot be exported, in one sentence: the user's own line, and the cause in words.

torch tells of symbols and guards, and of the user's line last, if at all. The line is in the traceback: the last frame
that is neither torch's nor ours. The causes that are known are one table.
"""

import linecache
import os
import re
import sysconfig
from collections.abc import Iterator
from types import FrameType

import torch
from torch import Tensor, nn

_TORCH = os.path.dirname(torch.__file__) + os.sep
_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep
_LIBRARIES = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "purelib", "platlib")})

# What torch says, and what it means; the first that fits is said.
CAUSES: tuple[tuple[str, str], ...] = (
    (
        r"data-dependent|data.dependent|GuardOnDataDependent|_local_scalar_dense|unbacked",
        "it decides by the values of the picture, or makes a Python number of them; a traced network does the same for "
        "every picture (torch.where chooses by values)",
    ),
    (
        r"numpy|NumPy|array_interface|data pointer|__array__",
        "it leaves torch for NumPy, where nothing can be traced; write it with torch's own functions",
    ),
    (
        r"Constraints violated \(batch\)|inferred to be a constant|marked batch as dynamic|specializ",
        "the number of pictures is written into the code (a fixed batch size, int(x.shape[0]) or a loop over the pictures); "
        "take it from x.shape[0], and work on all pictures at once",
    ),
    (
        r"is invalid for input of size .*s\d+|shape '\[.*s\d+|size mismatch.*s\d+",
        "a shape in the code fits one number of pictures only; take it from x.shape[0], or leave it out with -1 behind it",
    ),
    (
        r"to have (\d+) channels, but got (\d+) channels|expected input.* to have",
        "the layer takes another number of channels than it is given",
    ),
    (
        r"mat1 and mat2 shapes cannot be multiplied|size mismatch",
        "its dense layer takes another number of values than an input of this height and width gives",
    ),
    (
        r"Kernel size can't be greater|Output size is too small|non-positive|too small",
        "the input is too small for this layer",
    ),
    (
        r"same dtype|should be the same|expected scalar type|dtype",
        "it mixes number types; let the weights have one",
    ),
    (
        r"on the same device|different devices|device",
        "its tensors lie on different devices; move the whole model to one",
    ),
    (
        r"string indices|too many indices|indices must be|not iterable|cannot unpack|unpack|has no attribute",
        "it wants something else than one tensor of pictures (a list, a tuple, a dictionary); give a module that takes one",
    ),
)
_FLAT = re.compile(r"(Conv|ConvTranspose|BatchNorm|InstanceNorm|MaxPool|AvgPool|AdaptiveMaxPool|AdaptiveAvgPool)[13]d")


def sentence(error: BaseException, model: nn.Module, example: Tensor) -> str:
    """One sentence: the model, the input, the line or layer, the cause and what to do."""
    frames = list(_frames(error))
    head = f"{type(model).__name__} cannot be exported for an input of {list(example.shape[1:])}"
    layer = _layer(frames, model)
    where = _line(frames) or (f'layer "{layer[0]}" ({layer[1]})' if layer and layer[0] else "")
    return f"{head}: {where + ': ' if where else ''}{_cause(error, layer, model, example)}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, the origin last."""
    seen: set[int] = set()
    todo: BaseException | None = error
    while todo is not None and id(todo) not in seen:
        seen.add(id(todo))
        yield todo
        todo = todo.__cause__ or todo.__context__


def _frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    """Every frame that the error went through with its line, the innermost of the origin last."""
    for one in reversed([*_chain(error)][::-1]):
        trace = one.__traceback__
        while trace is not None:
            yield trace.tb_frame, trace.tb_lineno
            trace = trace.tb_next


def _line(frames: list[tuple[FrameType, int]]) -> str:
    """The user's own line, of a library's where none is the user's."""
    found = [(f.f_code.co_filename, line) for f, line in frames if _is_code(f.f_code.co_filename)]
    own = [place for place in found if not place[0].startswith(_LIBRARIES)]
    for file, line in reversed(own or found):
        text = linecache.getline(file, line).strip()
        if text:
            return f'line {line} of {_short(file)} ("{text[:120]}")'
    return ""


def _is_code(file: str) -> bool:
    return not file.startswith((_TORCH, _OURS, "<eval_with_key", "<frozen", "<string>"))


def _short(file: str) -> str:
    here = os.getcwd() + os.sep
    return file.removeprefix(here)


def _layer(frames: list[tuple[FrameType, int]], model: nn.Module) -> tuple[str, str] | None:
    """The innermost of the model's own modules that the error went through: path and class."""
    paths = {id(module): path for path, module in model.named_modules()}
    for frame, _ in reversed(frames):
        module = frame.f_locals.get("self")
        if isinstance(module, nn.Module) and id(module) in paths:
            return paths[id(module)], type(module).__name__
    return None


def _cause(error: BaseException, layer: tuple[str, str] | None, model: nn.Module, example: Tensor) -> str:
    if layer is not None and _FLAT.fullmatch(layer[1]):
        return f"{layer[1]} is no layer of pictures: one- and three-dimensional networks are not known"
    said = " ".join(f"{type(one).__name__}: {one}" for one in _chain(error))
    for pattern, clause in CAUSES:
        if re.search(pattern, said):
            return clause
    return _first_line(error)


def _first_line(error: BaseException) -> str:
    """What the error itself says first, without colours."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200].rstrip('.:')}" if lines else type(error).__name__
