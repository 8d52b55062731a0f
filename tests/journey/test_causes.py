"""What an atlas says of causes, beside autograd on the user's own module: peaks shared out among earlier units, and
scores of classes among all units."""

import shutil
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.atlas.compare import content_digest
from layerscope.core.errors import UsageError
from layerscope.core.uses import AGAINST, FOR
from tests.helpers.building import INPUT, LAYERS, Small
from tests.helpers.networks import randomise
from tests.journey.test_build import build


@pytest.fixture(scope="module")
def module() -> Small:
    """The network of `small_network`, as its user has it, in float64."""
    example = torch.randn(4, *INPUT.shape, generator=torch.Generator().manual_seed(0))
    return randomise(Small(), 0, example).double().eval()


def _kept(module: nn.Module, pixels: np.ndarray) -> tuple[dict[str, Tensor], Tensor]:
    found: dict[str, Tensor] = {}
    hooks = [
        module.get_submodule(name).register_forward_hook(lambda m, i, o, name=name: found.update({name: o}))
        for name in LAYERS
    ]
    scores = module(torch.from_numpy(pixels.astype(np.float64)).requires_grad_())
    for hook in hooks:
        hook.remove()
    return found, scores


def _sent(number: Tensor, kept: Tensor) -> np.ndarray:
    """What each unit of a layer sends to a number: a rectified network's gradient times the layer."""
    (signal,) = torch.autograd.grad(number, kept, retain_graph=True, allow_unused=True, materialize_grads=True)
    return (signal * kept)[0].reshape(kept.shape[1], -1).sum(1).detach().numpy()


@pytest.mark.parametrize("later", ["relu2", "relu3"])
def test_parts_are_the_means_of_the_peaks(later: str, module: Small, pictures, built) -> None:
    """Each unit's strongest parts, in each earlier layer, with their spread; sums of shares are one."""
    source = ls.images(pictures)
    with ls.open(built.path) as atlas:
        for unit in atlas[later]:
            if not unit.peaks:
                with pytest.raises(UsageError, match="never above zero"):
                    unit.made_of()
                continue
            for earlier in LAYERS[: LAYERS.index(later)]:
                shares = []
                for peak in unit.peaks:
                    kept, _ = _kept(module, source.load([peak.image], INPUT).pixels)
                    number = kept[later][0, unit.number, peak.row, peak.col]
                    shares.append(_sent(number, kept[earlier]) / float(number.detach()))
                found, mean = unit.made_of(earlier), np.mean(shares, 0)
                assert found.peaks == len(unit.peaks) and found.units == pytest.approx(mean.sum(), abs=1e-4)
                assert found.units + found.constants + found.past == pytest.approx(1, abs=1e-4) and found.rest < 1e-4
                for part in found.strongest:
                    assert part.share == pytest.approx(mean[part.unit], abs=1e-4)
                    assert part.spread == pytest.approx(np.std(shares, 0)[part.unit], abs=1e-4)
                kept_units = {part.unit for part in found.strongest if part.share > 0}
                assert kept_units == {int(i) for i in np.flatnonzero(mean > 0)}, "eight hold all of so few units"
            assert unit.made_of() == unit.made_of(LAYERS[LAYERS.index(later) - 1])


def test_uses_are_the_means_over_the_images_of_a_class(module: Small, pictures, built) -> None:
    """Of the sampled images each is asked for the class that the network puts first, and for its own."""
    source = ls.images(pictures)
    with closing(sqlite3.connect(built.path)) as connection:
        (sampled,) = connection.execute("SELECT value FROM statistic WHERE name = 'use'").fetchone()
        usable = connection.execute("SELECT id FROM image WHERE skipped IS NULL AND duplicate_of IS NULL").fetchall()
    ids = sorted(np.random.default_rng([0, 3]).permutation(sorted(i for (i,) in usable))[:128].tolist())
    assert f'"images":{len(ids)}' in sampled
    sums: dict[str, dict[int, list[np.ndarray]]] = {name: defaultdict(list) for name in LAYERS}
    for image in ids:
        kept, scores = _kept(module, source.load([image], INPUT).pixels)
        output = int(scores[0].argmax())
        for name in LAYERS:
            sums[name][output].append(_sent(scores[0, output], kept[name]))
    with ls.open(built.path) as atlas:
        for name in LAYERS:
            mean = {output: np.mean(found, 0) for output, found in sums[name].items()}
            for unit in atlas[name]:
                uses = unit.used_for()
                assert uses.images == len(ids)
                amounts = [one.amount for one in uses.classes]
                assert [a for a in amounts if a > 0] == sorted((a for a in amounts if a > 0), reverse=True)
                assert len(amounts) <= FOR + AGAINST
                for one in uses.classes:
                    assert one.images == len(sums[name][one.output])
                    assert one.amount == pytest.approx(mean[one.output][unit.number], abs=1e-4)


