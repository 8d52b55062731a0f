"""The sweep's own machinery: what it calls whole, what it notices, that it goes on; on networks of a few numbers."""

import json
import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from families import backs, fields, peaks, sweep, table
from families.awake import awaken
from families.kinds import KINDS, Given, held
from families.networks import NAMES, SENTENCES, Subject, subjects
from families.own import OWN
from families.verdict import VERDICTS, share, verdict, wrong


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU())


@pytest.fixture(scope="module")
def opened() -> tuple[ls.Network, Given]:
    given = held(small(), 20)
    return ls.trace(given.network, given.input), given


def record(**fields: Any) -> dict[str, Any]:
    """A line of a network that opens whole."""
    return {
        "network": "own:abs", "state": "open", "auto_scan_only": 0, "layers": 4, "auto": 2, "from": "", "because": "",
        "refused": [], "replay": {"fault": "", "said": "agrees", "worst": 1e-15, "layers": 4},
        "fields": {"worst": 0.0, "at": "", "tried": 4, "all": 0},
        "peaks": {"wrong": 0, "units": 4, "worst": 1e-8, "at": ""},
        "backs": {"worst": {"gradient": 1e-15}, "at": {"gradient": "1"}, "compared": {"gradient": 4}, "unknown": []},
        "code": "c", "versions": {"torch": "2"}, "when": "2026-01-02", "seconds": 1.0, "opened": 0.5,
    } | fields  # fmt: skip


def proposals(**fields: Any) -> dict[str, Any]:
    """What was found of an engine that proposes."""
    whole = {
        "differ": 0, "at": "", "layers": 2, "units": 8, "outcome": "decided", "why": "", "images": 140, "again": 140,
        "share": 0.2,
    }  # fmt: skip
    return whole | {"narrow": whole | {"again": 30, "share": 0.05}} | fields


def test_every_network_has_a_kind_that_makes_it():
    """The rows name kinds that exist, each network once."""
    assert NAMES.keys() == KINDS.keys() == SENTENCES.keys()
    texts = [subject.text for subject in subjects()]
    assert len(texts) == len(set(texts)) > 400
    assert [one.name for one in subjects("own:*")] == list(OWN)


