"""An ablation is what a forward hook on the user's module makes of the network, counted by hand."""

import copy
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.causes import Replacement, ablate, judge_of
from layerscope.causes.ablate import require_leading
from layerscope.core.ablation import ALONE, LABELS, LOGITS, OWN, SHARES, Ablation
from layerscope.core.errors import ImageError, TraceError, UsageError
from layerscope.sources import open_source
from layerscope.testing.slow import slow_paths
from tests.helpers.ablation import (
    CLASSES,
    COUNT,
    INPUT,
    Drawn,
    changing,
    hooked,
    model,
    nothing,
    pixels,
    share_losses,
    source,
    traced,
)

# A network, the user's module whose output is changed, the units, and what becomes of them.
CASES = (
    ("residual", "0.conv", (0, 4), "zero"), ("residual", "0.block1", (1, 2), "mean"),
    ("residual", "0.block2.conv1", (8,), "scale"), ("residual", "3", (0, 6), "zero"),
    ("residual", "4", (2,), "mean"), ("residual", "5", (1,), "scale"),
    ("branches", "0.block1.wide.1", (0, 3), "zero"), ("branches", "0.block1", (9, 4), "scale"),
    ("growing", "0.stem", (1,), "mean"), ("growing", "0.first", (1,), "zero"),
    ("pooled", "1", (0, 5), "zero"), ("pooled", "2", (3,), "mean"), ("pooled", "3", (2,), "scale"),
    ("softmax", "0", (0, 3, 9), "zero"),
)  # fmt: skip


def run(network: ls.Network, layer: str, units: tuple[int, ...], *, own: bool = False, **options: object) -> Ablation:
    """What the package says, with labels unless it is asked otherwise."""
    judge = judge_of(len(CLASSES), source(), classes=CLASSES, own=own)
    return ablate(network.program, INPUT, [(network[layer], units)], source(), judge, **options)


@pytest.mark.parametrize(("name", "module", "units", "way"), CASES)
@pytest.mark.thin(8)
def test_it_is_a_hook_on_the_users_module(monkeypatch, name, module, units, way):
    """In float64: accuracies, losses, the classes' losses, the changes of outputs, and the images that change most."""
    monkeypatch.setattr(import_module("layerscope.causes.ablate"), "BATCH", 10)
    layer = traced(name)[module]
    means = np.linspace(-1, 2, layer.units).astype(np.float32)
    ways = {"zero": Replacement(), "mean": Replacement(means={layer.name: means}), "scale": Replacement(factor=1.5)}
    found = run(traced(name), module, units, replacement=ways[way], draws=1, most=COUNT)
    targets = Drawn().targets
    before, after = hooked(name, module, nothing), hooked(name, module, changing(units, way, means))
    (other,) = found.others
    elsewhere = hooked(name, module, changing(other.units[layer.name], way, means))
    lost_before, lost = (share_losses(rows, name, targets) for rows in (before, after))
    for told, rows in ((found.before, before), (found.after, after), (other, elsewhere)):
        assert told.accuracy == np.mean(rows.argmax(1) == targets)
        assert told.turned == np.mean(rows.argmax(1) != before.argmax(1))
        assert told.loss == pytest.approx(share_losses(rows, name, targets).mean(), abs=1e-12)
    for one in found.classes:
        here = np.array(targets) == one.index
        assert (one.name, one.images) == (CLASSES[one.index], here.sum())
        assert one.accuracy == np.mean(after[here].argmax(1) == one.index)
        assert [one.loss_before, one.loss] == pytest.approx([lost_before[here].mean(), lost[here].mean()], abs=1e-12)
        assert one.loss_others == pytest.approx(share_losses(elsewhere, name, targets)[here].mean(), abs=1e-12)
    if name != "softmax":
        np.testing.assert_allclose(found.outputs, (after - before).mean(0), atol=1e-12)
    for one in found.changed:
        assert [one.loss_before, one.loss] == pytest.approx([lost_before[one.image], lost[one.image]], abs=1e-12)
        assert one.first == CLASSES[after[one.image].argmax()]
    changes = [abs(one.loss - one.loss_before) for one in found.changed]
    assert len(changes) == COUNT and changes == sorted(changes, reverse=True)


