"""Networks that make maps larger again, written as people write them: U-Nets, generators, style transfer."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Up = Callable[[int, int], nn.Module]


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1), nn.ReLU(inplace=True),
    )  # fmt: skip


class UNet(nn.Module):
    """Two levels down and up again. up: what enlarges, from and to so many channels. pad: fit to skips by padding."""

    def __init__(self, up: Up, pad: bool = False) -> None:
        super().__init__()
        self.down1, self.down2, self.bottom = _block(3, 6), _block(6, 8), _block(8, 10)
        self.pool, self.pad = nn.MaxPool2d(2), pad
        self.up2, self.dec2, self.up1, self.dec1 = up(10, 8), _block(16, 8), up(8, 6), _block(12, 6)
        self.head = nn.Conv2d(6, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        one = self.down1(x)
        two = self.down2(self.pool(one))
        x = self.dec2(self._joined(self.up2(self.bottom(self.pool(two))), two))
        return self.head(self.dec1(self._joined(self.up1(x), one)))

    def _joined(self, x: Tensor, skip: Tensor) -> Tensor:
        if self.pad:
            rows, cols = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
            x = F.pad(x, [cols // 2, cols - cols // 2, rows // 2, rows - rows // 2])
        return torch.cat([skip, x], 1)


def _resized(mode: str, aligned: bool | None = None) -> Up:
    def up(inputs: int, outputs: int) -> nn.Module:
        larger = nn.Upsample(scale_factor=2, mode=mode, align_corners=aligned)
        return nn.Sequential(larger, nn.Conv2d(inputs, outputs, 1))

    return up


def _transposed(inputs: int, outputs: int) -> nn.Module:
    return nn.ConvTranspose2d(inputs, outputs, 2, stride=2)


class SegNet(nn.Module):
    """Unpooling by the places of maxima."""

    def __init__(self) -> None:
        super().__init__()
        self.enc, self.pool = nn.Conv2d(3, 8, 3, padding=1), nn.MaxPool2d(2, return_indices=True)
        self.unpool, self.dec = nn.MaxUnpool2d(2), nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x, places = self.pool(F.relu(self.enc(x)))
        return self.dec(self.unpool(x, places))


class Autoencoder(nn.Module):
    """Down by strides, up by transposed convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 12, 3, 2, 1), nn.ReLU(), nn.Conv2d(12, 16, 7)
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(16, 12, 7), nn.ReLU(), nn.ConvTranspose2d(12, 8, 3, 2, 1, 1), nn.ReLU(),
            nn.ConvTranspose2d(8, 3, 3, 2, 1, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))


class DenseDecoder(nn.Module):
    """A code of dense layers in the middle, as in a variational autoencoder."""

    def __init__(self) -> None:
        super().__init__()
        self.enc, self.code = nn.Conv2d(3, 4, 8, 8), nn.Linear(256, 10)
        self.wide, self.dec = nn.Linear(10, 256), nn.ConvTranspose2d(4, 3, 8, 8)

    def forward(self, x: Tensor) -> Tensor:
        code = self.code(F.relu(self.enc(x)).flatten(1))
        return torch.sigmoid(self.dec(F.relu(self.wide(code)).view(-1, 4, 8, 8)))


def _style() -> nn.Module:
    return nn.Sequential(
        nn.ReflectionPad2d(4), nn.Conv2d(3, 8, 9), nn.InstanceNorm2d(8, affine=True), nn.ReLU(),
        nn.ReflectionPad2d(1), nn.Conv2d(8, 12, 3, 2), nn.InstanceNorm2d(12, affine=True), nn.ReLU(),
        nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(12, 3, 3), nn.Tanh(),
    )  # fmt: skip


def _espcn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 5, padding=2), nn.Tanh(), nn.Conv2d(16, 8, 3, padding=1), nn.Tanh(),
        nn.Conv2d(8, 12, 3, padding=1), nn.PixelShuffle(2),
    )  # fmt: skip


def _discriminator() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(8, 12, 4, 2, 1, bias=False), nn.BatchNorm2d(12), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(12, 1, 4, 1, 0, bias=False), nn.Sigmoid(),
    )  # fmt: skip


def _lenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(16 * 13 * 13, 20), nn.Tanh(), nn.Linear(20, 10),
    )  # fmt: skip


DECODERS: dict[str, Callable[[], nn.Module]] = {
    "unet_nearest": partial(UNet, _resized("nearest")),
    "unet_bilinear": partial(UNet, _resized("bilinear")),
    "unet_bilinear_aligned": partial(UNet, _resized("bilinear", True)),
    "unet_bilinear_aligned_pad": partial(UNet, _resized("bilinear", True), True),
    "unet_bicubic": partial(UNet, _resized("bicubic")),
    "unet_transposed": partial(UNet, _transposed),
    "unet_transposed_pad": partial(UNet, _transposed, True),
    "segnet_unpool": SegNet,
    "autoencoder": Autoencoder,
    "vae_dense_decoder": DenseDecoder,
    "style_transfer": _style,
    "espcn": _espcn,
    "dcgan_discriminator": _discriminator,
    "lenet_tanh": _lenet,
}
