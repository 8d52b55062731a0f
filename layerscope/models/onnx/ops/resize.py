"""Maps of another size: torch's own way of resizing where it is the file's, else the file's written out."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.models.onnx.calls import OnnxCall, Unread
from layerscope.models.onnx.ops.table import Computed, OnnxOperator

_MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "cubic": "cubic"}
_ROUND = {
    "round_prefer_floor": lambda place: math.ceil(place - 0.5),
    "round_prefer_ceil": lambda place: math.floor(place + 0.5),
    "floor": math.floor,
    "ceil": math.ceil,
}
_HALVES = ("half_pixel", "pytorch_half_pixel")
_TRANSFORMS = (*_HALVES, "align_corners", "asymmetric", "half_pixel_symmetric")


def _resize(call: OnnxCall) -> Computed:
    mode, old = _MODES.get(call.given("mode", "nearest")), call.opset < 11
    transform = call.given("coordinate_transformation_mode", "asymmetric" if old else "half_pixel")
    rounding = call.given("nearest_mode", "floor" if old else "round_prefer_floor")
    if mode is None or transform not in _TRANSFORMS or rounding not in _ROUND:
        raise Unread(f'resizes in the mode "{call.given("mode")}" with the coordinates "{transform}"')
    if call.given("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise Unread("keeps the aspect of the map while it resizes it")
    cubic = (call.given("cubic_coeff_a", -0.75), call.given("exclude_outside", 0)) == (-0.75, 0)
    if call.given("antialias", 0):
        raise Unread("smooths a map while it resizes it (antialias), otherwise than torch does")
    if mode == "cubic" and not (cubic and transform in (*_HALVES, "align_corners")):
        raise Unread(f'resizes in the mode "cubic" otherwise than torch does (coordinates "{transform}")')
    by = partial(
        resized,
        mode=mode,
        transform=transform,
        rounding=rounding,
        axes=tuple(call.given("axes", ())),
    )
    if call.opset < 9:
        return Computed(by=partial(by, scales=tuple(call.attributes["scales"])))
    if call.opset < 11:
        return Computed(by=by, inputs=(0, 1), plain=(1,))
    places = [place for place in (0, 2, 3) if place == 0 or place < len(call.inputs)]
    return Computed(by=by, inputs=tuple(places), plain=(2, 3))


def resized(
    x: Tensor, scales: Any = None, sizes: Any = None, *, mode: str, transform: str, rounding: str, 
    axes: Sequence[int],
) -> Tensor:  # fmt: skip
    """A map of another height and width. scales, sizes: of these axes, or of all; one of the two."""
    given = sizes if sizes is not None and len(sizes) else scales
    places = [axis % x.dim() for axis in (axes or range(len(given)))]
    by_size = given is sizes
    wanted, scale = dict[int, int](), dict[int, float]()
    for axis, value in zip(places, given, strict=True):
        if axis < 2:
            if not by_size and float(value) != 1:
                raise Unread("resizes the axis of the channels or of the pictures")
            continue
        size = x.shape[axis]
        wanted[axis] = int(value) if by_size else math.floor(size * float(value))
        scale[axis] = wanted[axis] / size if by_size else float(value)
    changed = [axis for axis in wanted if wanted[axis] != x.shape[axis] or scale[axis] != 1]
    if not changed:
        return x
    own = _as_torch_does(x, wanted, scale, by_size, mode, transform, rounding)
    if own is not None:
        return own
    for axis in changed:
        at = [_place(i, x.shape[axis], wanted[axis], scale[axis], transform) for i in range(wanted[axis])]
        x = _nearest(x, axis, [_ROUND[rounding](place) for place in at]) if mode == "nearest" else _linear(x, axis, at)
    return x


def _as_torch_does(
    x: Tensor, wanted: dict[int, int], scale: dict[int, float], by_size: bool, mode: str, transform: str, rounding: str,
    
) -> Tensor | None:  # fmt: skip
    """What torch makes of a map [n, c, h, w], where that is the same; else None."""
    if x.dim() != 4:
        if mode == "cubic":
            raise Unread(f"resizes a map of {x.dim() - 2} dimensions so")
        return None
    size = [wanted.get(axis, x.shape[axis]) for axis in (2, 3)]
    if mode == "nearest":
        times = [out // own for out, own in zip(size, x.shape[2:], strict=True)]
        repeated = all(
            size[axis - 2] == x.shape[axis] * times[axis - 2]
            and _nearest_places(x.shape[axis], size[axis - 2], scale.get(axis, 1.0), transform, rounding)
            == [i // times[axis - 2] for i in range(size[axis - 2])]
            for axis in (2, 3)
        )
        return F.interpolate(x, size=size, mode="nearest") if repeated else None
    way = "bilinear" if mode == "linear" else "bicubic"
    if transform == "align_corners":
        return F.interpolate(x, size=size, mode=way, align_corners=True)
    if transform == "half_pixel" or (transform == "pytorch_half_pixel" and min(size) > 1):
        if by_size or all(
            out == own * scale.get(axis, 1) for axis, out, own in zip((2, 3), size, x.shape[2:], strict=True)
        ):
            return F.interpolate(x, size=size, mode=way, align_corners=False)
        factors = [scale.get(axis, 1.0) for axis in (2, 3)]
        return F.interpolate(x, scale_factor=factors, mode=way, align_corners=False)
    return None


def _place(i: int, size: int, wanted: int, scale: float, transform: str) -> float:
    """Where an entry of the result lies in the map."""
    if transform == "align_corners":
        return i * (size - 1) / (wanted - 1) if wanted > 1 else 0.0
    if transform == "asymmetric":
        return i / scale
    if transform == "pytorch_half_pixel" and wanted == 1:
        return 0.0
    shift = size / 2 * (1 - wanted / (scale * size)) if transform == "half_pixel_symmetric" else 0.0
    return shift + (i + 0.5) / scale - 0.5


def _nearest_places(size: int, wanted: int, scale: float, transform: str, rounding: str) -> list[int]:
    places = (_ROUND[rounding](_place(i, size, wanted, scale, transform)) for i in range(wanted))
    return [min(max(place, 0), size - 1) for place in places]


def _nearest(x: Tensor, axis: int, places: list[int]) -> Tensor:
    last = x.shape[axis] - 1
    kept = torch.tensor([min(max(place, 0), last) for place in places], device=x.device)
    return x.index_select(axis, kept)


def _linear(x: Tensor, axis: int, at: list[float]) -> Tensor:
    """Between two entries of an axis each; beyond the border its entry."""
    last = x.shape[axis] - 1
    low = [math.floor(place) for place in at]
    near, far = (torch.tensor([min(max(p + step, 0), last) for p in low], device=x.device) for step in (0, 1))
    share = torch.tensor([place - p for place, p in zip(at, low, strict=True)], dtype=x.dtype, device=x.device)
    share = share.reshape([-1] + [1] * (x.dim() - 1 - axis))
    return x.index_select(axis, near) * (1 - share) + x.index_select(axis, far) * share


ROWS = (OnnxOperator(name="Resize", read=_resize, also=("Upsample",)),)
