"""What a weights file holds goes into the network it fits, however it was saved; all else is said or refused."""

import argparse
import re
import warnings
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from layerscope.core.errors import TraceError, UsageError
from layerscope.models.weights import check_numbers, class_names, fill, load_weights, weights_path

State = dict[str, Tensor]


class Small(nn.Module):
    """A stem, a list of blocks and a head, named as networks are."""

    def __init__(self, classes: int = 5, blocks: int = 2, channels: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.blocks = nn.ModuleList([nn.Conv2d(4, 4, 3, padding=1) for _ in range(blocks)])
        self.fc = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.stem(x)).relu()
        for block in self.blocks:
            x = block(x).relu()
        return self.fc(x.mean((2, 3)))


class Options:
    """A class of the user's own, as checkpoints keep beside the weights."""

    def __init__(self) -> None:
        self.rate = 0.1


class Dictionary(dict):
    """A dictionary of a library's own class."""


def made(seed: int, **options: int) -> Small:
    torch.manual_seed(seed)
    return Small(**options)


def state_of(seed: int, **options: int) -> State:
    return dict(made(seed, **options).state_dict())


def pre(prefix: str, state: State) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def saved(what: object, path: Path) -> Path:
    torch.save(what, path)
    return path


def _safetensors(state: State, path: Path) -> Path:
    save_file(state, path.with_suffix(".any"))
    return path.with_suffix(".any")


def _npz(state: State, path: Path) -> Path:
    np.savez(path.with_suffix(".npz"), **{name: tensor.numpy() for name, tensor in state.items()})
    return path.with_suffix(".npz")


def _shards(state: State, path: Path) -> Path:
    names = sorted(state)
    files = {"one.safetensors": names[:3], "two.safetensors": names[3:]}
    for file, held in files.items():
        save_file({name: state[name] for name in held}, path.parent / file)
    where = ", ".join(f'"{name}": "{file}"' for file, held in files.items() for name in held)
    index = path.parent / "model.safetensors.index.json"
    index.write_text(f'{{"weight_map": {{{where}}}}}')
    return index


def _wraps(state: State) -> State:
    """Segments of wrappers at the front, within and before the last, as nested wrappers leave them."""
    return {f"_orig_mod.module.{name.replace('.', '._checkpoint_wrapped_module.', 1)}": t for name, t in state.items()}


FORMS: dict[str, Callable[[State, Path], Path]] = {
    "safetensors of any name": _safetensors,
    "numpy.savez": _npz,
    "shards and their index": _shards,
    "plain": saved,
    "before 2020": lambda s, p: torch.save(s, p, _use_new_zipfile_serialization=False) or p,
    "under state_dict": lambda s, p: saved({"state_dict": s, "epoch": 90}, p),
    "under a key that nobody knows": lambda s, p: saved({"my_best": {"inner": s}, "epoch": 90}, p),
    "in a tuple": lambda s, p: saved((3, s), p),
    "arrays": lambda s, p: saved({name: tensor.numpy() for name, tensor in s.items()}, p),
    "beside an optimizer": lambda s, p: saved({"model": s, "optimizer": _adam(s)}, p),
    "beside options": lambda s, p: saved({"net": s, "args": argparse.Namespace(lr=1), "best": np.float64(0.9)}, p),
    "beside objects of the user's": lambda s, p: saved({"net": s, "hyper": Options(), "cfg": Dictionary(a=1)}, p),
    "beside a path": lambda s, p: saved({"net": s, "where": p}, p),
    "parameters": lambda s, p: saved({n: nn.Parameter(t) if t.is_floating_point() else t for n, t in s.items()}, p),
    "of DataParallel": lambda s, p: saved(pre("module.", s), p),
    "of a compiled, distributed Lightning module": lambda s, p: saved(pre("model._orig_mod.module.", s), p),
    "wrappers within": lambda s, p: saved(_wraps(s), p),
    "a task's attribute": lambda s, p: saved(pre("task.net.0.", s), p),
    "a backbone beside a plain head": lambda s, p: saved(
        {n if n.startswith("fc") else f"backbone.{n}": t for n, t in s.items()}, p
    ),
    "nested by module": lambda s, p: saved(_nested(s), p),
    "a whole pickled network": lambda s, p: saved(_loaded(s), p),
    "whole networks under keys": lambda s, p: saved({"model": _loaded(s), "ema": None, "date": "today"}, p),
}