def test_an_atlas_without_causes_says_so_and_gets_them(net, pictures, built, tmp_path: Path) -> None:
    """Of an atlas of an earlier version: tables that are not there are told, the same command adds them, and all rows
    are those of one build."""
    out = tmp_path / "old.atlas"
    shutil.copy(built.path, out)
    with closing(sqlite3.connect(out)) as connection, connection:
        for table in ("share", "made_of", "used_for"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DELETE FROM shard WHERE stage IN ('shared', 'used')")
        connection.execute("DELETE FROM statistic WHERE name IN ('shares', 'use')")
    with ls.open(out) as atlas:
        with pytest.raises(UsageError, match="made without it or for other units; the command that built it adds it"):
            next(unit for unit in atlas["relu3"] if unit.peaks).made_of()
        with pytest.raises(UsageError, match="made without it; the command that built it adds it"):
            atlas["relu3"][0].used_for()
    build(net, pictures, out)
    assert content_digest(out) == built.digest


def test_what_units_are_used_for_is_held_to_what_classes_lose(net, pictures, built) -> None:
    """An ablation beside the atlas tells the rank correlation with the sums of what the units send to each class."""
    units = [0, 1, 2]
    with ls.open(built.path) as atlas:
        sent: dict[int, float] = defaultdict(float)
        for unit in units:
            for one in atlas["relu3"][unit].used_for().classes:
                sent[one.output] += one.amount
        predicted = [sent.get(output, np.nan) for output in range(4)]
        told = {"own_predictions": True, "draws": 0, "limit": 40, "progress": False}
        found = ls.ablate(net, {"relu3": units}, pictures, atlas=atlas, **told)
        assert found.predicted == ls.ablate(net, {"relu3": units}, pictures, predicted=predicted, **told).predicted
        assert found.predicted is not None
        assert ls.ablate(net, {"relu3": units}, pictures, **told).predicted is None


def test_a_network_without_its_head_has_shares_and_no_uses(pictures, tmp_path: Path) -> None:
    """Where no file gave the weights of the class output the rest is built, and why no class uses a unit is told."""
    code, body, out = tmp_path / "net.py", tmp_path / "body.pt", tmp_path / "body.atlas"
    code.write_text(
        "from torch import nn\n\ndef net():\n    return nn.Sequential(\n"
        "        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(),\n"
        "        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))\n"
    )
    torch.manual_seed(0)
    whole = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
    torch.save(whole.state_dict(), body)
    images = ls.images(pictures, limit=20)
    ls.build(f"{code}:net", images, out=out, weights=body, trust=True, input=INPUT, k=2, progress=False).close()
    with ls.open(out) as atlas:
        unit = next(unit for unit in atlas["3"] if unit.peaks)
        assert unit.made_of().earlier == "1"
        with pytest.raises(UsageError, match="no class output that can be computed"):
            atlas["3"][unit.number].used_for()


def test_the_first_layer_and_dense_ones_say_why_nothing_is_known(net, pictures, tmp_path: Path) -> None:
    """No layer comes before the first; layers that are not projected are not shared out."""
    out = tmp_path / "a.atlas"
    build(net, ls.images(pictures, limit=20), out)
    with ls.open(out) as atlas:
        for name, why in (("relu1", "comes before it"), ("relu4", "only projected layers")):
            with pytest.raises(UsageError, match=why):
                next(unit for unit in atlas[name] if unit.peaks).made_of()
        with pytest.raises(UsageError, match='is not shared out among "relu9"'):
            next(unit for unit in atlas["relu3"] if unit.peaks).made_of("relu9")
