"""Evolution over hand-made checkpoints whose winners are known, and the laws of its curves."""

import json
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from layerscope.core.errors import ImageError, TraceError, UsageError
from layerscope.core.progress import Silent
from layerscope.core.records import Input
from layerscope.graph import fields_of, layers_of
from layerscope.models.named import NAMED, NamedNetwork
from layerscope.sources import open_source
from layerscope.training.evolution import evolve, mean_correlations, standardised
from layerscope.training.kept import KeptRun

SIDE = 16
COLOURS = {"a-red": (220, 40, 40), "b-green": (40, 220, 40), "c-blue": (40, 40, 220), "d-gray": (90, 90, 90)}
# Of each unit and epoch, the channel that it looks for; None: it is never above zero.
LOOKS_FOR = {1: (0, 1, None), 2: (0, 2, None), 5: (2, 2, None)}


def tiny(classes: int) -> nn.Module:
    """Three units that each look at one position, then one answer per class."""
    return nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, classes))


def weights(looks_for: tuple[int | None, ...], classes: int = 2) -> dict[str, torch.Tensor]:
    """A unit is above zero where its channel is higher than the mean of all."""
    filters = torch.full((3, 3, 1, 1), -1 / 3)
    for unit, channel in enumerate(looks_for):
        if channel is None:
            filters[unit] = 0
        else:
            filters[unit, channel] += 1
    return {"0.weight": filters, "0.bias": torch.zeros(3), "4.weight": torch.ones(classes, 3),
            "4.bias": torch.zeros(classes)}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def tinynet():
    """The small network, by name."""
    input = Input(channels=3, height=SIDE, width=SIDE)
    named = NamedNetwork(
        sentence="tiny", input=input, classes=2, plain=tiny, trained=lambda classes, dropout: tiny(classes)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NAMED, "tinynet", named)
        yield


def write_run(run):
    """A run with three checkpoints."""
    run.mkdir()
    (run / "run.json").write_text(json.dumps({"network": "tinynet", "classes": 2}))
    for epoch, looks_for in LOOKS_FOR.items():
        save_file(weights(looks_for), run / f"epoch-{epoch:03}.safetensors")
    return run


def write_pictures(made):
    """One picture per colour, each with a bright square at a place of its own."""
    made.mkdir()
    for place, (name, colour) in enumerate(COLOURS.items()):
        picture = np.full((SIDE, SIDE, 3), 90, np.uint8)
        picture[4 * place : 4 * place + 3, 2:5] = colour
        Image.fromarray(picture).save(made / f"{name}.png")
    return made


@pytest.fixture
def folder(tmp_path):
    """A run that a test may change."""
    return write_run(tmp_path / "run")


@pytest.fixture
def pictures(tmp_path):
    """Pictures that a test may change."""
    return write_pictures(tmp_path / "pictures")


@pytest.fixture(scope="module")
def whole(tinynet, tmp_path_factory):
    """The evolution of a map's layer and of a dense one, which tests only read."""
    base = tmp_path_factory.mktemp("evolution")
    return evolved(write_run(base / "run"), write_pictures(base / "pictures"), "1", "4", view="signal")


def evolved(folder, pictures, *names: str, **options):
    """The evolution of the layers of these names."""
    run = KeptRun(folder)
    graph = run.program(run.epochs[-1]).graph
    layers = [layer for layer in layers_of(graph, fields_of(graph)) if layer.name in (names or ("1",))]
    return evolve(run, layers, open_source(str(pictures)), **options, reporter=Silent())


def test_strongest_images_are_the_known_ones(whole):
    """Each unit's winner at each epoch is the picture of the colour it looks for, at the place of its square."""
    layer, _ = whole.layers
    assert layer.sample == (0, 1) and layer.alive == 2 and layer.units == 3
    assert layer.image.tolist() == [[0, 0, 2], [1, 2, 2]]
    assert layer.row.tolist() == [[0, 0, 8], [4, 8, 8]]
    assert (layer.col == 2).all()


def test_jumps_are_where_another_image_wins(whole):
    """A jump is marked exactly at the checkpoints whose winner is not the one before."""
    layer, _ = whole.layers
    assert layer.jumps.tolist() == [[False, False, True], [False, True, False]]


def test_curves_say_when_units_settle(whole):
    """The share of winners that are the last ones: none, then the second unit, then both; the curves end at 1."""
    layer, _ = whole.layers
    assert layer.same_image.tolist() == [0, 0.5, 1]
    # Over the four pictures a unit's maxima are one above zero, the others 0: two such have correlation -1/3.
    assert layer.correlation == pytest.approx([-1 / 3, 1 / 3, 1], abs=1e-6)


def test_tiles_show_the_winner(whole):
    """Patches are cut from the winner around its peak, and a 1x1 convolution's projection is one lit px."""
    layer, _ = whole.layers
    side = layer.patches.shape[2]
    assert layer.projections.shape == layer.patches.shape == (2, 3, side, side, 3)
    assert (layer.patches[0, 0] == COLOURS["a-red"]).all(-1).sum() == 9
    lit = (layer.projections[0, 0] != 128).any(-1)
    assert lit.sum() == 1
    assert layer.projections[0, 0][lit][0].argmax() == 0


