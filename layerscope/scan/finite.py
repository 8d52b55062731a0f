"""Activations that are no numbers are refused where they first arise, by layer and image."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from layerscope.core.errors import TraceError
from layerscope.core.records import LayerRecord

LARGEST = {torch.float16: "65504", torch.bfloat16: "3.4e38", torch.float32: "3.4e38", torch.float64: "1.8e308"}


def finite_maxima(
    layer: LayerRecord,
    ids: Int64[np.ndarray, " n"],
    maps: Float[Tensor, "n rows cols u"],
    highest: Float[Tensor, "n u"],
) -> Float32[Tensor, "n u"]:
    """Each map's maximum as it is kept, on the CPU. highest: the same in the network's dtype.

    Raises TraceError for NaN, for infinity of either sign, and for what is too large for float32.
    """
    maxima = highest.float().cpu()
    found = ~torch.isfinite(maxima)
    # A maximum hides what lies below it; a rectifier leaves nothing there.
    if not layer.rectified and bool(torch.isinf(maps.amin())):
        found |= torch.isinf(maps.amin((1, 2))).cpu()
    if bool(found.any()):
        image, unit = _first(found, maxima)
        raise _refused(layer, int(ids[image]), maps[image, :, :, unit])
    return maxima


def require_numbers(
    layer: LayerRecord, ids: Int64[np.ndarray, " n"], highest: Float[Tensor, "n u"], lowest: Float[Tensor, "n u"] | None
) -> None:
    """The same of what is known of the maps afterwards. lowest: of each, where the layer is not rectified."""
    ends = torch.stack([highest] if lowest is None else [highest, lowest]).cpu()
    maxima = ends[0].float()
    found = ~torch.isfinite(maxima) | torch.isinf(ends).any(0)
    if bool(found.any()):
        image, unit = _first(found, maxima)
        raise _refused(layer, int(ids[image]), ends[:, image, unit])


def require_finite(layer: LayerRecord, ids: Int64[np.ndarray, " n"], values: Float[Tensor, "n *map"]) -> None:
    """Raises TraceError as a scan of these activations would."""
    maps = channels_last(values)
    finite_maxima(layer, ids, maps, maps.amax((1, 2)))


def channels_last(values: Float[Tensor, "n *map"]) -> Float[Tensor, "n rows cols u"]:
    """A layer's values as maps, of one position for a dense layer."""
    return values.permute(0, 2, 3, 1) if values.dim() == 4 else values[:, None, None]


def _first(found: Bool[Tensor, "n u"], maxima: Float32[Tensor, "n u"]) -> tuple[int, int]:
    """The first image and unit; of NaN, where there is any."""
    none = torch.isnan(maxima)
    image, unit = (none if bool(none.any()) else found).nonzero()[0].tolist()
    return image, unit


def _refused(layer: LayerRecord, image: int, values: Tensor) -> TraceError:
    return TraceError(f"image {image} {_what(values)} {layer.name}: {_why(values.dtype)}")


def _what(values: Tensor) -> str:
    if bool(torch.isnan(values).any()):
        return "gives NaN at layer"
    if bool(torch.isinf(values).any()):
        return "gives infinity at layer"
    return f"gives {float(values.max()):.1e} at layer"


def _why(dtype: torch.dtype) -> str:
    """What to do about it."""
    name = str(dtype).removeprefix("torch.")
    if dtype == torch.float16:
        return f"{name} overflows above {LARGEST[dtype]}; build the network in float32, as model.float() makes it"
    if dtype == torch.float64:
        return f"activations are kept in float32, which overflows above {LARGEST[torch.float32]}"
    return f"the weights or the input are unusable ({name} overflows above {LARGEST[dtype]})"