def _adam(state: State) -> dict:
    moments = {i: {"exp_avg": t.clone(), "step": torch.ones(())} for i, t in enumerate(state.values())}
    return {"state": moments, "param_groups": [{"lr": 0.1}]}


def _nested(state: State) -> dict:
    tree: dict = {}
    for name, tensor in state.items():
        *modules, last = name.split(".")
        level = tree
        for module in modules:
            level = level.setdefault(module, {})
        level[last] = tensor
    return tree


def _loaded(state: State) -> nn.Module:
    network = made(9)
    network.load_state_dict(state)
    return network


@pytest.mark.parametrize("form", FORMS)
def test_any_way_of_saving_is_read(form: str, tmp_path: Path) -> None:
    """Containers, keys, wrappers and beginnings of names: every tensor comes back, to the bit."""
    wanted, target = state_of(1), made(2)
    filled = fill(target, FORMS[form](wanted, tmp_path / "weights.pt"))
    assert not filled.unloaded and not filled.resized
    assert all(torch.equal(target.state_dict()[name], tensor) for name, tensor in wanted.items())


WRAPPED: dict[str, Callable[[Small], nn.Module]] = {
    "DataParallel": nn.DataParallel,
    "compiled": lambda model: nn.ModuleDict({"_orig_mod": model}),
    "averaged": lambda model: torch.optim.swa_utils.AveragedModel(model),
    "an attribute": lambda model: nn.ModuleDict({"encoder": model, "own": nn.Linear(3, 2)}),
    "wrapped within": lambda model: _within(model),
}


def _within(model: Small) -> Small:
    model.stem = nn.DataParallel(model.stem)  # type: ignore[assignment]
    return model


@pytest.mark.parametrize("wrapper", WRAPPED)
def test_a_plain_file_fits_a_wrapped_network(wrapper: str, tmp_path: Path) -> None:
    """The other direction: names in the file are shorter than the network's."""
    state, outer = state_of(1), WRAPPED[wrapper](made(2))
    fill(outer, saved(state, tmp_path / "plain.pt"))
    drop = re.compile(r"\bmodule\.|\b_orig_mod\.|\bencoder\.")
    found = {drop.sub("", name): tensor for name, tensor in outer.state_dict().items()}
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


def test_half_precision_becomes_the_models_own(tmp_path: Path) -> None:
    """Weights saved as float16, bfloat16 or float64 are read into float32."""
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        state = {n: t.to(dtype) if t.is_floating_point() else t for n, t in state_of(1).items()}
        target = made(2)
        fill(target, saved(state, tmp_path / "half.pt"))
        assert target.stem.weight.dtype == torch.float32
        torch.testing.assert_close(target.stem.weight.detach(), state["stem.weight"].float())


AVERAGED = {
    "timm": ({"state_dict": 1, "state_dict_ema": 2}, "state_dict_ema", "state_dict"),
    "nested": ({"model": 1, "ema": {"module": 2, "updates": 7}}, "ema.module", "model"),
    "restoration": ({"params": 1, "params_ema": 2}, "params_ema", "params"),
    "teacher": ({"student": 1, "teacher": 2}, "teacher", "student"),
    "query": ({"encoder_k": 1, "encoder_q": 2}, "encoder_q", "encoder_k"),
}


