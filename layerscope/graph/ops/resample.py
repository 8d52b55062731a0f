"""What gives a map of another size: enlarging by the nearest place or between places, the transposed convolution, and
pooling undone at the places of its maxima."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.core.geometry import IDENTITY, Field, Rational, Window
from layerscope.graph.ops.calls import Call, Declined, NodeInput, Sample
from layerscope.graph.ops.conv import bias_of
from layerscope.graph.ops.ranges import ZERO, hull
from layerscope.graph.ops.rules import HeldGates, Rule, adjoint, vjp
from layerscope.graph.ops.table import Op, anything, everything, unchanged

aten = torch.ops.aten


def _unpooled(
    x: Tensor, pooled: Tensor, kernel_size: Sequence[int], stride: Sequence[int], padding: Sequence[int],
    dilation: Sequence[int], ceil_mode: bool, output_size: Sequence[int],
) -> Tensor:  # fmt: skip
    _, places = aten.max_pool2d_with_indices(pooled, kernel_size, stride, padding, dilation, ceil_mode)
    return aten.max_unpool2d(x, places, output_size)


# ATen's call is given the places of the maxima; here it finds them itself, in the map that was pooled.
_library = torch.library.Library("layerscope", "FRAGMENT")
_library.define(
    "max_unpool2d(Tensor input, Tensor pooled, int[2] kernel_size, int[2] stride, int[2] padding, int[2] dilation, "
    "bool ceil_mode, int[2] output_size) -> Tensor"
)
_library.impl("max_unpool2d", _unpooled, "CompositeImplicitAutograd")
max_unpool2d = torch.ops.layerscope.max_unpool2d.default

# Of a ratio of input to output sizes: size, step and start of the window of an interpolation.
Between = Callable[[Fraction], tuple[Rational, Rational, Rational]]


def _between(reach: int) -> Between:
    """Of weights that reach so many places to either side of a point, on a grid of places' middles."""
    half = Fraction(1, 2)
    return lambda ratio: (2 * reach - 1, ratio, ratio * half - half - (reach - 1))


def _smoothed(reach: int) -> Between:
    """Of weights that are widened where the map gets smaller."""
    half = Fraction(1, 2)

    def window(ratio: Fraction) -> tuple[Rational, Rational, Rational]:
        wide = max(ratio, Fraction(1))
        return 2 * reach * wide - 1, ratio, ratio * half - reach * wide + half

    return window


def _nearest(ratio: Fraction) -> tuple[Rational, Rational, Rational]:
    return Fraction(1, ratio.denominator), ratio, 0


def _sees_truly(window: Window, call: Call, axis: int) -> bool:
    """True where no weight lies outside the window: the operation itself is asked, on one axis alone.

    The other axis has two places: of maps of one column some kernels of PyTorch make something else.
    """
    length = call.inputs[0][axis]
    one = torch.eye(length, dtype=torch.float64)[None]
    args = dict(call.args)
    if args.get("scale_factors") is not None:
        rows, cols = args["scale_factors"]
        args["scale_factors"] = (rows, 1.0) if axis == -2 else (1.0, cols)
    else:
        args["output_size"] = (call.shape[axis], 2) if axis == -2 else (2, call.shape[axis])
    (name,) = (key for key, value in call.args.items() if isinstance(value, NodeInput))
    args[name] = torch.stack([one, one], -1 if axis == -2 else -2).contiguous()
    weights = call.target(**args).select(-1 if axis == -2 else -2, 0)[0]
    spans = [window.span(index) for index in range(weights.shape[1])]
    outside = torch.ones_like(weights, dtype=torch.bool)
    for index, (low, high) in enumerate(spans):
        outside[max(low, 0) : max(high, 0), index] = False
    return weights.shape[1] == call.shape[axis] and bool((weights.abs() * outside).max() < 1e-9)


