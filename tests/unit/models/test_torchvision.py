"""Torchvision's networks are built as their builders build them for published weights, whoever's weights they get."""

import hashlib
import re
import warnings
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models._api import WeightsEnum

from layerscope.core.errors import UsageError
from layerscope.models import Loaded, load
from layerscope.models.builders import built
from layerscope.models.torchvision import _published_as

# All but RegNets, whose widths are worked out with tensors: they cannot be built without numbers.
NETWORKS = [name for name in models.list_models(module=models) if not name.startswith("regnet")]
SETTING = ["googlenet", "inception_v3", "densenet121", "mnasnet0_5", "mobilenet_v3_small"]


def saved(state: dict[str, Tensor], path: Path) -> Path:
    torch.save(state, path)
    return path


def settings(model: nn.Module) -> dict[tuple[str, str], object]:
    """Whatever plain value stands in any module."""
    plain = (bool, int, float, str, tuple, list, type(None))
    modules = dict(model.named_modules())
    held = {
        (path, name): value
        for path, module in modules.items()
        for name, value in vars(module).items()
        if isinstance(value, plain)
    }
    return held | {(path, "class"): type(module) for path, module in modules.items()}


def published(name: str, monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """The network as torchvision gives it with published weights, of which none arrive."""
    loading = nn.Module.load_state_dict

    def nothing(*given: Any, **also: Any) -> OrderedDict:
        state = OrderedDict()
        state._metadata = {"": {"version": 2}}  # type: ignore[attr-defined]
        return state

    with monkeypatch.context() as patched:
        patched.setattr(WeightsEnum, "get_state_dict", nothing)
        patched.setattr(nn.Module, "load_state_dict", lambda self, state, *a, **k: loading(self, state, strict=False))
        return models.get_model(name, weights="DEFAULT")


def same_as_published(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, _ = built(name, models.get_model_weights(name)["DEFAULT"])
        theirs = published(name, monkeypatch)
    assert settings(ours) == settings(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize("name", SETTING)
def test_what_a_builder_sets_beside_the_weights_is_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every plain value of every module is that of the network with published weights."""
    same_as_published(name, monkeypatch)


@pytest.mark.wide
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_built_as_with_published_weights(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, for all classification networks of torchvision."""
    same_as_published(name, monkeypatch)


@pytest.fixture(scope="module")
def googlenet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Loaded, dict[str, Tensor]]:
    """GoogLeNet with a file of the names of its published weights, and these."""
    torch.manual_seed(0)
    state = models.get_model("googlenet", weights=None, init_weights=False, aux_logits=True).state_dict()
    return load("torchvision:googlenet", weights=saved(state, tmp_path_factory.mktemp("g") / "g.pth")), state


def test_googlenet_turns_the_numbers_of_a_picture_about(googlenet: tuple[Loaded, dict[str, Tensor]]) -> None:
    """Its first convolution sees what its published weights were trained on: (x * std + mean - 0.5) / 0.5."""
    loaded, state = googlenet
    assert isinstance(loaded.model, nn.Module)
    seen: list[Tensor] = []
    loaded.model.eval().conv1.conv.register_forward_hook(lambda module, given, output: seen.append(output))
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        loaded.model(x)
    mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    expected = torch.nn.functional.conv2d((x * std + mean - 0.5) / 0.5, state["conv1.conv.weight"], stride=2, padding=3)
    torch.testing.assert_close(seen[0], expected, rtol=1e-4, atol=1e-4)


def test_heads_that_a_builder_takes_off_are_named(googlenet: tuple[Loaded, dict[str, Tensor]]) -> None:
    """Published files of GoogLeNet hold auxiliary heads, which the network is used without."""
    assert any(re.match(r'not used of "g.pth": aux1\.', remark) for remark in googlenet[0].remarks)
    assert googlenet[0].unloaded == {} and len(googlenet[0].classes) == 1000


def test_layers_need_no_weights_but_the_same_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without weights the published network's settings stay, and nothing is fetched; /none is the plain class."""
    monkeypatch.setattr(WeightsEnum, "get_state_dict", lambda *given, **also: pytest.fail("weights were fetched"))
    with torch.device("meta"):
        bare, none = load("torchvision:inception_v3", with_weights=False), load("torchvision:inception_v3/none")
    assert bare.model.transform_input is True and none.model.transform_input is False  # type: ignore[union-attr]


def test_old_names_of_published_weights_are_read(tmp_path: Path) -> None:
    """DenseNet's published files say `norm.1` for `norm1`, also with a wrapper's beginning."""
    torch.manual_seed(1)
    state = models.get_model("densenet121", weights=None).state_dict()
    old = {re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", f"module.{n}"): t for n, t in state.items()}
    assert sum("norm.1" in name for name in old) > 200
    loaded = load("torchvision:densenet121", weights=saved({"state_dict": old}, tmp_path / "old.pth"))
    assert isinstance(loaded.model, nn.Module) and not loaded.unloaded
    assert all(torch.equal(loaded.model.state_dict()[name], tensor) for name, tensor in state.items())


def test_modules_with_versions_of_their_own_take_weights(tmp_path: Path) -> None:
    """MNASNet asks which version a state dict is of, and a file of plain tensors does not say."""
    torch.manual_seed(1)
    state = dict(models.get_model("mnasnet0_5", weights=None).state_dict())
    loaded = load("torchvision:mnasnet0_5", weights=saved(state, tmp_path / "m.pth"))
    assert isinstance(loaded.model, nn.Module)
    assert all(torch.equal(loaded.model.state_dict()[name], tensor) for name, tensor in state.items())


def test_ten_classes_of_ones_own(tmp_path: Path) -> None:
    """SqueezeNet's last layer is a 1x1 convolution: it gets the file's size, and the names of ImageNet's classes go."""
    state = models.get_model("squeezenet1_1", weights=None, num_classes=10).state_dict()
    loaded = load("torchvision:squeezenet1_1", weights=saved(state, tmp_path / "ten.pth"))
    assert loaded.classes == () and loaded.unloaded == {}
    assert loaded.model(torch.zeros(1, 3, 64, 64)).shape == (1, 10)  # type: ignore[operator]
    assert loaded.remarks == ("classifier.1 was made to the file's size: 10 outputs",)


def test_how_pictures_are_prepared_is_said_where_a_file_does_not_tell(tmp_path: Path) -> None:
    """MobileNetV2 has two published weights, resized to 232 and 256: the file may be trained like either."""
    state = models.get_model("mobilenet_v2", weights=None).state_dict()
    loaded = load("torchvision:mobilenet_v2", weights=saved(state, tmp_path / "m.pth"))
    assert loaded.input is not None and loaded.input.resize == 232
    assert loaded.remarks == (
        "pictures are prepared as for IMAGENET1K_V2; weights trained like IMAGENET1K_V1 need --resize 256",
    )


def test_a_published_file_is_known_by_its_hash(tmp_path: Path) -> None:
    """The address of published weights ends in the beginning of their SHA-256; the file's name does not matter."""
    file = saved({"a": torch.zeros(1)}, tmp_path / "renamed.bin")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    one, two = (SimpleNamespace(url=f"https://a.b/n-{start}.pth") for start in ("00000000", digest[:10]))
    assert _published_as(file, [one, two]) is two
    assert _published_as(file, [one]) is None


def test_loading_goes_on_beside_in_other_threads() -> None:
    """While a network is built, what another thread loads is loaded."""
    from threading import Thread

    from layerscope.models.builders import _nothing_is_loaded

    elsewhere, here, state = nn.Linear(1, 1), nn.Linear(1, 1), {"weight": torch.ones(1, 1), "bias": torch.ones(1)}
    before = here.weight.detach().clone()
    with _nothing_is_loaded() as meant:
        thread = Thread(target=elsewhere.load_state_dict, args=(state,))
        thread.start()
        thread.join()
        here.load_state_dict(state)
    assert (
        torch.equal(elsewhere.weight, state["weight"]) and torch.equal(here.weight, before) and set(meant) == {*state}
    )
    here.load_state_dict(state)
    assert torch.equal(here.weight, state["weight"])


def test_random_weights_and_a_file_exclude_each_other(tmp_path: Path) -> None:
    """/none and --weights contradict one another, for torchvision's networks and ours."""
    for spec in ("torchvision:alexnet/none", "zfnet64/none"):
        with pytest.raises(UsageError, match="asks for random weights, and --weights for those of a file"):
            load(spec, weights=tmp_path / "any.pt")
