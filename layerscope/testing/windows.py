"""Windows of whole maps, cut and laid plainly: what the laws of rows hold the projections' own windows to."""

from collections.abc import Iterator

import torch
from torch import Tensor

from layerscope.core.geometry import Box, Field


def spatial_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of a map; a dense layer is one position."""
    return (shape[-2], shape[-1]) if len(shape) > 1 else (1, 1)


def inside(field: Field, row: int, col: int, shape: tuple[int, ...]) -> Box:
    return field.box(row, col).clipped(*spatial_size(shape))


def at(output: Tensor, row: int, col: int) -> Tensor:
    return output[..., row, col] if output.dim() > 2 else output


def with_new(x: Tensor, new: Tensor, box: Box, *, outside: bool = False) -> Tensor:
    """x, with what lies inside (or outside) a box taken from `new`; a dense input is inside."""
    if x.dim() < 3:
        return x if outside else new
    mask = torch.zeros(x.shape[-2:], dtype=torch.bool)
    mask[box.top : box.bottom, box.left : box.right] = True
    return torch.where(mask ^ outside, new, x)


def edges(field: Field, row: int, col: int, shape: tuple[int, ...]) -> Iterator[Box]:
    """The outermost lines of px of a window that lie in the map, one box each."""
    whole, part = field.box(row, col), inside(field, row, col, shape)
    if not part.height or not part.width:  # it sees what stands beyond the border alone
        return
    if whole.top == part.top:
        yield Box(top=part.top, bottom=part.top + 1, left=part.left, right=part.right)
    if whole.bottom == part.bottom:
        yield Box(top=part.bottom - 1, bottom=part.bottom, left=part.left, right=part.right)
    if whole.left == part.left:
        yield Box(top=part.top, bottom=part.bottom, left=part.left, right=part.left + 1)
    if whole.right == part.right:
        yield Box(top=part.top, bottom=part.bottom, left=part.right - 1, right=part.right)


def seen_by(field: Field, box: Box) -> Box:
    """The window of an input that a window of the output sees."""
    first, last = field.box(box.top, box.left), field.box(box.bottom - 1, box.right - 1)
    return Box(top=first.top, left=first.left, bottom=last.bottom, right=last.right)


def cut(x: Tensor, field: Field, box: Box, fill: float) -> Tensor:
    """What a window of output positions sees of an input, `fill` beyond its border."""
    seen = seen_by(field, box)
    part = seen.clipped(*x.shape[-2:])
    out = x.new_full((*x.shape[:-2], seen.height, seen.width), fill)
    if part.height > 0 and part.width > 0:  # a position may see nothing but what lies beyond the border
        rows, cols = (
            slice(part.top - seen.top, part.bottom - seen.top),
            slice(part.left - seen.left, part.right - seen.left),
        )
        out[..., rows, cols] = x[..., part.top : part.bottom, part.left : part.right]
    return out


def laid(part: Tensor, like: Tensor, box: Box) -> Tensor:
    """A window's signals on the whole map, what lies beyond the border dropped."""
    out = torch.zeros_like(like)
    kept = box.clipped(*like.shape[-2:])
    rows, cols = slice(kept.top - box.top, kept.bottom - box.top), slice(kept.left - box.left, kept.right - box.left)
    out[..., kept.top : kept.bottom, kept.left : kept.right] = part[..., rows, cols]
    return out
