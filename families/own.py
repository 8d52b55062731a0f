"""What people write themselves: one small network for each habit, most of them a step between two convolutions."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from families.own_decoders import DECODERS
from families.own_parts import (
    CBAM,
    Bilinear,
    GeM,
    Maxout,
    Normalised,
    PositionAdded,
    Scaled,
    SpectralNormed,
    SqueezeLinear,
    SqueezeView,
    Through,
    WeightNormed,
)

Step = Callable[[Tensor], Tensor]


class Between(nn.Module):
    """Convolution, ReLU, a step, convolution, ReLU. out: how many channels the step gives for eight."""

    def __init__(self, step: Step, out: int = 8) -> None:
        super().__init__()
        self.first, self.relu1 = nn.Conv2d(3, 8, 3, padding=1), nn.ReLU()
        self.step = step
        self.second, self.relu2 = nn.Conv2d(out, 6, 3), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu2(self.second(self.step(self.relu1(self.first(x)))))


class Acting(nn.Module):
    """Two convolutions, each with the same activation. double: how many channels it takes for one that it gives."""

    def __init__(self, act: nn.Module, double: int = 1) -> None:
        super().__init__()
        self.first, self.act1 = nn.Conv2d(3, 8 * double, 3, padding=1), act
        self.second, self.act2 = nn.Conv2d(8, 6 * double, 3), act

    def forward(self, x: Tensor) -> Tensor:
        return self.act2(self.second(self.act1(self.first(x))))


class Headed(nn.Module):
    """A trunk of two convolutions, a head that makes its map a row of numbers, and a dense layer."""

    def __init__(self, head: Step, inputs: int = 6, pool: int = 1) -> None:
        super().__init__()
        self.first, self.relu1, self.pool = nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2)
        self.second, self.relu2, self.less = nn.Conv2d(8, 6, 3), nn.ReLU(), nn.AvgPool2d(pool)
        self.head, self.dense = head, nn.Linear(inputs, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu1(self.first(x)))
        return self.dense(self.head(self.less(self.relu2(self.second(x)))))


class Ending(nn.Module):
    """A classifier with something behind its dense layer."""

    def __init__(self, end: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.first, self.relu = nn.Conv2d(3, 8, 3, 2), nn.ReLU()
        self.dense, self.end = nn.Linear(8, 5), end

    def forward(self, x: Tensor) -> object:
        return self.end(self.dense(self.relu(self.first(x)).mean((2, 3))))


ACTIVATIONS: tuple[type[nn.Module], ...] = (
    *(nn.CELU, nn.ELU, nn.GELU, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh, nn.LeakyReLU, nn.LogSigmoid, nn.Mish),
    *(nn.PReLU, nn.RReLU, nn.ReLU6, nn.SELU, nn.SiLU, nn.Sigmoid, nn.Softmax2d, nn.Softplus, nn.Softsign, nn.Tanh),
    *(nn.Tanhshrink, nn.Hardshrink, nn.Softshrink),
)


def _in_nine_rows(x: Tensor) -> Tensor:
    return x[:, :, None].expand(-1, -1, 9, -1)


def steps() -> dict[str, tuple[Step, int]]:
    """The steps, their weights drawn anew, each with the number of channels that it gives for eight."""
    return {
        "abs": (torch.abs, 8),
        "add_position": (PositionAdded(), 8),
        "cbam": (CBAM(8), 8),
        "channel_slice": (lambda x: x[:, 2:6], 4),
        "chunk": (lambda x: x.chunk(2, 1)[0] + x.chunk(2, 1)[1], 4),
        "clamp": (lambda x: x.clamp(0, 1), 8),
        "clamp_min": (lambda x: x.clamp_min(0.1), 8),
        "conv_reflect": (nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"), 8),
        "conv_circular": (nn.Conv2d(8, 8, 3, padding=1, padding_mode="circular"), 8),
        "conv_same_even": (nn.Conv2d(8, 8, 4, padding="same"), 8),
        "conv_transpose": (nn.ConvTranspose2d(8, 8, 4, 2, 1), 8),
        "conv_transpose_output_padding": (nn.ConvTranspose2d(8, 8, 3, 2, 1, output_padding=1), 8),
        "coords": (lambda x: torch.cat([x, torch.linspace(0, 1, 64, dtype=x.dtype).expand(len(x), 1, 64, 64)], 1), 9),
        "crop": (lambda x: x[:, :, 2:-2, 3:-1], 8),
        "crop_negative_pad": (lambda x: F.pad(x, (-1, -2, -3, 0)), 8),
        "conv1d_rows": (Through(nn.Conv1d(8, 8, 3), lambda x: x.mean(2), _in_nine_rows), 8),
        "conv3d_depth1": (Through(nn.Conv3d(8, 8, (1, 3, 3)), lambda x: x[:, :, None], lambda x: x[:, :, 0]), 8),
        "down_area": (lambda x: F.interpolate(x, scale_factor=0.5, mode="area"), 8),
        "down_bilinear_aa": (lambda x: F.interpolate(x, size=(24, 24), mode="bilinear", antialias=True), 8),
        "dropout2d_feature": (nn.Dropout2d(0.3), 8),
        "einsum_1x1": (Scaled((8, 8), lambda x, w: torch.einsum("nchw,dc->ndhw", x, w)), 8),
        "flip": (lambda x: x.flip(3), 8),
        "focus_slices": (lambda x: torch.cat([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)], 1), 32),
        "index_channels": (lambda x: x[:, [3, 1, 2, 0]], 4),
        "item_free_float": (lambda x: x * float(torch.tensor(0.5)), 8),
        "layer_scale": (Scaled((8, 1, 1), lambda x, w: x + x * w), 8),
        "linear_last": (Through(nn.Linear(8, 8), lambda x: x.permute(0, 2, 3, 1), lambda x: x.permute(0, 3, 1, 2)), 8),
        "log1p": (torch.log1p, 8),
        "max_zero": (lambda x: torch.max(x - 0.2, torch.zeros_like(x)), 8),
        "maximum_zero": (lambda x: torch.maximum(x - 0.2, torch.tensor(0.0, dtype=x.dtype)), 8),
        "maxout": (lambda x: torch.maximum(x[:, :4], x[:, 4:]), 4),
        "maxout_view": (Maxout(2), 4),
        "mul_scalar_param": (Scaled((1,), lambda x, w: x * w), 8),
        "native_shuffle": (lambda x: torch.channel_shuffle(x, 2), 8),
        "neg_crelu": (lambda x: torch.cat([F.relu(x - 0.2), F.relu(0.2 - x)], 1), 16),
        "norm_group_norm": (nn.GroupNorm(2, 8), 8),
        "norm_instance_norm": (nn.InstanceNorm2d(8), 8),
        "norm_instance_norm_affine": (nn.InstanceNorm2d(8, affine=True), 8),
        "norm_instance_norm_stats": (nn.InstanceNorm2d(8, track_running_stats=True), 8),
        "norm_layer_norm_chw": (nn.LayerNorm((8, 64, 64)), 8),
        "norm_lrn": (nn.LocalResponseNorm(5), 8),
        "norm_lrn_even": (nn.LocalResponseNorm(2), 8),
        "norm_rms_last": (
            Through(nn.RMSNorm(8, eps=1e-6), lambda x: x.permute(0, 2, 3, 1), lambda x: x.permute(0, 3, 1, 2)),
            8,
        ),
        "norm_layer_norm_last": (
            Through(nn.LayerNorm(8), lambda x: x.permute(0, 2, 3, 1), lambda x: x.permute(0, 3, 1, 2)),
            8,
        ),
        "pad_circular": (lambda x: F.pad(x, (1, 2, 1, 0), mode="circular"), 8),
        "pad_constant": (lambda x: F.pad(x, (1, 2, 1, 0)), 8),
        "pad_reflect": (nn.ReflectionPad2d((1, 2, 1, 0)), 8),
        "pad_replicate": (nn.ReplicationPad2d((1, 2, 1, 0)), 8),
        "pad_value": (lambda x: F.pad(x, (1, 2, 1, 0), value=0.7), 8),
        "pixel_shuffle": (nn.PixelShuffle(2), 2),
        "pixel_unshuffle": (nn.PixelUnshuffle(2), 32),
        "pool_adaptive_max": (nn.AdaptiveMaxPool2d(8), 8),
        "pool_adaptive_uneven": (nn.AdaptiveAvgPool2d(7), 8),
        "pool_avg_ceil": (nn.AvgPool2d(3, 2, ceil_mode=True), 8),
        "pool_avg_uncounted": (nn.AvgPool2d(3, 2, 1, count_include_pad=False), 8),
        "pool_fractional": (nn.FractionalMaxPool2d(3, output_ratio=0.6), 8),
        "pool_lp": (nn.LPPool2d(2, 3, 2), 8),
        "pool_max_indices": (lambda x: F.max_pool2d(x, 2, return_indices=True)[0], 8),
        "pool_soft": (lambda x: F.avg_pool2d(x.exp() * x, 2) / F.avg_pool2d(x.exp(), 2), 8),
        "pow2": (lambda x: x**2, 8),
        "relu_mul_mask": (lambda x: x * (x > 0.5), 8),
        "roll": (lambda x: x.roll(1, 3), 8),
        "rsub": (lambda x: 1 - x, 8),
        "se_linear": (SqueezeLinear(8), 8),
        "se_view": (SqueezeView(8), 8),
        "shuffle": (lambda x: x.view(x.shape[0], 2, 4, 64, 64).transpose(1, 2).reshape(x.shape[0], 8, 64, 64), 8),
        "spectral_norm": (SpectralNormed(8), 8),
        "split": (lambda x: sum(x.split([2, 4, 2], 1)[::2]), 2),
        "sqrt": (lambda x: (x + 0.1).sqrt(), 8),
        "square": (torch.square, 8),
        "stack_sum": (lambda x: torch.stack([x, 2 * x]).sum(0), 8),
        "subsample": (lambda x: x[:, :, ::2, ::2], 8),
        "transpose_hw": (lambda x: x.transpose(2, 3), 8),
        "up_bilinear_size": (lambda x: F.interpolate(x, size=(91, 83), mode="bilinear"), 8),
        "up_nearest": (nn.Upsample(scale_factor=2), 8),
        "up_nearest_size": (lambda x: F.interpolate(x, size=(96, 80)), 8),
        "weight_norm": (WeightNormed(8), 8),
        "where": (lambda x: torch.where(x > 0.3, x, 0.1 * x), 8),
        "normalised_inside": (Normalised((8, 1, 1)), 8),
        "repeat_interleave": (lambda x: x.repeat_interleave(2, 2).repeat_interleave(2, 3), 8),
        "tile_channels": (lambda x: x.repeat(1, 2, 1, 1), 16),
        "self_minus_mean": (lambda x: x - x.mean((2, 3), keepdim=True), 8),
        "topk_channels": (lambda x: x.topk(3, 1).values, 3),
        "cumsum_rows": (lambda x: x.cumsum(2), 8),
        "sort_channels": (lambda x: x.sort(1).values, 8),
        "logsumexp_channels": (lambda x: x.logsumexp(1, keepdim=True), 1),
        "fft": (lambda x: torch.fft.rfft2(x).abs(), 8),
        "grid_sample": (
            lambda x: F.grid_sample(x, F.affine_grid(torch.eye(2, 3).expand(len(x), 2, 3).to(x), (len(x), 8, 32, 32))),
            8,
        ),
        "unfold_linear": (lambda x: F.fold(F.unfold(x, 3, padding=1), (64, 64), 3, padding=1), 8),
        "half_inside": (lambda x: x.float().to(x.dtype), 8),
    }


HEADS: dict[str, tuple[Step, int, int]] = {
    "head_amax": (lambda x: x.amax((2, 3)), 6, 1),
    "head_avg_pool_size": (lambda x: F.avg_pool2d(x, x.shape[2:]).flatten(1), 6, 1),
    "head_bilinear_pool": (Bilinear(), 36, 1),
    "head_concat_pool": (lambda x: torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1), 12, 1),
    "head_flatten1": (lambda x: x.flatten(1), 54, 4),
    "head_gap_index": (lambda x: F.adaptive_avg_pool2d(x, 1)[:, :, 0, 0], 6, 1),
    "head_gap_squeeze": (lambda x: F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1), 6, 1),
    "head_gap_squeeze_all": (lambda x: F.adaptive_avg_pool2d(x, 1).squeeze(), 6, 1),
    "head_gem": (GeM(), 6, 1),
    "head_gmp": (lambda x: F.adaptive_max_pool2d(x, 1).flatten(1), 6, 1),
    "head_max_chain": (lambda x: x.max(3).values.max(2).values, 6, 1),
    "head_mean_23": (lambda x: x.mean((2, 3)), 6, 1),
    "head_mean_chain": (lambda x: x.mean(3).mean(2), 6, 1),
    "head_mean_view": (lambda x: x.view(x.shape[0], 6, -1).mean(2), 6, 1),
    "head_nhwc_flatten": (lambda x: x.permute(0, 2, 3, 1).flatten(1), 54, 4),
    "head_normalize": (lambda x: F.normalize(x.mean((2, 3)), dim=1), 6, 1),
    "head_std_pool": (lambda x: x.std((2, 3)), 6, 1),
    "head_sum_23": (lambda x: x.sum((2, 3)), 6, 1),
    "head_view_minus1_const": (lambda x: x.view(-1, 54), 54, 4),
    "head_view_size0": (lambda x: x.view(x.size(0), -1), 54, 4),
}

ENDS: dict[str, Callable[[Tensor], object]] = {
    "out_argmax": lambda x: x.argmax(1),
    "out_log_softmax": lambda x: F.log_softmax(x, 1),
    "out_sigmoid": torch.sigmoid,
    "out_softmax": lambda x: x.softmax(1),
    "out_topk": lambda x: x.topk(2),
    "dict_output": lambda x: {"out": x, "aux": [x * 2]},
    "tuple_output": lambda x: (x, x.softmax(1)),
}


def _between(name: str) -> nn.Module:
    return Between(*steps()[name])


OWN: dict[str, Callable[[], nn.Module]] = {
    **{f"act_{kind.__name__}": partial(lambda kind: Acting(kind()), kind) for kind in ACTIVATIONS},
    "act_GLU": lambda: Acting(nn.GLU(1), 2),
    "act_GELU_tanh": lambda: Acting(nn.GELU("tanh")),
    "act_Threshold": lambda: Acting(nn.Threshold(0.1, 0.0)),
    **{name: partial(_between, name) for name in steps()},
    **{name: partial(Headed, *head) for name, head in HEADS.items()},
    **{name: partial(Ending, end) for name, end in ENDS.items()},
    **DECODERS,
}
