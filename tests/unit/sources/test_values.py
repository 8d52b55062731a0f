"""Numbers that cannot be what they are taken for are said; what is right is worked out by hand."""

import re

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

from layerscope.core.records import Input
from layerscope.sources import open_source

NORMAL = Input(height=8, width=8, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
PLAIN = Input(height=8, width=8)


def uniform(low, high, channels=3):
    pixels = np.random.default_rng(0).uniform(low, high, (5, channels, 8, 8)).astype(np.float32)
    pixels.reshape(-1)[:2] = low, high
    return pixels


def said(pixels, input):
    return " ".join(open_source(TensorDataset(torch.from_numpy(pixels))).remarks(input))


def normalised(pixels):
    return ((pixels - np.reshape(NORMAL.mean, (3, 1, 1))) / np.reshape(NORMAL.std, (3, 1, 1))).astype(np.float32)


@pytest.mark.parametrize(
    "pixels, input",
    [
        (uniform(0, 1), PLAIN),
        (normalised(uniform(0, 1)), NORMAL),
        (normalised(uniform(-0.1, 1.1)), NORMAL),
        (np.full((5, 3, 8, 8), np.nan, np.float32), NORMAL),
    ],
    ids=["0..1", "normalised", "overshoot of bicubic resizing", "no numbers"],
)
def test_what_can_be_the_inputs_is_taken_without_a_word(pixels, input):
    """Values that are 0..1 with mean and std undone."""
    assert said(pixels, input) == ""


def test_a_to_tensor_without_normalize_is_said():
    """Values of 0..1 where the Input has mean and std."""
    assert said(uniform(0, 1), NORMAL).startswith("float items hold 0 to 1, as pictures do before mean and std")


@pytest.mark.parametrize(
    "pixels, input, words",
    [
        (uniform(0, 255), PLAIN, "hold 0 to 255, which with the Input's mean and std undone is 0 to 255, not 0 to 1"),
        (uniform(0, 10_000), PLAIN, "0 to 10,000, not 0 to 1"),
        (uniform(-1, 1), PLAIN, "is -1 to 1, not 0 to 1"),
        (uniform(0, 255), NORMAL, r"hold 0 to 255, .* undone is 0\.4\d* to 58\.\d*, not 0 to 1"),
        (normalised(normalised(uniform(0, 1))), NORMAL, "not 0 to 1"),
    ],
    ids=["0..255", "reflectances", "-1..1 of an Input without mean", "0..255 of one with", "normalised twice"],
)
def test_values_that_no_picture_has_are_said(pixels, input, words):
    """Whatever they were meant to be; by the numbers themselves."""
    assert re.search(words, said(pixels, input))


def test_other_channels_than_colours_are_judged_alike():
    """Thirteen bands of reflectances."""
    input = Input(channels=13, height=8, width=8, show=(3, 2, 1), mean=(0.2,) * 13, std=(0.1,) * 13)
    assert "not 0 to 1" in said(uniform(0, 10_000, 13), input)
    assert said(((uniform(0, 1, 13) - 0.2) / 0.1).astype(np.float32), input) == ""


@pytest.mark.parametrize("suffix", ["png", "tif", "jp2", "pgm"])
@pytest.mark.parametrize("highest, black", [(4095, True), (255, True), (4096, False), (65535, False)])
def test_sixteen_bit_pictures_that_come_out_black_are_said(tmp_path, suffix, highest, black):
    """Those that use less than a sixteenth of their range: 12-bit values in 16-bit files."""
    for number in range(3):
        gray = Image.fromarray(np.full((8, 8), highest - number, np.uint16))
        if suffix == "pgm":
            header = b"P5\n8 8\n65535\n"
            (tmp_path / f"{number}.pgm").write_bytes(header + np.full((8, 8), highest - number, ">u2").tobytes())
        else:
            gray.save(tmp_path / f"{number}.{suffix}")
    remarks = open_source(tmp_path).remarks(PLAIN)
    assert [f"reach {highest:,} of 65,535" in remark for remark in remarks] == ([True] if black else [])
