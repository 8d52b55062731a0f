"""What marked pixels keep of an activation, beside whole pictures changed by hand and run through eager torch."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.atlas.retention import retention_of
from layerscope.core.geometry import Box
from layerscope.core.records import Peaks
from layerscope.pipeline.sampling import sample_layer
from layerscope.project.retention import PaintedOver, edges_of, strongest
from layerscope.testing.slow import slow_paths

SIDE, UNITS, SEED = 20, 11, 3
INPUT = ls.Input(height=SIDE, width=SIDE, mean=(0.5, 0.4, 0.45), std=(0.2, 0.25, 0.3))


class _Rectified(torch.autograd.Function):
    """A rectifier that sends back what is positive, and, where it guides, came through."""

    @staticmethod
    def forward(ctx, x: Tensor, guides: bool) -> Tensor:
        ctx.save_for_backward(x > 0 if guides else torch.ones_like(x))
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        return grad.clamp(min=0) * ctx.saved_tensors[0], None


@pytest.fixture(scope="module")
def network() -> nn.Sequential:
    torch.manual_seed(1)
    layers = nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, UNITS, 3, padding=1), nn.ReLU()
    return nn.Sequential(*layers).double().eval()


@pytest.fixture(scope="module")
def measured(network: nn.Sequential):
    """The sample of the last layer, its pixels, and the place of each unit's peak: image, row, column."""
    rng = np.random.default_rng(0)
    source = ls.images([rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8) for _ in range(5)])
    batch = source.load(range(5), INPUT)
    found = network(torch.from_numpy(batch.pixels).double()).detach().numpy()
    peaks, places = Peaks.empty(UNITS, 1), {}
    for unit in np.flatnonzero(found.max((0, 2, 3)) > 0).tolist():
        image, row, col = places[unit] = np.unravel_index(found[:, unit].argmax(), found[:, unit].shape)
        peaks.value[unit], peaks.image[unit], peaks.row[unit], peaks.col[unit] = found[:, unit].max(), image, row, col
    net, hashes = ls.trace(network, INPUT), {record.id: record.sha256 for record in batch.records}

    def sample(*methods: str):
        return sample_layer(net.program, source, INPUT, net["4"], peaks, methods, hashes=hashes, seed=SEED)

    return sample, batch.pixels, places, found, net["4"].node


def _masked(picture: np.ndarray, marks: np.ndarray, field: list[tuple[int, int]]) -> np.ndarray:
    """The picture of which the 15 % of the field with the largest marks are left, the rest in the field's mean."""
    count = next(n for n in range(len(field) + 1) if 100 * n >= 15 * len(field))
    kept = sorted(field, key=lambda place: (-marks[place], place))[:count]
    out = picture.copy()
    for channel in range(3):
        mean = np.float32(sum(float(picture[channel][place]) for place in field) / len(field))
        for place in set(field) - set(kept):
            out[channel][place] = mean
    return out


def _sobel(picture: np.ndarray) -> np.ndarray:
    gray, found = picture.astype(float).sum(0) / 3, np.zeros((SIDE, SIDE))
    kernel = ((1, 0, -1), (2, 0, -2), (1, 0, -1))
    for row in range(SIDE):
        for col in range(SIDE):
            sums = [0.0, 0.0]
            for i in range(3):
                for j in range(3):
                    value = gray[min(max(row + i - 1, 0), SIDE - 1), min(max(col + j - 1, 0), SIDE - 1)]
                    sums[0] += kernel[i][j] * value
                    sums[1] += kernel[j][i] * value
            found[row, col] = (sums[0] ** 2 + sums[1] ** 2) ** 0.5
    return found


