"""A part of a weights file beside a network: what fits, what is left over on either side, and what is refused.

Nothing is loaded that could be another network's. What the network lacks in the file stays without weights, and layers
that need it cannot be had; what the file holds beyond the network is named, unless it stands among the network's own
layers: then the file belongs to another network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from layerscope.core.errors import TraceError
from layerscope.models.naming import Alignment, alignments, unwrapped
from layerscope.models.parts import NamedTensors, meaning

State = Mapping[str, Tensor]
REAL = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
# Counters that only training reads, and what profilers (thop) and modules leave.
_COUNTERS = ("num_batches_tracked", "n_averaged", "total_ops", "total_params", "_extra_state")
# Endings that a layer's weight has while something computes it anew from others, and how that is ended before saving.
_COMPUTED = {
    "weight_mask": "torch.nn.utils.prune.remove",
    "weight_g": "torch.nn.utils.remove_weight_norm",
    "weight_u": "torch.nn.utils.remove_spectral_norm",
    "parametrizations.weight.original0": "torch.nn.utils.parametrize.remove_parametrizations",
    "parametrizations.weight.original": "torch.nn.utils.parametrize.remove_parametrizations",
}


@dataclass(frozen=True)
class Fit:
    """A part of a file as one network's weights. wanted: the network's own tensors, in its order."""

    wanted: State
    part: NamedTensors
    alignment: Alignment

    @property
    def key(self) -> str:
        """How one asks for this part: its keys in the file, and what stands before its names."""
        return ".".join((*self.part.keys, *([self.alignment.prefix] if self.alignment.prefix else [])))

    @cached_property
    def found(self) -> dict[str, Tensor]:
        """The file's tensors by the network's names, of whatever shape; tensors that the network shares, by all."""
        found = {name: self.part.tensors[held] for name, held in self.alignment.names.items()}
        for names in _shared(self.wanted):
            first = next((found[name] for name in names if name in found), None)
            found |= {name: first for name in names if name not in found and first is not None}
        return found

    @cached_property
    def fitting(self) -> dict[str, Tensor]:
        """Those of the network's shape."""
        return {name: tensor for name, tensor in self.found.items() if tensor.shape == self.wanted[name].shape}

    @cached_property
    def missing(self) -> list[str]:
        return [name for name in self.wanted if name not in self.found and not is_counter(name)]

    @cached_property
    def misshapen(self) -> list[str]:
        return [name for name in self.wanted if name in self.found and name not in self.fitting]

    @cached_property
    def surplus(self) -> list[str]:
        used = set(self.alignment.names.values())
        return [name for name in self.part.tensors if name not in used]

    @property
    def root(self) -> str:
        """What stands before the network's own names where the file's have another beginning: "" or "backbone."."""
        return f"{self.alignment.onto}." if self.alignment.onto else ""

    def place(self, held: str) -> str | None:
        """Where a tensor of the file would stand in the network; None for what is outside the beginning taken."""
        name, prefix = unwrapped(held), self.alignment.prefix
        if prefix and not name.startswith(f"{prefix}."):
            return None
        return self.root + (name[len(prefix) + 1 :] if prefix else name)

    @property
    def score(self) -> tuple[int, int]:
        """How many tensors fit: those of two dimensions and more, then all."""
        return sum(tensor.dim() > 1 for tensor in self.fitting.values()), len(self.fitting)

    def same(self, other: "Fit") -> bool:
        """True where both would load the same numbers."""
        return self.fitting.keys() == other.fitting.keys() and all(
            tensor is other.fitting[name] or _equal(tensor, other.fitting[name])
            for name, tensor in self.fitting.items()
        )

    def listed(self) -> str:
        """What does not fit, in one clause; empty where all does."""
        shapes = [
            f"{name} is {list(self.found[name].shape)}, expected {list(self.wanted[name].shape)}"
            for name in self.misshapen
        ]
        named = (("missing", self.missing), ("surplus", self.surplus), ("misshapen", shapes))
        return "; ".join(f"{kind}: {cut(names)}" for kind, names in named if names)


def is_counter(name: str) -> bool:
    """True for what only training or a profiler reads."""
    return name.rpartition(".")[2] in _COUNTERS


