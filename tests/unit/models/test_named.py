"""The networks that layerscope brings along: as published, as they are shipped, as a user trained them."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import layerscope as ls
from layerscope.core.errors import TraceError, UsageError
from layerscope.core.own_networks import OURS
from layerscope.models import load, named
from layerscope.models.fold import fold
from layerscope.models.named import NAMED
from layerscope.models.zfnet import ZFNet, ZFNet64

LAYERS = ["layer1.relu", "layer2.relu", "layer3.relu", "layer4.relu", "layer5.relu"]


@pytest.fixture(scope="module")
def published() -> ls.Network:
    """ZFNet without numbers in its weights."""
    with torch.device("meta"):
        model = ZFNet()
    return ls.trace(model, NAMED["zfnet"].input)


def test_zfnet_has_the_published_maps_and_fields(published: ls.Network) -> None:
    """Figure 3: maps of 110, 55, 26, 13, 13, 13 and 6 px; fields of 7, 27, 75, 107 and 139 px by arithmetic."""
    sides = {name: published[name].map for name in (LAYERS[0], "pool1", *LAYERS[1:], "pool5")}
    assert [side and side[0] for side in sides.values()] == [110, 55, 26, 13, 13, 13, 6]
    assert all(side and side[0] == side[1] for side in sides.values())
    assert [published[name].field.rows.size for name in LAYERS] == [7, 27, 75, 107, 139]
    assert [layer.units for layer in published.layers if layer.auto] == [96, 256, 384, 384, 256, 4096, 4096]


def test_zfnet_has_the_published_number_of_parameters() -> None:
    """62,357,608, counted by hand from Figure 3; the order in a layer is ReLU, pooling, contrast normalisation."""
    with torch.device("meta"):
        model = ZFNet()
    assert sum(p.numel() for p in model.parameters()) == 62_357_608


def test_the_contrast_normalisation_is_krizhevskys() -> None:
    """x / (2 + 1e-4 * sum of the squares of five neighbouring maps) ** 0.75: alpha is not divided by five."""
    with torch.device("meta"):
        contrast = ZFNet().contrast1
    x = torch.from_numpy(np.random.default_rng(0).normal(0, 30, (1, 9, 2, 2)))
    squares = torch.nn.functional.pad(x**2, (0, 0, 0, 0, 2, 2))
    sums = torch.stack([squares[:, unit : unit + 5].sum(1) for unit in range(9)], dim=1)
    torch.testing.assert_close(contrast(x), x / (2 + 1e-4 * sums) ** 0.75, rtol=1e-12, atol=1e-12)


def test_fields_at_64_px_still_grow() -> None:
    """7, 19, 27, 35 and 43 px: 11, 30, 42, 55 and 67 % of the side."""
    net = ls.trace("zfnet64/none")
    fields = [net[layer].field.rows.size for layer in LAYERS]
    assert fields == [7, 19, 27, 35, 43]
    assert [round(100 * field / 64) for field in fields] == [11, 30, 42, 55, 67]
    assert [net[layer].map for layer in LAYERS] == [(32, 32), *[(16, 16)] * 4]


@pytest.mark.parametrize("hidden", [(7, 5), ()])
def test_folded_batch_norm_computes_the_same(hidden: tuple[int, ...]) -> None:
    """To 1e-12 in float64, the positions at the border included, for any running means and scales."""
    torch.manual_seed(0)
    trained = ZFNet64(4, (3, 4, 5, 4, 3), hidden, norm=True).double().eval()
    for module in trained.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.weight, -2, 2)
            nn.init.normal_(module.bias)
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.1, 3)
    before = {name: tensor.clone() for name, tensor in trained.state_dict().items()}
    plain = fold(trained, ZFNet64(4, (3, 4, 5, 4, 3), hidden).double())
    x = torch.randn(2, 3, 40, 40, dtype=torch.float64)
    seen: dict[nn.Module, torch.Tensor] = {}
    for network in (trained, plain):
        network.layer5.register_forward_hook(lambda module, _, output: seen.update({module: output}))
    with torch.no_grad():
        torch.testing.assert_close(plain(x), trained(x), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(seen[plain.layer5], seen[trained.layer5], rtol=1e-12, atol=1e-12)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in plain.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in trained.state_dict().items())


def test_folding_another_network_is_refused() -> None:
    """The sentence names what does not fit."""
    with pytest.raises(TraceError, match=r"ZFNet64 cannot be folded into ZFNet64: .*layer6"):
        fold(ZFNet64(4, (3, 4, 5, 4, 3), (), norm=True), ZFNet64(4, (3, 4, 5, 4, 3), (6,)))


def test_a_users_own_weights_bring_their_classes(tmp_path: Path) -> None:
    """Half precision is loaded as float32; how many classes there are follows from the file, their names too."""
    torch.manual_seed(1)
    state = {name: tensor.half() for name, tensor in NAMED["worldnet"].plain(3).state_dict().items()}
    file = tmp_path / "last.safetensors"
    save_file(state, file, metadata={"classes": "ant\nbee\ncat"})
    loaded = load("worldnet", weights=file)
    assert (loaded.name, loaded.classes, loaded.input) == ("worldnet", ("ant", "bee", "cat"), NAMED["worldnet"].input)
    assert isinstance(loaded.model, nn.Module)
    for name, tensor in loaded.model.state_dict().items():
        assert tensor.dtype == torch.float32 and torch.equal(tensor, state[name].float())
    net = ls.trace("worldnet", weights=file)
    assert net.classes == ("ant", "bee", "cat")
    assert [net[layer].field.rows.size for layer in LAYERS] == [7, 19, 27, 35, 43]
    with pytest.raises(TraceError, match=r'"last.safetensors" does not fit ZFNet64: missing: layer6'):
        load("zfnet64", weights=file)


def test_shipped_weights_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --weights a network has those of its file in the package, unless /none asks for random ones."""
    state = {name: torch.zeros_like(tensor) for name, tensor in NAMED["worldnet"].plain(5).state_dict().items()}
    save_file(state, tmp_path / "worldnet.safetensors", metadata={"classes": "\n".join("abcde")})
    monkeypatch.setattr(named, "WEIGHTS", tmp_path)
    shipped, random, bare = load("worldnet"), load("worldnet/none"), load("worldnet", with_weights=False)
    assert shipped.classes == tuple("abcde")
    weights = [next(loaded.model.parameters()) for loaded in (shipped, random, bare)]  # type: ignore[union-attr]
    assert not weights[0].any() and weights[1].any()
    assert torch.equal(weights[1], weights[2]), "random weights are seeded"


def test_where_no_weights_are_shipped_a_sentence_says_what_to_do() -> None:
    """ZFNet's: with a file, or /none; its layers need no weights."""
    expected = (
        "no weights of zfnet are shipped: give a file with --weights (layerscope train zfnet makes one), or write "
        "zfnet/none for random ones"
    )
    with pytest.raises(TraceError, match=re.escape(expected)):
        load("zfnet")
    with pytest.raises(UsageError, match=re.escape('"zfnet/nine": only /none (random weights) can follow the name')):
        load("zfnet/nine")
    with pytest.raises(UsageError, match=r'"zfnet46" names no network; .*did you mean zfnet64'):
        load("zfnet46")


def test_the_command_line_knows_their_names() -> None:
    """It repeats them since the originals load torch."""
    assert tuple(NAMED) == tuple(OURS)