def test_a_unit_without_a_peak_has_gray_tiles(folder, pictures):
    """A unit that an early checkpoint leaves dead has no image and mid-gray tiles there, and its first peak is no
    jump."""
    save_file(weights((None, 1, None)), folder / "epoch-001.safetensors")
    found = evolved(folder, pictures)
    (layer,) = found.layers
    assert layer.image[0].tolist() == [-1, 0, 2] and not layer.jumps[0, 1]
    assert (layer.patches[0, 0] == 128).all() and (layer.projections[0, 0] == 128).all()
    assert [peak["epoch"] for peak in found.data()["layers"][0]["sample"][0]["strongest"]] == [2, 5]


def test_the_same_run_gives_the_same_numbers(whole, folder, pictures):
    """Nothing but the arguments decides the result."""
    again = evolved(folder, pictures, "1", "4", view="signal")
    assert again.data() == whole.data()
    for one, two in zip(again.layers, whole.layers, strict=True):
        assert np.array_equal(one.projections, two.projections) and np.array_equal(one.patches, two.patches)


def test_dense_layers_show_whole_pictures(whole):
    """A dense layer has no place to cut at: its tiles are the whole input."""
    _, layer = whole.layers
    assert layer.side == 0 and layer.patches.shape[2:4] == (SIDE, SIDE)


def test_numbers_are_json(whole):
    """The record's data survive JSON, with the pictures by name."""
    data = json.loads(json.dumps(whole.data(), allow_nan=False))
    assert data["epochs"] == [1, 2, 5]
    assert [unit["jumps"] for unit in data["layers"][0]["sample"]] == [[5], [2]]
    assert data["layers"][0]["sample"][0]["strongest"][0]["image"] == "a-red.png"


@pytest.mark.parametrize("kept", [(1,), ()])
def test_too_few_checkpoints_are_refused(folder, pictures, kept):
    """One checkpoint cannot evolve, none even less: one sentence each."""
    for epoch in set(LOOKS_FOR) - set(kept):
        (folder / f"epoch-{epoch:03}.safetensors").unlink()
    with pytest.raises(UsageError, match="one checkpoint only, of epoch 1" if kept else "holds no checkpoints"):
        evolved(folder, pictures)


def test_other_folders_are_refused(folder, pictures):
    """A folder without a run, a run of an unknown network, and settings that say nothing are named."""
    with pytest.raises(UsageError, match="holds no training run"):
        KeptRun(pictures)
    for text, said in (('{"network": "zfnet46", "classes": 2}', "did you mean zfnet64"), ("[]", "does not say which")):
        (folder / "run.json").write_text(text)
        with pytest.raises(UsageError, match=said):
            KeptRun(folder)


def test_a_checkpoint_of_another_network_is_refused(folder, pictures):
    """Weights that do not fit are named with their file."""
    save_file(weights(LOOKS_FOR[2], classes=7), folder / "epoch-002.safetensors")
    with pytest.raises(TraceError, match=r"epoch-002\.safetensors"):
        evolved(folder, pictures)


def test_nothing_alive_and_nothing_to_compare_are_refused(folder, pictures):
    """A network that never fires has nothing to show, and one picture nothing to correlate over."""
    for file in list(pictures.iterdir())[1:]:
        file.unlink()
    with pytest.raises(ImageError, match="at least 2"):
        evolved(folder, pictures)
    shutil.copy(next(pictures.iterdir()), pictures / "again.png")
    save_file(weights((None, None, None)), folder / "epoch-005.safetensors")
    with pytest.raises(UsageError, match="at epoch 5 no unit"):
        evolved(folder, pictures)


MAXIMA = arrays(np.float32, (6, 4), elements=st.floats(0, 100, width=32))


@given(MAXIMA, MAXIMA)
def test_correlations_are_numpys(now, end):
    """The mean over units, and over pairs of different units, of the correlation coefficient; within -1..1."""
    vary = np.ptp(end, axis=0) > 0
    own, others = mean_correlations(standardised(now), standardised(end))
    count = int(vary.sum())
    assert np.isnan(own) == (count == 0) and np.isnan(others) == (count < 2)
    if count:
        table = (standardised(now).T @ standardised(end))[np.ix_(vary, vary)]
        assert own == pytest.approx(np.diag(table).mean(), abs=1e-9) and abs(own) <= 1 + 1e-9
    if count > 1:
        assert others == pytest.approx((table.sum() - np.trace(table)) / (count * (count - 1)), abs=1e-9)


@given(MAXIMA)
def test_every_unit_agrees_with_itself(maxima):
    """Each unit that varies has correlation 1 with itself."""
    own, _ = mean_correlations(standardised(maxima), standardised(maxima))
    assert np.isnan(own) or own == pytest.approx(1)