def test_a_network_is_awake():
    """Scales that start at 0 are drawn, batch norms fit what they are given, and nothing is a constant any more."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.PReLU(4), nn.Conv2d(4, 2, 3))
    assert isinstance(model[1], nn.BatchNorm2d) and model[1].running_mean is not None
    nn.init.zeros_(model[1].weight)
    example = torch.randn(2, 3, 9, 9) * 5 + 3
    awaken(model, example)
    assert not model.training and all(weight.std() > 0 for weight in model.parameters())
    with torch.no_grad():
        given = model[0](example)
    middle, spread = given.mean((0, 2, 3)), given.std((0, 2, 3))
    assert bool(((model[1].running_mean - middle).abs() < 2 * spread).all())


def test_right_networks_pass(opened):
    """The three checks on a small chain find nothing, and have compared something everywhere."""
    net, given = opened
    layers = [layer for layer in net.layers if layer.auto]
    looked = fields.check(net, given, layers)
    assert looked["worst"] == 0 and looked["tried"] == 8
    found = peaks.check(net, given, layers)
    assert found["wrong"] == 0 and found["units"] == 8 and found["eager"] == len(layers) == 2
    back = backs.check(net, given, layers)
    assert back["unknown"] == [] and all(count >= 4 for count in back["compared"].values())
    assert max(back["worst"].values()) < 1e-12


def test_a_field_that_is_too_small_is_noticed(opened):
    """One px less on a side, and what lies there changes the value."""
    net, given = opened
    layer = next(layer for layer in net.layers if layer.auto)
    less = replace(layer.field.rows, size=layer.field.rows.size - 1)
    assert fields.check(net, given, [replace(layer, field=replace(layer.field, rows=less))])["worst"] > 1e-3


def test_fields_behind_a_gate_are_tried_with_the_gate_held():
    """As it is on the picture: then what lies outside changes nothing, and one px less is noticed."""

    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.gate, self.norm = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1), nn.GroupNorm(2, 4)
            self.second, self.rectifier = nn.Conv2d(4, 4, 3), nn.ReLU()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.first(x)
            return self.rectifier(self.second(self.norm(x * self.gate(x.mean((2, 3), keepdim=True)).sigmoid())))

    given = held(Gated(), 20)
    net = ls.trace(given.network, given.input)
    layer = net["second"]
    assert layer.field.beyond
    looked = fields.check(net, given, [layer])
    assert looked["worst"] < 1e-12 and looked["tried"] == looked["held"] == 4 and looked["beyond"] == 0
    less = replace(layer.field.rows, size=layer.field.rows.size - 1)
    assert fields.check(net, given, [replace(layer, field=replace(layer.field, rows=less))])["worst"] > 1e-3


def test_another_network_is_noticed(opened):
    """Peaks and projections are those of the eager module: of one with other weights they are none."""
    net, _ = opened
    other = held(nn.Sequential(*small().children()).append(nn.Identity()), 20)
    assert other.module is not None
    with torch.no_grad():
        other.module[0].weight.add_(0.1)
    layers = [layer for layer in net.layers if layer.auto]
    assert peaks.check(net, other, layers)["wrong"] > 0
    assert backs.check(net, other, layers)["unmatched"] == len(layers)


def test_what_the_reference_does_not_know_is_named():
    """Behind a function without a rule only the gradient is compared, and the function is told."""

    class Waved(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(torch.erf(self.first(x)))

    given = held(Waved(), 12)
    reference = backs.Reference(given.module, np.random.default_rng(0).standard_normal((3, 12, 12)))
    assert backs._foreign(reference.kept["second"]) == {"Erf"} and backs._foreign(reference.kept["first"]) == set()


def test_held_statistics_are_a_batch_norm():
    """An instance norm that keeps statistics is, to the reference, the batch norm of the same numbers."""
    first, image = nn.Conv2d(3, 4, 3), np.random.default_rng(0).standard_normal((3, 9, 9))
    norms = (nn.InstanceNorm2d(4, affine=True, track_running_stats=True), nn.BatchNorm2d(4))
    assert isinstance(norms[0].running_var, torch.Tensor) and isinstance(norms[0].running_mean, torch.Tensor)
    norms[0].running_var.copy_(torch.rand(4) + 0.5)
    norms[0].running_mean.copy_(torch.rand(4))
    norms[1].load_state_dict(norms[0].state_dict())
    found, wanted = (backs.Reference(nn.Sequential(first, norm).double(), image) for norm in norms)
    for method in backs.METHODS:
        place: dict[str, Any] = {"unit": 1, "row": 2, "col": 3, "method": method}
        np.testing.assert_allclose(found.project("1", **place), wanted.project("1", **place), rtol=1e-12)


def test_verdicts():
    """Each word for what it says; a number that is none is a fault."""
    assert verdict(None) == "not run" and verdict(record()) == "whole"
    assert verdict(record(auto_scan_only=1)) == "in part"
    assert [verdict({"state": state}) for state in ("refused", "late", "unmade")] == ["refused", "late", "unmade"]
    faults = [
        record(state="crashed", why="KeyError: x"), record(replay={"fault": "reading", "said": "was not read rightly"}),
        record(fields={"worst": 1e-3, "at": "conv (0, 0)"}), record(fields={"worst": float("nan"), "at": ""}),
        record(peaks={"wrong": 1, "units": 4, "at": "conv 3"}), record(peaks={"crashed": "KeyError: x"}),
        record(backs={"worst": {"guided": 1e-9}, "at": {"guided": "conv"}}),
        record(proposed={"crashed": "KeyError: x"}), record(proposed=proposals(differ=2)),
        record(proposed=proposals(narrow=proposals(differ=1))),
    ]  # fmt: skip
    assert all(verdict(one) == "fault" and len(wrong(one)) == 1 for one in faults)
    assert [share(value) for value in (0.0, 2.3e-15, 1e-4, float("inf"))] == ["0", "2e-15", "1e-4", "without bound"]


def test_a_sweep_goes_on(tmp_path, monkeypatch):
    """A network is examined once; again after a change of code or version, behind those that never were; one that dies
    is a line like any other; and the file ends with each network once, in order."""
    path, asked = tmp_path / "found" / "families.jsonl", []

    def examine(subject: Subject, far: Any, check: str) -> None:
        if subject.name == "roll":
            os._exit(3)
        far.send({"network": subject.text, "state": "open"})

    monkeypatch.setattr(sweep, "_examine", examine)
    state = sweep.code()
    monkeypatch.setattr(sweep, "code", lambda: state)
    chosen = [Subject("own", name) for name in ("abs", "roll", "flip")]

    def swept(**options: Any) -> list[bool]:
        asked[:] = sweep.sweep(chosen, path, 60, **options)
        return [now for _, now in asked]

    assert swept() == [True, True, True] and swept() == [False, False, False]
    found = sweep.lines(path)
    assert found["own:roll"]["state"] == "crashed" and "3" in found["own:roll"]["why"]
    assert found["own:flip"]["state"] == "open" and found["own:flip"]["versions"].keys() == {"torch", "numpy"}
    monkeypatch.setattr(sweep, "code", lambda: "other")
    assert swept() == [True, True, True] and swept(anew=True) == [True, True, True]
    kept = [json.loads(one)["network"] for one in path.read_text().splitlines()]
    assert kept == sorted(subject.text for subject in chosen)
    monkeypatch.setattr(sweep, "code", lambda: "another")
    chosen.append(Subject("own", "gelu"))
    assert next(sweep.sweep(chosen, path, 60)) == ("own:gelu", True)


def test_a_single_check_joins_what_is_known(tmp_path, monkeypatch):
    """Of networks that are known to open; what else is known of them stays, and it is made once for each code."""
    path, state = tmp_path / "families.jsonl", "new"
    known = [record(), record(network="own:roll", state="refused", why="no"), record(network="own:flip")]
    path.write_text("".join(json.dumps(one) + "\n" for one in known))

    def examine(subject: Subject, far: Any, check: str) -> None:
        assert check == "proposed"
        if subject.name == "flip":
            os._exit(3)
        far.send({"network": subject.text, "state": "open", "layers": 9, check: {"differ": 0}})

    monkeypatch.setattr(sweep, "_examine", examine)
    monkeypatch.setattr(sweep, "code", lambda: state)
    chosen = [Subject("own", name) for name in ("abs", "roll", "flip", "gelu")]

    def made() -> set[str]:
        return {text for text, now in sweep.sweep(chosen, path, 60, check="proposed") if now}

    assert made() == {"own:abs", "own:flip"}
    found = sweep.lines(path)
    assert found.keys() == {one["network"] for one in known} and found["own:roll"] == known[1]
    assert {**found["own:abs"], "proposed": 0} == known[0] | {"proposed": 0}
    added = found["own:abs"]["proposed"]
    assert added["differ"] == 0 and added["code"] == "new" and added["versions"].keys() == {"torch", "numpy"}
    assert "3" in found["own:flip"]["proposed"]["crashed"] and found["own:flip"]["code"] == "c"
    assert made() == set()
    state = "newer"
    assert made() == {"own:abs", "own:flip"}


def test_the_page_counts_in_public():
    """Each network stands with its verdict; refusals are counted over networks, shapes aside; faults are told."""
    refused = [["flatten", "it reshapes [3, 4] to [12]; only flattening is known", 2]]
    records = {
        "own:abs": record(proposed=proposals()),
        "own:gelu": record(network="own:gelu", proposed=proposals(outcome="fell back", share=0.9)),
        "own:sign": record(network="own:sign", proposed=proposals(outcome="declined", why="it jumps")),
        "own:pow": record(network="own:pow", proposed={"late": "not done"}),
        "own:nan": record(network="own:nan", proposed={"refused": "TraceError: NaN"}),
        "own:roll": record(network="own:roll", auto_scan_only=1, refused=refused, because="it <does> not | go"),
        "own:flip": record(network="own:flip", refused=[[refused[0][0], refused[0][1].replace("12", "24"), 1]]),
        "own:fft": {**record(), "network": "own:fft", "state": "refused", "why": "TraceError: no"},
        "own:sqrt": record(network="own:sqrt", fields={"worst": 0.5, "at": "conv (0, 0)"}),
    }
    rows = [
        Subject("own", name) for name in ("abs", "gelu", "sign", "pow", "nan", "roll", "flip", "fft", "sqrt", "where")
    ]
    page = table.page(records, rows, SENTENCES)
    assert (
        "| `own` | what people write themselves: one small network for each habit | 10 | 6 | 1 | 1 | 1 | 0 | 0 | 1 |"
        in page
    )
    assert "| `flatten` | it reshapes [...] to [...]; only flattening is known | 2 | 3 |" in page
    assert "- `own:sqrt`: fields: at conv (0, 0) what lies outside changes 5e-1" in page
    assert "- `own:fft`: TraceError: no" in page and "Not run yet: `where`." in page
    assert "- `roll` without projections from `` on: it &lt;does> not \\| go" in page
    assert all(word in page for word in VERDICTS)
    assert "| all that `auto` means | 3 | 24 | 0 | 1 | 0 | 20.0% | 1 | 1 |" in page
    assert "| the narrowest alone | 3 | 24 | 0 | 3 | 3 | 5.0% | 0 | 0 |" in page
    assert "- `own:nan` is refused by both scans: TraceError: NaN" in page
    assert "- `own:sign` is declined: it jumps" in page and "Not done in their time: `own:pow`." in page
    assert "Not run yet: `own:roll`, `own:flip`, `own:sqrt`." in page
