"""A weights file fits or is refused with the keys that do not; how it was saved does not matter."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from layerscope.core.errors import TraceError, UsageError
from layerscope.models.weights import load_weights

State = dict[str, Tensor]


def model(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))


def prefixed(state: State, prefix: str) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


SAVED: dict[str, Callable[[State, Path], Path]] = {
    "safetensors": lambda state, path: _tensors(state, path.with_suffix(".safetensors")),
    "plain": lambda state, path: _torch(state, path),
    "under state_dict": lambda state, path: _torch({"state_dict": state, "epoch": 90}, path),
    "under model": lambda state, path: _torch({"model": state, "optimizer": {"lr": 0.1}}, path),
    "of DataParallel": lambda state, path: _torch({"state_dict": prefixed(state, "module.")}, path),
    "compiled and parallel": lambda state, path: _torch(prefixed(state, "module._orig_mod."), path),
    "prefixed safetensors": lambda state, path: _tensors(prefixed(state, "model."), path.with_suffix(".safetensors")),
}


def _tensors(state: State, path: Path) -> Path:
    save_file(state, path)
    return path


def _torch(state: object, path: Path) -> Path:
    torch.save(state, path)
    return path


@pytest.mark.parametrize("form", SAVED)
def test_any_way_of_saving_is_read(form: str, tmp_path: Path) -> None:
    """safetensors or .pt, nested under a key, with the prefixes of wrappers: the same weights come back."""
    wanted, target = model(1).state_dict(), model(2)
    load_weights(target, SAVED[form](wanted, tmp_path / "weights.pt"))
    assert all(torch.equal(target.state_dict()[name], tensor) for name, tensor in wanted.items())


def test_half_precision_becomes_the_models_own(tmp_path: Path) -> None:
    """Weights saved as float16 or bfloat16 are read into float32."""
    for dtype in (torch.float16, torch.bfloat16):
        saved = {n: t.to(dtype) if t.is_floating_point() else t for n, t in model(1).state_dict().items()}
        target = model(2)
        load_weights(target, _torch(saved, tmp_path / "half.pt"))
        assert target[0].weight.dtype == torch.float32
        torch.testing.assert_close(target[0].weight.detach(), saved["0.weight"].float())


def test_every_key_that_does_not_fit_is_listed(tmp_path: Path) -> None:
    """Missing, surplus and misshapen keys come in one message, and the model stays as it was."""
    state, target = model(1).state_dict(), model(2)
    del state["3.bias"]
    state["4.weight"] = torch.zeros(2)
    state["0.weight"] = torch.zeros(4, 1, 3, 3)
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    with pytest.raises(TraceError) as error:
        load_weights(target, _torch(state, tmp_path / "weights.pt"))
    assert str(error.value) == (
        '"weights.pt" does not fit Sequential: missing: 3.bias; surplus: 4.weight; '
        "misshapen: 0.weight is [4, 1, 3, 3], expected [4, 3, 3, 3]"
    )
    assert all(torch.equal(before[name], tensor) for name, tensor in target.state_dict().items())


def test_long_lists_are_cut(tmp_path: Path) -> None:
    """Of many keys the first eight are named and the rest counted."""
    with pytest.raises(TraceError, match="k7 and 12 more"):
        load_weights(model(), _torch({f"k{i}": torch.zeros(1) for i in range(20)}, tmp_path / "weights.pt"))


def test_a_counter_that_only_training_reads_may_be_missing(tmp_path: Path) -> None:
    """Old checkpoints lack `num_batches_tracked`."""
    state = {name: tensor for name, tensor in model(1).state_dict().items() if not name.endswith("tracked")}
    target = model(2)
    load_weights(target, _torch(state, tmp_path / "old.pt"))
    assert torch.equal(target[3].weight, state["3.weight"])


class Payload:
    """What only a file that runs code could hold."""

    def __reduce__(self) -> tuple:
        return (print, ("this must not run",))


def test_files_that_hold_no_weights_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No file, garbage, a list, and a pickle that would run code: each is one sentence, and no code runs."""
    with pytest.raises(UsageError, match=r'there is no weights file ".*gone\.pt"'):
        load_weights(model(), tmp_path / "gone.pt")
    for name in ("garbage.pt", "garbage.safetensors"):
        (tmp_path / name).write_bytes(b"not weights at all")
        with pytest.raises(TraceError, match=f'{name}" cannot be read as weights'):
            load_weights(model(), tmp_path / name)
    for state in ([torch.zeros(2)], {"weight": "heavy"}):
        with pytest.raises(TraceError, match="holds no state dict"):
            load_weights(model(), _torch(state, tmp_path / "other.pt"))
    with pytest.raises(TraceError, match="cannot be read as weights"):
        load_weights(model(), _torch({"weight": Payload()}, tmp_path / "code.pt"))
    assert capsys.readouterr().out == ""