@pytest.mark.parametrize("case", AVERAGED)
def test_of_several_sets_of_weights_one_is_taken_and_said(case: str, tmp_path: Path) -> None:
    """Averaged before raw, teacher before student, the trained encoder before its follower; "::" takes the other."""
    held, taken, other = AVERAGED[case]

    def states(value: object) -> object:
        if isinstance(value, dict):
            return {key: states(one) if key != "updates" else one for key, one in value.items()}
        return state_of(value)  # type: ignore[arg-type]

    path, target = saved(states(held), tmp_path / "several.pt"), made(3)
    (remark,) = fill(target, path).remarks
    assert remark.startswith(f'"several.pt" holds several sets of weights; those under {taken}, ')
    assert f"several.pt::{other} takes others" in remark
    assert torch.equal(target.fc.weight, state_of(2)["fc.weight"])
    assert fill(target, f"{path}::{other}").remarks == ()
    assert torch.equal(target.fc.weight, state_of(1)["fc.weight"])


def test_averages_without_statistics_do_not_take_the_place_of_whole_weights(tmp_path: Path) -> None:
    """An average of parameters alone lacks the running mean and variance: the raw weights are taken, and it is said."""
    average = {name: tensor for name, tensor in state_of(2).items() if "running" not in name}
    target = made(3)
    filled = fill(target, saved({"state_dict": state_of(1), "ema": average}, tmp_path / "part.pt"))
    assert not filled.unloaded and torch.equal(target.fc.weight, state_of(1)["fc.weight"])
    assert "those under state_dict, the raw weights, were taken" in filled.remarks[0]


def test_where_nothing_tells_which_weights_are_meant_the_keys_are_named(tmp_path: Path) -> None:
    """Two networks that fit alike under keys without meaning: one must be named."""
    path = saved({"left": state_of(1), "right": state_of(2)}, tmp_path / "two.pt")
    with pytest.raises(TraceError, match=r"name one of them, as two.pt::left or two.pt::right"):
        fill(made(3), path)
    target = made(3)
    fill(target, f"{path}::right")
    assert torch.equal(target.fc.weight, state_of(2)["fc.weight"])
    with pytest.raises(TraceError, match=r'holds no tensors under "middle"; it holds left, right'):
        fill(made(3), f"{path}::middle")


def test_a_file_may_have_colons_in_its_name(tmp_path: Path) -> None:
    """What exists by its whole name is that file."""
    target = made(2)
    fill(target, saved(state_of(1), tmp_path / "a::b"))
    assert torch.equal(target.fc.weight, state_of(1)["fc.weight"])


def test_what_training_leaves_beside_the_weights_is_named(tmp_path: Path) -> None:
    """Buffers of a loss, counters of a profiler, a queue, numbers and extra state are not used, and it is said."""
    more = {"criterion.weight": torch.ones(5), "stem.total_ops": torch.zeros(1), "n_averaged": torch.zeros(())}
    state = state_of(1) | more | {"epoch": 3, "_extra_state": {"a": 1}}
    target = made(2)
    (remark,) = fill(target, saved(state, tmp_path / "left.pt")).remarks
    assert remark == 'not used of "left.pt": criterion.weight, stem.total_ops, n_averaged, epoch, _extra_state'
    assert torch.equal(target.stem.weight, state["stem.weight"])


def test_a_counter_that_only_training_reads_may_be_missing(tmp_path: Path) -> None:
    """Old checkpoints lack `num_batches_tracked`."""
    state = {name: tensor for name, tensor in state_of(1).items() if not name.endswith("tracked")}
    assert fill(made(2), saved(state, tmp_path / "old.pt")).unloaded == {}


def test_a_fine_tuned_head_makes_the_network_its_size(tmp_path: Path) -> None:
    """Ten classes where the network has five: the last layer is the file's."""
    state, target = state_of(1, classes=10), made(2)
    filled = fill(target, saved(state, tmp_path / "ten.pt"))
    assert filled.resized == {"fc": 10} and not filled.unloaded
    assert all(torch.equal(target.state_dict()[name], tensor) for name, tensor in state.items())
    assert target(torch.zeros(1, 3, 9, 9)).shape == (1, 10)