@pytest.mark.parametrize("method", ["gradient", "guided", "deconvnet"])
def test_shares_are_those_of_whole_pictures_changed_by_hand(method: str, network, measured) -> None:
    """Own marks, a partner's, edges and random px: mean shares over the units, and intervals over drawn units."""
    sample, pixels, places, found, node = measured

    def rectifier(x: Tensor) -> Tensor:
        return torch.relu(x) if method == "gradient" else _Rectified.apply(x, method == "guided")

    def passed(picture: np.ndarray | Tensor) -> Tensor:
        x = network[0](torch.as_tensor(picture).double()[None])
        return torch.relu(network[3](network[2](rectifier(x))))[0]

    def marks(picture: np.ndarray, *place: int) -> np.ndarray:
        x = torch.from_numpy(picture).double().requires_grad_()
        return torch.autograd.grad(passed(x)[place], x)[0].abs().sum(0).numpy()

    rng, shares = np.random.default_rng([SEED, node, 1]), []
    count = len(places)
    rng.choice(sorted(places), count, replace=False)
    for unit in sorted(places, key=lambda unit: (places[unit][0], unit)):
        image, row, col = map(int, places[unit])
        picture, value = pixels[image], found[image, unit, row, col]
        partner = int(rng.choice([o for o in range(UNITS) if o != unit and found[image, o, row, col] > 0]))
        field = [
            (i, j)
            for i in range(max(2 * row - 3, 0), min(2 * row + 5, SIDE))
            for j in range(max(2 * col - 3, 0), min(2 * col + 5, SIDE))
        ]
        noise = np.random.default_rng([SEED, node, 2, unit]).random((SIDE, SIDE))
        by = marks(picture, unit, row, col), marks(picture, partner, row, col), _sobel(picture), noise
        with torch.no_grad():
            shares.append([max(float(passed(_masked(picture, m, field))[unit, row, col]), 0) / value for m in by])
    own, partner, edges, random = np.array(shares).T
    rng, expected = np.random.default_rng([SEED, node, 3]), {}
    for group in ({"own": own, "edges": edges, "random": random}, {"partner": partner, "selectivity": own - partner}):
        picks = rng.integers(0, count, (1000, count))
        for name, values in group.items():
            means = sorted(sum(values[i] for i in pick) / count for pick in picks)
            expected[name] = [sum(values) / count, np.percentile(means, 2.5), np.percentile(means, 97.5)]
    kept = sample(method).retention[method]
    assert kept.pop("n") == kept.pop("pairs") == count >= UNITS - 2 and set(kept) == set(expected)
    for name, three in expected.items():
        assert kept[name] == pytest.approx(three, abs=1e-6), name
    assert kept["own"][0] > kept["random"][0]


def test_what_is_known_of_a_method_does_not_depend_on_the_others(measured) -> None:
    """A method that is added to an atlas later gets the numbers that it would have had at first."""
    sample, *_ = measured
    every = sample("deconvnet", "guided", "gradient").retention
    for method in every:
        assert sample(method).retention[method] == every[method]


def test_cones_of_changed_pictures_give_what_whole_ones_give(measured) -> None:
    """At borders and inside, to rounding."""
    sample, *_ = measured
    fast = sample("guided").retention["guided"]
    with slow_paths("changed cones"):
        slow = sample("guided").retention["guided"]
    assert fast.keys() == slow.keys()
    assert all(fast[name] == pytest.approx(slow[name], abs=1e-10) for name in fast)


@pytest.mark.parametrize(("size", "count"), [((1, 1), 1), ((2, 3), 1), ((3, 3), 2), ((4, 5), 3), ((10, 10), 15)])
def test_equal_marks_go_row_by_row(size: tuple[int, int], count: int) -> None:
    """15 % of the px, rounded up: the strongest first, then the first of equal ones."""
    places = np.arange(size[0] * size[1]).reshape(size)
    assert np.array_equal(strongest(np.zeros(size)), places < count)
    last = np.zeros(size)
    last[-1, -1] = 1
    assert np.array_equal(strongest(last), (places < count - 1) | (last > 0))


def test_nothing_is_painted_outside_the_field() -> None:
    """There, and where the mask is, the picture is as it was; the rest of the field has one colour. A window of the
    picture is painted like the whole."""
    picture = torch.from_numpy(np.random.default_rng(0).random((1, 2, 6, 7)).astype(np.float32))
    mask = np.zeros((4, 5), bool)
    mask[1, 2] = True
    painted = PaintedOver([Box(top=1, left=2, bottom=5, right=7)], [mask], [np.array([0.25, 0.5], np.float32)])
    out, window, changed = picture.clone(), picture[..., 1:, 1:].clone(), np.zeros((6, 7), bool)
    painted.over(out, np.array([0]), np.array([0]))
    painted.over(window, np.array([1]), np.array([1]))
    changed[1:5, 2:7] = ~mask
    assert torch.equal(out[0][:, ~changed], picture[0][:, ~changed])
    assert torch.equal(out[0][:, changed], torch.tensor([[0.25], [0.5]]).expand(2, 19))
    assert torch.equal(window, out[..., 1:, 1:])


def test_a_plain_picture_has_no_edges() -> None:
    """Not even at its border; a step has them on both sides."""
    plain = np.full((3, 6, 6), 0.3, np.float32)
    assert not edges_of(plain).any()
    plain[:, :, 3:] = 1
    assert np.array_equal(edges_of(plain) > 0, np.tile([False, False, True, True, False, False], (6, 1)))


def test_what_was_not_measured_is_no_record() -> None:
    """Of atlases from before, and where no unit is active or marked."""
    assert retention_of(None) is None and retention_of({"n": 0}) is None
    alone = retention_of({"n": 2, "pairs": 0, "own": [1, 1, 1], "edges": [0, 0, 0], "random": [0, 0, 0]})
    assert alone is not None and alone.own.mean == 1 and alone.partner is None and alone.selectivity is None
