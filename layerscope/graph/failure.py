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

from layerscope.core.failures import chain
from layerscope.graph.module import Signature

_TORCH = os.path.dirname(torch.__file__) + os.sep
_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep
_LIBRARIES = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "purelib", "platlib")})

# What torch says, and what it means; the first that fits is said.
CAUSES: tuple[tuple[str, str], ...] = (
    (
        r"numpy|NumPy|array_interface",
        "it leaves torch for NumPy, where nothing can be traced; write it with torch's own functions",
    ),
    (
        r"data-dependent|_local_scalar_dense|unbacked",
        "it decides by the values in a tensor, or makes a Python number of them; a traced network does the same for "
        "every picture (torch.where chooses by values)",
    ),
    (
        r"Constraints violated \(batch\)|shape '\[.*for input of size .*s\d|same reduction dim.*\[\d+, [^\]]*s\d",
        "it holds for one number of pictures only: a batch size stands in the code, or int(x.shape[0]), or a loop over "
        "the pictures; take it from x.shape[0], and work on all pictures at once",
    ),
    (
        r"to have \d+ channels, but got \d+ channels",
        "this layer takes another number of channels than it is given; change the Input, or the model",
    ),
    (
        r"same reduction dim|shapes cannot be multiplied|is invalid for input of size",
        "this layer takes another number of values than an input of this height and width gives; change the Input",
    ),
    (
        r"Kernel size can't be greater|[Oo]utput size is too small",
        "the input is too small for this layer; give a larger Input",
    ),
    (
        r"same dtype|should be the same|expected scalar type",
        "number types are mixed; give the whole model one, such as model.float()",
    ),
    (
        r"on the same device|different devices|Unhandled FakeTensor Device",
        "tensors lie on different devices; move the whole model to one",
    ),
    (
        r"indices must be|too many indices|only integers, slices|new\(\): invalid data type 'str'",
        "it takes its input for a dictionary or a list of tensors; give a module that takes one tensor [n, c, h, w]",
    ),
)
_TAKES_APART = (
    "it goes through its input one by one: it wants a list of tensors, or works picture by picture; give a module that "
    "takes one tensor [n, c, h, w] and works on all pictures at once"
)
_FLAT = re.compile(r"(Conv|ConvTranspose|BatchNorm|InstanceNorm|MaxPool|AvgPool|AdaptiveMaxPool|AdaptiveAvgPool)[13]d")


def sentence(error: BaseException, model: nn.Module, call: Signature) -> str:
    """One sentence: the model, the input, the line or layer, the cause and what to do."""
    (example,) = (*call.args, *call.kwargs.values())
    head = f"{type(model).__name__} cannot be exported for an input of {list(example.shape[1:])}"
    frames = list(_frames(error))
    layer = _layer(frames, model)
    line, cause = _taken_apart(model, call), _TAKES_APART
    if not line:
        line, cause = _guarded(frames) or _line(frames), _cause(error, layer)
    where = line or (f'layer "{layer[0]}" ({layer[1]})' if layer and layer[0] else "")
    return f"{head}: {where + ': ' if where else ''}{cause}"


class _TakenApart(Exception):
    """A module goes through its input, picture by picture."""


class _IterationTrap(Tensor):
    """A tensor that tells where somebody goes through it one by one."""

    def __iter__(self) -> Iterator[Tensor]:
        raise _TakenApart


def _taken_apart(model: nn.Module, call: Signature) -> str:
    """The line that goes through the input one by one, found by running the module once; or nothing."""
    watched = [value.as_subclass(_IterationTrap) for value in (*call.args, *call.kwargs.values())]
    try:
        with torch.no_grad():
            model(*watched[: len(call.args)], **dict(zip(call.kwargs, watched[len(call.args) :], strict=True)))
    except _TakenApart as error:
        return _line(_walked(error))
    except Exception:
        return ""
    return ""


def _guarded(frames: list[tuple[FrameType, int]]) -> str:
    """The line at which torch found that a size cannot be free, where the error itself comes later."""
    for frame, _ in reversed(frames):
        for guard in getattr(frame.f_locals.get("self"), "guards", None) or ():
            place = getattr(getattr(guard, "sloc", None), "framework_loc", None)
            file, line = getattr(place, "filename", ""), getattr(place, "lineno", None)
            if file and line and _is_code(file) and not file.startswith(_LIBRARIES):
                return _quoted(file, line)
    return ""


def _frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    """Every frame that the error went through with its line, the innermost of the origin last."""
    for one in chain(error):
        yield from _walked(one)


def _walked(error: BaseException) -> list[tuple[FrameType, int]]:
    """The frames of one error behind the call of ours that began it."""
    found, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append((trace.tb_frame, trace.tb_lineno))
        if code.co_filename.startswith(_OURS) and code.co_name in ("attempt", _taken_apart.__name__):
            found = []
        trace = trace.tb_next
    return found


def _line(frames: list[tuple[FrameType, int]]) -> str:
    """The user's own line, of a library's where none is the user's."""
    found = [(f.f_code.co_filename, line) for f, line in frames if _is_code(f.f_code.co_filename)]
    own = [place for place in found if not place[0].startswith(_LIBRARIES)]
    for file, line in reversed(own or found):
        if linecache.getline(file, line).strip():
            return _quoted(file, line)
    return ""


def _quoted(file: str, line: int) -> str:
    text = linecache.getline(file, line).strip()
    return f'line {line} of {file.removeprefix(os.getcwd() + os.sep)} ("{text[:120]}")'


def _is_code(file: str) -> bool:
    return not file.startswith((_TORCH, _OURS, "<eval_with_key", "<frozen", "<string>"))


def _layer(frames: list[tuple[FrameType, int]], model: nn.Module) -> tuple[str, str] | None:
    """The innermost of the model's own modules that the error went through: path and class."""
    paths = {id(module): path for path, module in model.named_modules()}
    for frame, _ in reversed(frames):
        module = frame.f_locals.get("self")
        if isinstance(module, nn.Module) and id(module) in paths:
            return paths[id(module)], type(module).__name__
    return None


def _cause(error: BaseException, layer: tuple[str, str] | None) -> str:
    if layer is not None and _FLAT.fullmatch(layer[1]):
        return f"{layer[1]} is no layer of pictures: one- and three-dimensional networks are not known"
    said = " ".join(f"{type(one).__name__}: {one}" for one in chain(error))
    for pattern, clause in CAUSES:
        if re.search(pattern, said):
            return clause
    return _first_line(error)


def _first_line(error: BaseException) -> str:
    """What the error itself says first, without colours."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200].rstrip('.:')}" if lines else type(error).__name__