HEADS: dict[str, Callable[[State], State]] = {
    "missing": lambda s: {n: t for n, t in s.items() if not n.startswith("fc")},
    "of two layers": lambda s: (
        {n.replace("fc.", "fc.0."): t for n, t in s.items()}
        | {"fc.2.weight": torch.ones(3, 5), "fc.2.bias": torch.ones(3)}
    ),
    "of another width": lambda s: s | {"fc.weight": torch.ones(5, 6)},
    "with a layer behind": lambda s: (
        s
        | {"fc.weight": torch.ones(7, 4), "fc.bias": torch.ones(7)}
        | {"fc2.weight": torch.ones(5, 7), "fc2.bias": s["fc.bias"]}
    ),
}


@pytest.mark.parametrize("head", HEADS)
def test_another_head_leaves_the_body(head: str, tmp_path: Path) -> None:
    """What fits is loaded; what does not holds NaN, so that nothing can be computed from it unseen, and is named."""
    state, target = HEADS[head](state_of(1)), made(2)
    filled = fill(target, saved(state, tmp_path / "head.pt"))
    assert "fc.weight" in filled.unloaded and filled.unloaded["fc.weight"] == 'its weights are not in "head.pt"'
    assert set(filled.unloaded) <= {"fc.weight", "fc.bias"}
    assert bool(target.fc.weight.isnan().all())
    assert torch.equal(target.blocks[1].weight, state["blocks.1.weight"])
    assert any("layers that need them cannot be had" in remark for remark in filled.remarks)


def _called(name: str) -> State:
    """The weights of the stem under another name."""
    return {(name if held == "stem.weight" else held): tensor for held, tensor in state_of(1).items()}


ANOTHERS: dict[str, tuple[Callable[[], State], str]] = {
    "deeper": (lambda: state_of(1, blocks=3), "surplus: blocks.2.weight, blocks.2.bias"),
    "a bias more": (lambda: state_of(1) | {"blocks.0.scale": torch.ones(4)}, "surplus: blocks.0.scale"),
    "a numbered sibling": (lambda: state_of(1) | {"stem2.weight": torch.ones(4, 3, 3, 3)}, "surplus: stem2.weight"),
    "a hole": (
        lambda: {name: tensor for name, tensor in state_of(1, blocks=2).items() if not name.startswith("blocks.0")},
        "missing: blocks.0.weight, blocks.0.bias",
    ),
    "gray": (lambda: state_of(1, channels=1), "the file is for pictures of 1 channels"),
    "less than half": (lambda: {"stem.weight": state_of(1)["stem.weight"]}, "missing: stem.bias, norm.weight"),
    "pruned": (
        lambda: _called("stem.weight_orig") | {"stem.weight_mask": torch.ones(4, 3, 3, 3)},
        "call torch.nn.utils.prune.remove before saving",
    ),
    "weight norm": (
        lambda: (
            _called("stem.parametrizations.weight.original1")
            | {"stem.parametrizations.weight.original0": torch.ones(4, 1, 1, 1)}
        ),
        "call torch.nn.utils.parametrize.remove_parametrizations before saving",
    ),
}


@pytest.mark.parametrize("case", ANOTHERS)
def test_another_networks_weights_are_refused(case: str, tmp_path: Path) -> None:
    """Nothing is loaded where the file stands for another computation; the sentence lists what does not fit."""
    state, why = ANOTHERS[case]
    target = made(2)
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    with pytest.raises(TraceError, match=f'^"other.pt" does not fit Small: .*{re.escape(why)}'):
        fill(target, saved(state(), tmp_path / "other.pt"))
    assert all(torch.equal(before[name], tensor) for name, tensor in target.state_dict().items())


def _quantised(tensor: Tensor) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is giving quantised tensors up; files hold them
        return torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8)


