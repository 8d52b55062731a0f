"""Which tensor of a file is which of the network's, when wrappers of every kind have changed the names.

Three things happen to names. A wrapper adds a segment of its own, anywhere (`module`, `_orig_mod`). The network was an
attribute of something larger, so one beginning stands before all of its names, or of some (`model.`, `backbone.`,
`net.0.`); or now it is such an attribute and then it was not. So both sides lose the segments of wrappers, and of all
pairs of beginnings, the file's and the network's, those are taken under which most tensors meet in name and shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from layerscope.models.parts import common

# Segments that DataParallel, torch.compile, activation checkpointing, FSDP and DeepSpeed put into names.
WRAPPERS = frozenset({"module", "_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module", "_forward_module"})

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Alignment:
    """The network's names beside the file's. prefix, onto: what stands before the file's and before the network's.

    Both without the segments of wrappers.
    """

    prefix: str
    onto: str
    names: dict[str, str]


def alignments(file: Shapes, wanted: Shapes) -> list[Alignment]:
    """The ways to read the file's names as the network's under which most tensors fit; several where they tie.

    file, wanted: the shapes by name. Tensors of two dimensions and more decide first.
    """
    theirs, ours = _unwrapped(file), _unwrapped(wanted)
    found: dict[tuple[tuple[str, str], ...], tuple[tuple[int, int], Alignment]] = {}
    for prefix in _beginnings(theirs, len(ours)):
        for onto in _beginnings(ours, len(ours)):
            names = {ours[n]: theirs[held] for n in ours if (held := _held(n, prefix, onto, theirs)) is not None}
            fitting = [name for name, held in names.items() if file[held] == wanted[name]]
            score = (sum(len(wanted[name]) > 1 for name in fitting), len(fitting))
            found.setdefault(tuple(sorted(names.items())), (score, Alignment(prefix, onto, names)))
    best = max((score for score, _ in found.values()), default=(0, 0))
    return [alignment for score, alignment in found.values() if score == best]


def _held(name: str, prefix: str, onto: str, theirs: Mapping[str, str]) -> str | None:
    """The file's name for one of the network's; a name that is not below the beginnings may stand as it is."""
    if not onto or name.startswith(f"{onto}."):
        held = ".".join(part for part in (prefix, name[len(onto) :].lstrip(".")) if part)
        if held in theirs:
            return held
    return name if name in theirs else None


def _beginnings(names: Mapping[str, str], wanted: int) -> list[str]:
    """What may stand before all names: the shortest first, and only what stands before many."""
    counts = common(names)
    return sorted((head for head, count in counts.items() if not head or 2 * count >= wanted), key=len)


def _unwrapped(names: Mapping[str, object]) -> dict[str, str]:
    """Names without the segments of wrappers, each with the whole name; all as they are where two would be one."""
    short = {unwrapped(name): name for name in names}
    return short if len(short) == len(names) and "" not in short else {name: name for name in names}


def unwrapped(name: str) -> str:
    """A name without the segments of wrappers."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)