def _resized(between: Between, aligned: bool = True) -> Callable[[Call], tuple[Field, ...]]:
    def fields(call: Call) -> tuple[Field, ...]:
        found = []
        for axis in (-2, -1):
            old, new = call.inputs[0][axis], call.shape[axis]
            corners = aligned and call.args.get("align_corners", False)
            ratio = Fraction(old - 1, max(new - 1, 1)) if corners else Fraction(old, new)
            size, step, start = (3, ratio, -1) if corners and between is CUBIC else between(ratio)
            size, start = (1, 0) if corners and between is LINEAR else (size, start)
            window = IDENTITY if old == new else Window(size=size, step=step, start=start)
            if not _sees_truly(window, call, axis):
                return everything(call, "a call before it resizes the map by no whole ratio")
            found.append(window)
        return (Field(rows=found[0], cols=found[1]),)

    return fields


LINEAR, CUBIC = _between(1), _between(2)


def _transposed_window(call: Call) -> tuple[Field, ...]:
    """Output o is the sum of the inputs i for which o = i * stride - padding + tap * dilation."""
    kernel, stride = call["weight"].shape[-2:], call.pair("stride")
    padding, dilation = call.pair("padding"), call.pair("dilation")
    if stride == (1, 1):
        raise Declined("is a transposed convolution of stride 1 whose padding is larger than its kernel reaches")
    rows, cols = (_reached((k - 1) * d, s, p) for k, s, p, d in zip(kernel, stride, padding, dilation, strict=True))
    return (Field(rows=rows, cols=cols),)


def _reached(reach: int, stride: int, padding: int) -> Window:
    """Which inputs reach an output; of a kernel smaller than its stride never nothing, which no window can say."""
    size = max(Fraction(reach - stride + 2, stride), Fraction(1, stride))
    return Window(size=size, step=Fraction(1, stride), start=Fraction(padding - reach + stride - 1, stride))


def _transposed_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    geometry = (call.pair("stride"), call.pair("padding"), call.pair("dilation"), call["groups"])
    rows, cols = call.inputs[0][-2:]
    return (F.conv2d(signal, call["weight"], None, *geometry)[..., :rows, :cols],)


def _unpool_window(call: Call) -> tuple[Field, ...]:
    stride = call["stride"] or call["kernel_size"]
    rows, cols = (_reached(k - 1, s, p) for k, s, p in zip(call["kernel_size"], stride, call["padding"], strict=True))
    switches = Field(rows=IDENTITY, cols=IDENTITY, beyond="is put where another map is largest")
    return Field(rows=rows, cols=cols), switches


def _unpool_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    x, pooled = call.tensors
    geometry = (call["kernel_size"], call["stride"], call["padding"], call["dilation"], call["ceil_mode"])
    _, places = aten.max_pool2d_with_indices(pooled, *geometry)
    taken = signal.flatten(2).gather(2, places.flatten(2)).reshape(x.shape)
    return taken, torch.zeros_like(pooled)


def _back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """The adjoint of a linear map, by autograd, at zero."""
    return vjp(signal, call.knowing(()))


def _maps(channels: int = 3, rows: int = 5, cols: int = 4) -> Tensor:
    count = 2 * channels * rows * cols
    return torch.linspace(-3, 9, count, dtype=torch.float64).sin().reshape(2, channels, rows, cols)


def _nearest_samples() -> Iterator[Sample]:
    target = aten.upsample_nearest2d.vec
    yield Sample(target, (_maps(),), (NodeInput(0), (10, 12), None))
    yield Sample(target, (_maps(2, 6, 4),), (NodeInput(0), (3, 6), None))


def _linear_samples() -> Iterator[Sample]:
    target = aten.upsample_bilinear2d.vec
    yield Sample(target, (_maps(),), (NodeInput(0), (10, 12), False, None))
    yield Sample(target, (_maps(),), (NodeInput(0), (9, 7), True, None))
    yield Sample(target, (_maps(2, 6, 5),), (NodeInput(0), (4, 5), False, None))


def _cubic_samples() -> Iterator[Sample]:
    yield Sample(aten.upsample_bicubic2d.vec, (_maps(),), (NodeInput(0), (10, 8), False, None))