NUMBERS: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "int8": (lambda t: t.to(torch.int8), "stem.weight holds int8 numbers"),
    "bool": (lambda t: t > 0, "stem.weight holds bool numbers"),
    "float8": (lambda t: t.to(torch.float8_e4m3fn), "stem.weight holds float8_e4m3fn numbers"),
    "complex": (lambda t: torch.complex(t, t), "stem.weight holds complex numbers (complex64)"),
    "quantised": (lambda t: _quantised(t), "stem.weight is quantised (qint8)"),
    "sparse": (lambda t: t.to_sparse(), "stem.weight is stored as sparse_coo"),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_weights_that_are_no_real_numbers_are_refused(kind: str, tmp_path: Path) -> None:
    """By name, with what they are: raw integers in a weight's place would be silently wrong."""
    change, why = NUMBERS[kind]
    state = state_of(1)
    state["stem.weight"] = change(state["stem.weight"])
    with pytest.raises(TraceError, match=re.escape(f'"odd.pt" cannot be loaded: {why}')):
        fill(made(2), saved(state, tmp_path / "odd.pt"))


def test_a_modules_own_weights_are_held_to_the_same(tmp_path: Path) -> None:
    """A quantised or complex parameter of the user's own module is refused by name; a counter is an integer."""
    check_numbers(made(1))
    for name, tensor in (("table", torch.zeros(2, dtype=torch.complex64)), ("rare", torch.zeros(2).to_sparse())):
        network = made(1)
        network.register_buffer(name, tensor)
        with pytest.raises(TraceError, match=f'the weights "{name}" of Small cannot be used'):
            check_numbers(network)


def test_every_key_that_does_not_fit_is_listed(tmp_path: Path) -> None:
    """A checkpoint of ours must fit whole; missing, surplus and misshapen keys come in one message."""
    state, target = state_of(1), made(2)
    del state["blocks.1.bias"]
    state["rest.weight"] = torch.zeros(2)
    state["stem.weight"] = torch.zeros(4, 1, 3, 3)
    with pytest.raises(TraceError) as error:
        load_weights(target, saved(state, tmp_path / "weights.pt"))
    assert str(error.value) == (
        '"weights.pt" does not fit Small: missing: blocks.1.bias; surplus: rest.weight; '
        "misshapen: stem.weight is [4, 1, 3, 3], expected [4, 3, 3, 3]"
    )


def test_long_lists_are_cut(tmp_path: Path) -> None:
    """Of many keys the first eight are named and the rest counted."""
    with pytest.raises(TraceError, match="k7 and 12 more"):
        fill(made(1), saved({f"k{i}": torch.zeros(1) for i in range(20)}, tmp_path / "weights.pt"))


class Payload:
    """What only a file that runs code could hold."""

    def __reduce__(self) -> tuple:
        return (print, ("this must not run",))


class Command:
    def __reduce__(self) -> tuple:
        import os

        return (os.system, ("echo this must not run",))


