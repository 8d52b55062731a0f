"""A network that was fine-tuned has another number of classes: its last layer is made to the file's size.

Only a last layer whose weight and bias both are in the file, and differ in nothing but how many outputs there are, is
replaced; whatever else does not fit stays without weights.
"""

from torch import Tensor, nn

from layerscope.models.fitting import Fit


def resized_heads(model: nn.Module, fit: Fit) -> dict[str, nn.Module]:
    """New last layers of the file's size, by path; empty where the misfit is of another kind.

    model: is not changed. Any number of dense layers (auxiliary heads have their own), or one 1x1 convolution.
    """
    modules = dict(model.named_modules())
    paths = list(dict.fromkeys(name.rpartition(".")[0] for name in fit.misshapen))
    heads = {path: _resized(modules.get(path), path, fit) for path in paths}
    convolutions = sum(isinstance(head, nn.Conv2d) for head in heads.values())
    if None in heads.values() or convolutions > 1 or any(_goes_on(path, fit) for path in paths):
        return {}
    return {path: head for path, head in heads.items() if head is not None}


def replace_module(model: nn.Module, path: str, new: nn.Module) -> None:
    """Put a module in another's place, in its mode and on its device."""
    parent, _, name = path.rpartition(".")
    old = model.get_submodule(path)
    first = next(old.parameters())
    model.get_submodule(parent).register_module(name, new.to(first.device, first.dtype).train(old.training))


def _resized(old: nn.Module | None, path: str, fit: Fit) -> nn.Module | None:
    held = {name: fit.found.get(f"{path}.{name}") for name in ("weight", "bias")}
    weight, bias = held["weight"], held["bias"]
    own = getattr(old, "bias", None)
    if weight is None or (bias is None) != (own is None) or not _only_longer(weight, fit.wanted[f"{path}.weight"]):
        return None
    if type(old) is nn.Linear:
        return nn.Linear(old.in_features, len(weight), bias=bias is not None)
    if type(old) is nn.Conv2d and old.kernel_size == (1, 1) and old.groups == 1:
        return nn.Conv2d(old.in_channels, len(weight), 1, stride=(old.stride[0], old.stride[1]), bias=bias is not None)
    return None


def _only_longer(found: Tensor, wanted: Tensor) -> bool:
    return found.dim() == wanted.dim() and found.shape[1:] == wanted.shape[1:]


def _goes_on(path: str, fit: Fit) -> bool:
    """True where the file has further layers beside this one: then it is not the last there."""
    parent = path.rpartition(".")[0]
    beside = f"{parent}." if parent else ""
    stem = path[len(beside) :].rstrip("0123456789")
    places = [place for name in fit.surplus if fit.part.tensors[name].dim() > 1 and (place := fit.place(name))]
    return any(
        place.startswith(beside) and place[len(beside) :].partition(".")[0].rstrip("0123456789") == stem
        for place in places
    )
