"""Which sets of named tensors a weights file holds, under which keys, and what those keys mean.

Everybody nests a state dict differently. So no list of keys is asked: every dictionary with tensors in it is a part,
and which one is meant is told by what fits the network (see `fitting`). Keys only decide between parts that fit alike.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerscope.models.standins import module_state, stands_for

_DEPTH = 6


@dataclass(frozen=True)
class NamedTensors:
    """Named tensors in a file. keys: the way to them. left_out: what stands among them and is no tensor.

    of: the class of the pickled network that they are from, or "".
    """

    keys: tuple[str, ...]
    tensors: dict[str, Tensor]
    left_out: tuple[str, ...] = ()
    of: str = ""


@dataclass(frozen=True)
class Meaning:
    """What a word in a key says of the weights under it. rank: the higher is taken where both fit."""

    words: frozenset[str]
    what: str
    rank: int


# timm, Ultralytics and BasicSR take averaged weights before raw ones, DINO its teacher; MoCo hands on its query encoder
# and BYOL its online one.
MEANINGS = (
    Meaning(frozenset({"ema", "shadow", "averaged", "polyak"}), "the moving average (EMA)", 1),
    Meaning(frozenset({"swa"}), "the average of several epochs (SWA)", 1),
    Meaning(frozenset({"teacher"}), "the teacher", 1),
    Meaning(frozenset({"student"}), "the student", 0),
    Meaning(frozenset({"q", "query", "online"}), "the trained encoder", 0),
    Meaning(frozenset({"k", "key", "momentum", "target"}), "the momentum encoder", -1),
)


def meaning(keys: str) -> tuple[str, int]:
    """What the words of a dotted key say, and its rank; "the raw weights" of rank 0 where they say nothing."""
    words = set(keys.lower().replace("_", ".").replace("-", ".").split("."))
    said = [row for row in MEANINGS if row.words & words]
    return (", ".join(row.what for row in said), sum(row.rank for row in said)) if said else ("the raw weights", 0)


def parts_in(contents: Any) -> list[NamedTensors]:
    """Every dictionary of tensors, outermost first; last the whole where nothing but nested ones make it up."""
    found = list(_parts(contents, (), _DEPTH))
    if len(found) > 1 and found[0].keys != ():
        found.append(NamedTensors((), {".".join((*p.keys, n)): t for p in found for n, t in p.tensors.items()}))
    return found


def _parts(value: Any, keys: tuple[str, ...], depth: int) -> Iterator[NamedTensors]:
    state = module_state(value)
    if state is not None:
        yield NamedTensors(keys, state, of=stands_for(value) or "")
    elif isinstance(value, Mapping) and depth:
        tensors = {str(name): tensor for name, one in value.items() if (tensor := _tensor(one)) is not None}
        if tensors:
            yield NamedTensors(keys, tensors, tuple(str(name) for name in value if str(name) not in tensors))
        nested = value.items()
    elif isinstance(value, list | tuple) and depth:
        nested = enumerate(value)
    else:
        return
    if state is None:
        for name, one in nested:
            yield from _parts(one, (*keys, str(name)), depth - 1)


def _tensor(value: Any) -> Tensor | None:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy()) if value.dtype.kind in "fiub" and value.dtype.isnative else None
    return value.detach() if isinstance(value, Tensor) else None


def chosen(parts: list[NamedTensors], key: str) -> list[NamedTensors]:
    """What of the parts stands under a key: a dotted run of keys and names, such as "state_dict_ema" or "encoder_q"."""
    wanted = f".{key}."
    found = []
    for part in parts:
        way = ".".join(part.keys)
        under = {n: t for n, t in part.tensors.items() if wanted in f".{way}.{n}."}
        if under:
            found.append(replace(part, tensors=under))
    return found


def contents_text(contents: Any, most: int = 8) -> str:
    """What a file holds, in words: the keys at its top, and how many tensors stand under each."""
    if isinstance(contents, Tensor):
        return f"one tensor {list(contents.shape)} without a name"
    if stands_for(contents):
        return f"an object of the class {stands_for(contents)}"
    if isinstance(contents, list | tuple):
        tensors = sum(isinstance(one, Tensor) for one in contents)
        return f"a list of {tensors} tensors without names" if tensors else f"a list of {len(contents)} values"
    if not isinstance(contents, Mapping):
        return f"one value of type {type(contents).__name__}"
    if not contents:
        return "nothing (an empty dictionary)"
    counts = {str(name): _count(one, _DEPTH) for name, one in contents.items()}
    rest = f" and {len(counts) - most} more" if len(counts) > most else ""
    listed = [f'"{name}"{f" ({n} tensors)" if n > 1 else ""}' for name, n in list(counts.items())[:most]]
    return f"{', '.join(listed)}{rest}"


def _count(value: Any, depth: int) -> int:
    if isinstance(value, Tensor):
        return 1
    nested = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return sum(_count(one, depth - 1) for one in nested) if depth else 0


def common(names: Mapping[str, Any]) -> Counter[str]:
    """How many names stand below every dotted beginning, the empty one included."""
    heads: Counter[str] = Counter()
    for name in names:
        segments = name.split(".")
        heads.update(".".join(segments[:length]) for length in range(len(segments)))
    return heads