def test_no_code_in_a_file_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Weights beside a pickle that would print are loaded without it; one that calls the system is refused."""
    target = made(2)
    fill(target, saved({"net": state_of(1), "hook": Payload()}, tmp_path / "code.pt"))
    assert torch.equal(target.fc.weight, state_of(1)["fc.weight"])
    with pytest.raises(TraceError, match=r"it holds objects \(.*system\) that cannot be opened without running code"):
        fill(target, saved({"net": state_of(1), "hook": Command()}, tmp_path / "call.pt"))
    assert "must not run" not in "".join(capfd.readouterr())


HOLDING = {
    "a list": ([torch.zeros(2), torch.zeros(3)], "a list of 2 tensors without names"),
    "one tensor": (torch.zeros(2, 3), "one tensor [2, 3] without a name"),
    "nothing": ({}, "nothing (an empty dictionary)"),
    "an optimizer": ({"optimizer": {"lr": 0.1}, "epoch": 4}, 'it holds "optimizer", "epoch"'),
    "an object": (Options(), "an object of the class"),
    "a word": ("weights", "one value of type str"),
}


@pytest.mark.parametrize("case", HOLDING)
def test_a_file_without_named_tensors_is_told_by_what_it_holds(case: str, tmp_path: Path) -> None:
    """No state dict: the sentence says what there is instead."""
    what, contents = HOLDING[case]
    with pytest.raises(TraceError, match=f"holds no state dict .*{re.escape(contents)}"):
        fill(made(1), saved(what, tmp_path / "other.pt"))


def test_an_average_of_a_model_keeps_its_names_whatever_the_order(tmp_path: Path) -> None:
    """An OrderedDict with metadata, as `state_dict()` gives it, in another order of names: the same weights."""
    state = OrderedDict(reversed(list(made(1).state_dict().items())))
    target = made(2)
    fill(target, saved(state, tmp_path / "order.pt"))
    assert torch.equal(target.fc.weight, state["fc.weight"])


def test_a_missing_file_is_named_with_its_likely_name(tmp_path: Path) -> None:
    """A misspelt file, and a folder in a file's place."""
    saved(state_of(1), tmp_path / "checkpoint.pt")
    with pytest.raises(UsageError, match=r'there is no weights file ".*chekpoint.pt"; did you mean checkpoint.pt'):
        fill(made(1), tmp_path / "chekpoint.pt")
    with pytest.raises(UsageError, match=r"is a folder; name the weights file in it \(it holds checkpoint.pt\)"):
        fill(made(1), tmp_path)


class Tied(Small):
    """Two blocks with one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks[1].weight = self.blocks[0].weight


def test_a_tensor_that_a_network_shares_may_stand_in_the_file_once(tmp_path: Path) -> None:
    """As safetensors of other libraries keep it; two different ones in its place are another network's."""
    state, target = state_of(1), Tied()
    second = state.pop("blocks.1.weight")
    assert fill(target, saved(state, tmp_path / "once.pt")).unloaded == {}
    assert torch.equal(target.blocks[1].weight, state["blocks.0.weight"])
    with pytest.raises(TraceError, match=r"blocks.0.weight and blocks.1.weight are one tensor"):
        fill(Tied(), saved(state | {"blocks.1.weight": second}, tmp_path / "twice.pt"))


def test_a_network_without_numbers_gets_the_files(tmp_path: Path) -> None:
    """Built on the device "meta", as one builds large networks whose weights come from a file."""
    state = state_of(1)
    with torch.device("meta"):
        target = Small()
    fill(target, saved(state, tmp_path / "w.pt"))
    assert all(torch.equal(target.state_dict()[name], tensor) for name, tensor in state.items())


def test_layers_without_sizes_are_named(tmp_path: Path) -> None:
    """Lazy modules take their sizes from the first batch: before it nothing can be said to fit."""
    network = nn.Sequential(nn.LazyConv2d(3, 3))
    for call in (lambda: check_numbers(network), lambda: fill(network, saved(state_of(1), tmp_path / "w.pt"))):
        with pytest.raises(
            TraceError, match=r"Sequential has layers whose sizes are not known yet \(0.weight, 0.bias\)"
        ):
            call()


def test_a_state_dict_in_a_files_place_is_told(tmp_path: Path) -> None:
    """And so is a name that no file can have."""
    with pytest.raises(UsageError, match=r"weights= takes a file, not dict; .* with load_state_dict"):
        weights_path(state_of(1))
    with pytest.raises(UsageError, match="there is no weights file"):
        fill(made(1), tmp_path / ("w" * 5000))


def test_names_of_outputs_stand_in_a_safetensors_file(tmp_path: Path) -> None:
    """Those that a training run wrote; none in any other file."""
    save_file(state_of(1), tmp_path / "named.safetensors", metadata={"classes": "ant\nbee"})
    assert class_names(tmp_path / "named.safetensors") == ("ant", "bee")
    assert class_names(saved(state_of(1), tmp_path / "plain.pt")) == ()
