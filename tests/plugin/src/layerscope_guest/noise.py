"""An image kind: COUNT drawn pictures of seeded noise, such as "noise:40", of two classes."""

import numpy as np

from layerscope.core.errors import ImageError
from layerscope.core.images import ImageKind
from layerscope.sources import Entry, Source, of_pixels

HEIGHT, WIDTH = 72, 96


class Noise(Source):
    """Every second picture is gray; another number is another picture, the same in every run."""

    def __init__(self, count):
        classes = ("coloured", "gray")
        entries = [Entry(identity=f"noise-{number:05}", label=classes[number % 2]) for number in range(count)]
        super().__init__(entries, name=f"noise ({count} pictures)")

    def read(self, id):
        pixels = np.random.default_rng(id).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        return of_pixels(self.record(id), pixels[..., 0] if id % 2 else pixels)


def open_noise(images):
    count = images.partition(":")[2]
    if not count.isdecimal() or not 1 <= int(count) <= 100_000:
        raise ImageError(f'"{images}": write how many pictures of noise, 1 to 100000, such as noise:40')
    return Noise(int(count))


noise = ImageKind(
    name="noise", sentence="drawn pictures of seeded noise", form="noise:COUNT", prefix="noise:", open=open_noise,
    samples=("noise:7",),
)  # fmt: skip