def test_units_of_several_layers_go_together():
    """A later layer is changed as it is without the units of an earlier one."""
    network, net = traced("residual"), copy.deepcopy(model("residual"))
    judge = judge_of(len(CLASSES), source(), classes=CLASSES)
    chosen = [(network["4"], (1, 3)), (network["0.block1"], (0, 2))]
    found = ablate(network.program, INPUT, chosen, source(), judge, replacement=Replacement(factor=0.5))
    for module, units in (("0.block1", (0, 2)), ("4", (1, 3))):
        net.get_submodule(module).register_forward_hook(lambda _, given, out, units=units: halved(out, units))
    with torch.no_grad():
        rows = net(pixels()).numpy()
    assert found.after.loss == pytest.approx(share_losses(rows, "residual", Drawn().targets).mean(), abs=1e-12)
    assert {layer: len(units) for layer, units in found.others[0].units.items()} == {"4": 2, "0.block1": 2}


def halved(output: Tensor, units: tuple[int, ...]) -> None:
    for unit in units:
        output[:, unit] *= 0.5


def test_kept_maps_give_what_whole_passes_give():
    """Running on from the maps of a layer, and running everything anew from the input, tell the same."""
    for name, module, units in (("residual", "0.block1", (0, 3)), ("growing", "0.stem", (2,)), ("pooled", "4", (1,))):
        fast = run(traced(name), module, units)
        with slow_paths("maps kept by an ablation"):
            slow = run(traced(name), module, units)
        assert [one.units for one in fast.others] == [one.units for one in slow.others]
        for one, other in zip(
            (fast.before, fast.after, *fast.others), (slow.before, slow.after, *slow.others), strict=True
        ):
            assert (one.accuracy, one.turned) == (other.accuracy, other.turned)
            assert one.loss == pytest.approx(other.loss, abs=1e-12)


def test_one_pass_to_the_layer_serves_all_draws(monkeypatch):
    """However many sets of units, the network is run to the layer once a batch."""
    network, passes = traced("residual"), []
    real = type(network.program).run
    monkeypatch.setattr(type(network.program), "run", lambda self, x, wanted: passes.append(1) or real(self, x, wanted))
    assert len(run(network, "0.block1", (0,), draws=4).others) == 4
    assert len(passes) == 1


def test_others_are_drawn_by_the_seed():
    """As many, none of the units themselves, each draw another; the same seed draws the same."""
    units = (0, 4, 7)
    draws = [one.units["0.block2"] for one in run(traced("residual"), "0.block2", units, draws=6).others]
    assert len(set(draws)) == 6 and all(len(set(one)) == 3 and not set(units) & set(one) for one in draws)
    again, other = (
        [one.units["0.block2"] for one in run(traced("residual"), "0.block2", units, draws=6, seed=seed).others]
        for seed in (0, 1)
    )
    assert again == draws != other


@pytest.mark.parametrize(
    ("units", "draws", "said"),
    [
        (range(7), 0, 'beside those of layer "4" none is left'),
        (range(5), 0, 'beside those of layer "4" only 2 are left'),
        (range(6), 0, 'beside those of layer "4" only 1 is left'),
        (range(1, 4), 4, "4 draws of other units in place of 5"),
    ],
)
def test_where_too_few_are_left_it_says_so(units, draws, said):
    """All units of a layer can be taken out; they are then not compared with others."""
    found = run(traced("residual"), "4", tuple(units), draws=5)
    assert len(found.others) == draws
    assert any(said in remark for remark in found.remarks)
    assert (found.classes[0].loss_others is None) == (not draws)


def test_without_labels_the_network_is_its_own_judge():
    """Accuracy is agreement with the whole network; targets are what it puts first."""
    before = hooked("growing", "0", nothing)
    after = hooked("growing", "0", changing((0, 2), "zero", np.zeros(10)))
    first = before.argmax(1)
    found = run(traced("growing"), "0", (0, 2), own=True)
    assert (found.judged_by, found.before.accuracy, found.before.turned) == (OWN, 1.0, 0.0)
    assert found.after.accuracy == np.mean(after.argmax(1) == first) == 1 - found.after.turned
    assert found.after.loss == pytest.approx(share_losses(after, "growing", first.tolist()).mean(), abs=1e-12)
    for one in found.classes:
        assert one.output == pytest.approx((after - before)[first == one.index, one.index].mean(), abs=1e-12)