def _smoothed_samples(target: Any) -> Callable[[], Iterator[Sample]]:
    return lambda: iter([Sample(target, (_maps(2, 9, 8),), (NodeInput(0), (6, 4), False, None))])


def _transposed_samples() -> Iterator[Sample]:
    def weight(*shape: int) -> Tensor:
        return torch.linspace(-2, 3, torch.Size(shape).numel(), dtype=torch.float64).cos().reshape(shape)

    target = aten.conv_transpose2d.input
    yield Sample(target, (_maps(4),), (NodeInput(0), weight(4, 3, 2, 2), weight(3), [2, 2]))
    yield Sample(target, (_maps(4),), (NodeInput(0), weight(4, 3, 3, 4), None, [2, 2], [1, 1], [1, 0]))
    yield Sample(target, (_maps(4),), (NodeInput(0), weight(4, 2, 3, 5), None, [2, 3], [0, 1], [0, 0], 2))
    yield Sample(target, (_maps(4),), (NodeInput(0), weight(4, 2, 3, 2), None, [1, 2], [1, 0], [0, 0], 1, [2, 1]))


def _unpool_samples() -> Iterator[Sample]:
    yield Sample(
        max_unpool2d,
        (_maps(2, 3, 2), _maps(2, 6, 4) * 5),
        (NodeInput(0), NodeInput(1), [2, 2], [2, 2], [0, 0], [1, 1], False, [6, 4]),
    )


def _enlarging(name: str, sentence: str, target: Any, window: Any, samples: Any, range: Any = unchanged) -> Op:
    return Op(
        name=name,
        sentence=sentence,
        targets=(target,),
        window=window,
        samples=samples,
        linear=True,
        pad=None,
        range=range,
        gradient=adjoint(_back),
    )


ROWS = (
    _enlarging(
        "upsample_nearest2d", "a map of another size, each place the nearest one's value",
        aten.upsample_nearest2d.vec, _resized(_nearest), _nearest_samples,
    ),
    _enlarging(
        "upsample_bilinear2d", "a map of another size, each place between its four neighbours",
        aten.upsample_bilinear2d.vec, _resized(LINEAR), _linear_samples,
    ),
    _enlarging(
        "upsample_bicubic2d", "a map of another size, each place a cubic between its sixteen neighbours",
        aten.upsample_bicubic2d.vec, _resized(CUBIC), _cubic_samples, anything,
    ),
    _enlarging(
        "upsample_bilinear2d_aa", "a map made smaller, each place a weighted mean of those it covers",
        aten._upsample_bilinear2d_aa.vec, _resized(_smoothed(1), aligned=False),
        _smoothed_samples(aten._upsample_bilinear2d_aa.vec),
    ),
    _enlarging(
        "upsample_bicubic2d_aa", "a map made smaller, each place a cubic over those it covers",
        aten._upsample_bicubic2d_aa.vec, _resized(_smoothed(2), aligned=False),
        _smoothed_samples(aten._upsample_bicubic2d_aa.vec), anything,
    ),
    Op(
        name="conv_transpose2d",
        sentence="the transposed convolution: every place lays down its filters, scaled by its value",
        targets=(aten.conv_transpose2d.input,),
        window=_transposed_window,
        samples=_transposed_samples,
        linear=True,
        role="filters",
        gradient=adjoint(_transposed_back),
        held=HeldGates(beside=bias_of),
    ),
    Op(
        name="max_unpool2d",
        sentence="a pooled map laid out again, at the places of the maxima",
        targets=(max_unpool2d,),
        window=_unpool_window,
        samples=_unpool_samples,
        linear=False,
        range=lambda call, inputs: hull((inputs[0], ZERO)),
        gradient=Rule(_unpool_back, inputs=True, word="gradient", skips=lambda call: frozenset([1])),
        held=HeldGates(),
        jumps=True,
    ),
)  # fmt: skip