def cut(names: list[str], most: int = 8) -> str:
    """The first of many names, and how many more there are."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def fits_of(wanted: State, parts: list[NamedTensors]) -> list[Fit]:
    """The parts, and within a part the beginnings of names, under which most of the network's large tensors fit.

    Several where they tie and hold different numbers; those with the most tensors in all come first, and of these the
    part that is preferred by what its key means.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in wanted.items()}
    # Optimizers hold as many small parts as a network has tensors.
    most = max(len(part.tensors) for part in parts)
    fits = [
        Fit(wanted, part, alignment)
        for part in parts
        if len(part.tensors) >= min(most, len(wanted) // 4)
        for alignment in alignments({name: tuple(tensor.shape) for name, tensor in part.tensors.items()}, shapes)
    ]
    most = max((fit.score[0] for fit in fits), default=0)
    kept: list[Fit] = []
    for fit in fits:
        if fit.score[0] == most and not any(fit.same(other) for other in kept):
            kept.append(fit)
    return sorted(kept, key=lambda fit: (-fit.score[1], -meaning(fit.key)[1], -len(fit.part.tensors)))


def refuse_another(fit: Fit, file: str, network: str) -> None:
    """Raises TraceError where the file's weights are another network's, or no plain numbers."""
    hint = _hint(fit)
    kernels = [name for name, tensor in fit.wanted.items() if tensor.dim() > 2 and tensor.is_floating_point()]
    kernels = kernels or [name for name in fit.wanted if not is_counter(name)]
    loaded = sum(name in fit.fitting for name in kernels)
    others = any(_among_own(name, fit) for name in fit.surplus) or any(
        _is_hole(name, kernels, fit) for name in fit.missing
    )
    if hint or others or 2 * loaded < len(kernels):
        raise TraceError(f'"{file}" does not fit {network}: {fit.listed()}{hint}')
    for names in _shared(fit.wanted):
        held = [fit.found[name] for name in names if name in fit.found]
        if any(tensor is not held[0] and not _equal(tensor, held[0]) for tensor in held):
            raise TraceError(f'"{file}" does not fit {network}: {" and ".join(names)} are one tensor there, two here')
    for name, tensor in fit.fitting.items():
        why = unreal(tensor, fit.wanted[name])
        if why:
            raise TraceError(f'"{file}" cannot be loaded: {name} {why}')


def unreal(tensor: Tensor, wanted: Tensor) -> str:
    """Why a tensor's numbers cannot be taken in another's place; empty where they can."""
    odd = odd_numbers(tensor)
    if odd:
        return odd
    if wanted.is_floating_point() and tensor.dtype not in REAL:
        return f"holds {_named(tensor.dtype)} numbers, which are no weights without their scale; save it as float32"
    if not wanted.is_floating_point() and tensor.is_floating_point() and not bool((tensor == tensor.round()).all()):
        return f"holds {_named(tensor.dtype)} numbers where the network has {_named(wanted.dtype)}"
    return ""


def odd_numbers(tensor: Tensor) -> str:
    """Why a tensor is not plain real numbers, one a place; empty where it is."""
    if tensor.is_quantized:
        return f"is quantised ({_named(tensor.dtype)}); give the network as it was before quantisation"
    if tensor.is_complex():
        return f"holds complex numbers ({_named(tensor.dtype)}); only real networks are known"
    if tensor.layout != torch.strided:
        return f"is stored as {str(tensor.layout).removeprefix('torch.')}; make it dense with .to_dense()"
    return ""


def _hint(fit: Fit) -> str:
    """What to do about a file whose misfit has a known cause."""
    for name in fit.surplus:
        for ending, remover in _COMPUTED.items():
            if name.endswith(f".{ending}"):
                return f"; {name} says that a weight is computed from others: call {remover} before saving"
    first = next((name for name, tensor in fit.wanted.items() if tensor.dim() > 2), None)
    if first in fit.misshapen:
        theirs, ours = fit.found[first].shape, fit.wanted[first].shape
        if theirs[:1] + theirs[2:] == ours[:1] + ours[2:]:
            return (
                f"; the file is for pictures of {theirs[1]} channels: give such a network as a function in a .py file, "
                f"with INPUT = layerscope.Input(channels={theirs[1]}, ...)"
            )
    return ""


def _among_own(surplus: str, fit: Fit) -> bool:
    """True where a surplus tensor stands among the network's own loaded layers: in one of its modules, or numbered on.

    `layer1.2.conv1.weight` where the network has `layer1.0` and `layer1.1`, `conv5.weight` where it has `conv4`, or
    `conv1.bias` where its conv1 has none: the network would compute something else than the file's.
    """
    place = fit.place(surplus)
    if place is None or is_counter(surplus):
        return False
    module = next(head for head in _modules_around(place) if any(name.startswith(head) for name in fit.wanted))
    loaded = [name for name in fit.fitting if name.startswith(module)]
    if module != fit.root:
        return bool(loaded)
    stems = {_stem(name[len(module) :]) for name in loaded}
    return _stem(place[len(module) :]) in stems


def _is_hole(missing: str, kernels: list[str], fit: Fit) -> bool:
    """True where a convolution is missing among loaded ones: `layer1.2` where `layer1.1` and `layer2.0` are there."""
    if missing not in kernels or not any(name in fit.fitting for name in kernels[kernels.index(missing) :]):
        return False
    module = next(head for head in _modules_around(missing) if any(name.startswith(head) for name in fit.fitting))
    if module not in (fit.root, ""):
        return True
    return _stem(missing[len(module) :]) in {_stem(name[len(module) :]) for name in fit.fitting}


def _modules_around(name: str) -> list[str]:
    """The dotted beginnings of a name, the longest first and the empty one last: "a.b.", "a.", ""."""
    segments = name.split(".")[:-1]
    return ["".join(f"{one}." for one in segments[:length]) for length in range(len(segments), -1, -1)]


def _stem(name: str) -> str:
    """The first segment without its number: "conv" of "conv5.weight", nothing of "6.bias"."""
    return name.partition(".")[0].rstrip("0123456789")


def _shared(wanted: State) -> list[list[str]]:
    """The names of every tensor that a network holds under several."""
    names: dict[tuple[object, ...], list[str]] = {}
    for name, tensor in wanted.items():
        if not tensor.is_meta and tensor.layout == torch.strided and tensor.numel():
            names.setdefault((tensor.data_ptr(), tuple(tensor.shape), tensor.stride()), []).append(name)
    return [several for several in names.values() if len(several) > 1]


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and one.layout == other.layout == torch.strided and torch.equal(one, other)


def _named(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