class Halved(nn.Module):
    """Shares that sum to 1, made without a softmax."""

    def forward(self, x: Tensor) -> Tensor:
        return x.abs() / x.abs().sum(1, keepdim=True)


@pytest.mark.parametrize(("end", "kind"), [(Halved(), SHARES), (nn.Sigmoid(), ALONE), (nn.Softmax(1), LOGITS)])
def test_what_is_compared_is_said(end, kind):
    """Of outputs that are no logits the logarithm is taken as they are; a softmax at the end is looked through."""
    network = ls.trace(nn.Sequential(copy.deepcopy(model("pooled")), end), INPUT)
    found = run(network, "0.2", (0,), draws=0)
    with torch.no_grad():
        rows = end(model("pooled")(pixels())).numpy()
    assert (found.compared, found.judged_by) == (kind, LABELS)
    assert found.before.loss == pytest.approx(-np.log(rows[range(COUNT), Drawn().targets]).mean(), abs=1e-9)
    assert any("no logits" in remark for remark in found.remarks) == (kind != LOGITS)


def test_predicted_losses_are_held_to_the_true_ones():
    """The true losses themselves have a rank correlation of 1, their opposites of -1; NaN is no prediction."""
    classes = {one.index: one for one in run(traced("residual"), "0.block1", (0, 3)).classes}
    true = np.array([classes[index].loss - classes[index].loss_before for index in range(5)])
    for sign in (1, -1):
        found = run(traced("residual"), "0.block1", (0, 3), predicted=sign * true)
        assert found.predicted.loss == pytest.approx(sign) and found.predicted.classes == 5
    output = -np.array([classes[index].output for index in range(5)])
    output[2] = np.nan
    found = run(traced("residual"), "0.block1", (0, 3), predicted=output)
    assert found.predicted.output == pytest.approx(1) and found.predicted.classes == 4
    assert run(traced("residual"), "0.block1", (0, 3), predicted=[0.0] * 5).predicted.loss is None
    with pytest.raises(UsageError, match="predicted must be one number for each of the 5 outputs"):
        run(traced("residual"), "0.block1", (0, 3), predicted=[1, 2])


class Two(nn.Module):
    """Classes, and a map."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv(x)
        return self.head(x.mean((2, 3))), x


def test_what_cannot_be_asked_is_a_sentence():
    """A network without one class output; a unit that is not there; images of which none can be read."""
    two = ls.trace(Two(), INPUT)
    with pytest.raises(TraceError, match=r"has no class output, .* gives \[images, 4, 22, 18\], \[images, 5\]"):
        run(two, "conv", (0,))
    with pytest.raises(TraceError, match=r"has no class output, .* gives \[images, 4, 22, 18\]"):
        run(ls.trace(nn.Sequential(nn.Conv2d(3, 4, 3)), INPUT), "0", (0,))
    with pytest.raises(UsageError, match='layer "4" has units 0 to 6, and no unit 7'):
        run(traced("residual"), "4", (1, 7))
    with pytest.raises(UsageError, match="numbers that are not finite: scale them less"):
        run(traced("residual"), "4", (1,), replacement=Replacement(factor=1e308))
    nowhere = open_source(Drawn(1)), judge_of(5, open_source(Drawn(1)), classes=CLASSES)
    with pytest.raises(ImageError, match="can be used"):
        nowhere[0].read = lambda id: (nowhere[0].record(id), None)
        network = traced("residual")
        ablate(network.program, INPUT, [(network["4"], (1,))], *nowhere)


def test_a_layer_that_does_not_lead_to_the_classes_is_refused():
    """Nothing that its units do would be seen."""
    with pytest.raises(UsageError, match='layer "late" does not lead to the class output'):
        late = replace(traced("pooled")["2"], name="late", node=10**6)
        require_leading(traced("pooled").program.graph, [traced("pooled")["2"], late], 6)
