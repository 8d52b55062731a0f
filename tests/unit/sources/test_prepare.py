import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision import transforms

from layerscope.core.errors import ImageError
from layerscope.core.geometry import Box
from layerscope.core.records import Input
from layerscope.sources import placement_of, prepare, show
from layerscope.sources.decode import Unusable
from layerscope.sources.prepare import empty_rows, fill, resized_size

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MODES = {
    "bilinear": transforms.InterpolationMode.BILINEAR,
    "bicubic": transforms.InterpolationMode.BICUBIC,
    "nearest": transforms.InterpolationMode.NEAREST,
    "lanczos": transforms.InterpolationMode.LANCZOS,
}
sides = st.integers(1, 60)


def noise(height: int, width: int) -> Image.Image:
    return Image.fromarray(
        np.random.default_rng(height * 100 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    )


@given(sides, sides, st.integers(1, 40), st.integers(1, 40), st.integers(1, 50), st.sampled_from(sorted(MODES)))
def test_pixels_equal_torchvision_to_the_last_bit(height, width, rows, cols, resize, interpolation):
    """Resize, centre crop (with zeros beyond a small picture) and normalisation are torchvision's."""
    image = noise(height, width)
    input = Input(height=rows, width=cols, mean=MEAN, std=STD, resize=resize, interpolation=interpolation)
    theirs = transforms.Compose(
        [
            transforms.Resize(resize, MODES[interpolation]),
            transforms.CenterCrop((rows, cols)),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )
    assert np.array_equal(prepare(image, input)[0], theirs(image).numpy())


@given(sides, sides, st.integers(1, 40), st.integers(1, 40))
def test_squash_equals_torchvisions_resize_to_a_pair(height, width, rows, cols):
    """Squashing resizes both axes to the input, whatever the aspect."""
    image = noise(height, width)
    input = Input(height=rows, width=cols, crop="squash")
    theirs = transforms.Compose([transforms.Resize((rows, cols)), transforms.ToTensor()])
    assert np.array_equal(prepare(image, input)[0], theirs(image).numpy())


@pytest.mark.parametrize(
    ("size", "resized", "first"),
    [
        ((40, 80), (16, 32), (8, 0)),  # lying: gray above and below
        ((80, 40), (32, 16), (0, 8)),
        ((10, 10), (32, 32), (0, 0)),  # smaller: enlarged
        ((41, 80), (16, 32), (8, 0)),  # 16.4 rows
        ((43, 80), (17, 32), (7, 0)),  # of an odd rest the smaller half lies in front
        ((3, 900), (1, 32), (15, 0)),  # never less than a row
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_letterbox_holds_the_whole_picture(size, resized, first, channels):
    """It is resized to fit, in the middle, and what lies beside it is gray 114; the placement leads back to it."""
    image, (rows, cols), (top, left) = noise(*size), resized, first
    pixels, placement = prepare(image, Input(channels=channels, height=32, width=32, crop="letterbox"))
    inner = image.convert("L" if channels == 1 else "RGB").resize((cols, rows), Image.Resampling.BILINEAR)
    expected = np.full((32, 32, channels), 114, np.uint8)
    expected[top : top + rows, left : left + cols] = np.asarray(inner).reshape(rows, cols, channels)
    assert np.array_equal(pixels, expected.transpose(2, 0, 1) / np.float32(255))
    whole = Box(top=top, left=left, bottom=top + rows, right=left + cols)
    assert placement.source_box(whole) == Box(top=0, left=0, bottom=size[0], right=size[1])


@given(st.integers(1, 999), st.integers(1, 999), st.integers(1, 300), st.integers(1, 300))
def test_without_resize_the_smallest_covering_size_is_taken(height, width, rows, cols):
    """The resized picture covers the input, and one px less along its short side would not."""
    covering = resized_size(Input(height=rows, width=cols), height, width)
    short = min(covering)
    smaller = resized_size(Input(height=rows, width=cols, resize=short - 1), height, width) if short > 1 else (0, 0)
    assert covering[0] >= rows and covering[1] >= cols
    assert smaller[0] < rows or smaller[1] < cols


def test_channel_order_and_gray():
    """BGR is RGB reversed, each channel with its own mean and std; one channel is Pillow's gray."""
    image = noise(20, 30)
    colours = Input(height=16, width=16, mean=MEAN, std=STD)
    reverse = Input(height=16, width=16, mean=MEAN[::-1], std=STD[::-1], order="BGR")
    gray = Input(channels=1, height=16, width=16)
    assert np.array_equal(prepare(image, colours)[0], prepare(image, reverse)[0][::-1])
    assert np.array_equal(prepare(image, gray)[0], prepare(image.convert("L"), gray)[0])


def test_pixels_lie_channels_last():
    """The array is [c, h, w], but the channels of one px are neighbours in memory."""
    pixels = prepare(noise(20, 30), Input(height=8, width=9))[0]
    assert pixels.shape == (3, 8, 9) and pixels.transpose(1, 2, 0).flags.c_contiguous


@pytest.mark.parametrize("size", [(60, 80), (80, 60), (20, 80), (30, 30)])
def test_a_planted_mark_is_found_again_on_the_source(size):
    """The input px that show a mark lead back to a box of the source picture that holds the mark's centre."""
    height, width = size
    pixels = np.zeros((height, width, 3), np.uint8)
    row, col = height // 2 + 3, width // 2 - 4
    pixels[row - 2 : row + 2, col - 2 : col + 2] = 255
    input = Input(height=24, width=32, resize=28)
    prepared, placement = prepare(Image.fromarray(pixels), input)
    peak_row, peak_col = np.unravel_index(prepared[0].argmax(), prepared[0].shape)
    box = Box(top=int(peak_row) - 1, left=int(peak_col) - 1, bottom=int(peak_row) + 2, right=int(peak_col) + 2)
    found = placement.source_box(box)
    assert found.top <= row <= found.bottom and found.left <= col <= found.right
    assert found.height <= 3 * placement.row_scale + 2 and found.width <= 3 * placement.col_scale + 2


def test_placement_by_hand():
    """A 400 x 600 picture, resized to 200 x 300 and cropped to 100 x 120: two source px a step, from (100, 180)."""
    placement = placement_of(Input(height=100, width=120, resize=200), 400, 600)
    assert (placement.row_scale, placement.col_scale) == (2.0, 2.0)
    assert (placement.top, placement.left) == (100.0, 180.0)


def test_padding_is_placed_outside_the_picture():
    """A 10 x 10 picture in a 14 x 14 input begins two px inside, and the zeros lie beyond its border."""
    white = Image.new("RGB", (10, 10), "white")
    pixels, placement = prepare(white, Input(height=14, width=14, resize=10))
    assert (placement.top, placement.left) == (-2.0, -2.0)
    assert pixels[:, 2:12, 2:12].min() == 1 and pixels.sum() == 3 * 100


@given(st.sampled_from(["RGB", "BGR"]), st.sampled_from([1, 3]))
def test_show_undoes_the_normalisation(order, channels):
    """What is shown of a prepared picture is the picture itself, to the level."""
    image = noise(12, 12)
    input = Input(channels=channels, height=12, width=12, mean=MEAN[:channels], std=STD[:channels], order=order)
    shown = show(prepare(image, input)[0][None], input)
    assert np.array_equal(shown[0], np.asarray(image.convert("L").convert("RGB") if channels == 1 else image))


def test_show_picks_the_channels_it_is_told_and_clips():
    """Of many channels three are shown; what leaves 0..1 is clipped."""
    input = Input(channels=5, height=1, width=1, show=(4, 0, 2))
    pixels = np.array([0.2, 9, -3, 9, 1.5], np.float32).reshape(1, 5, 1, 1)
    assert show(pixels, input).ravel().tolist() == [255, 51, 0]


def test_other_channel_counts_ask_for_a_dataset():
    """A picture file cannot make twelve channels, and the message says what can."""
    with pytest.raises(ImageError, match=r"12 channels.*Dataset"):
        prepare(noise(8, 8), Input(channels=12, height=8, width=8, show=(0, 1, 2)))


def test_a_thread_of_a_picture_is_refused_before_it_is_blown_up():
    """One px by fifty thousand would be resized to gigabytes."""
    input = Input(height=256, width=256, resize=256)
    with pytest.raises(Unusable, match="too narrow"):
        fill(Image.new("RGB", (50_000, 1)), input, empty_rows(1, input)[0])
