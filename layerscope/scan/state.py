"""Shard results and totals as bytes, so that a killed scan goes on where it was.

Totals are large where units are many, and each copy on the way to the disk would be as large: they go in parts, none of
which is made before it is asked for.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from layerscope.core.records import Peaks
from layerscope.scan.proposed import Candidates
from layerscope.scan.result import LayerResult
from layerscope.scan.shard import ShardResult
from layerscope.scan.statistics import LayerTotals, Totals

_PEAKS = ("value", "image", "row", "col")
_CANDIDATES = ("image", "slot", "unit", "low", "high", "lows")
# Kept only for the images that are sampled, in their order, each with its name in the bytes.
_SAMPLED = {"maxima": "maxima", "argmax": "places"}
_COUNTS = ("histogram", "above")
_SUMS = ("sums", "class_sums")
# A part is larger only where a single row of an array is.
PART_BYTES = 2**20

Named = tuple[str, np.ndarray]


def _packed(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _peaks_out(peaks: Peaks, stem: str) -> dict[str, np.ndarray]:
    return {f"{stem}.{name}": getattr(peaks, name) for name in _PEAKS}


def _peaks_in(arrays: Any, stem: str) -> Peaks:
    return Peaks(**{name: arrays[f"{stem}.{name}"] for name in _PEAKS})


def _candidates_out(candidates: Mapping[int, Candidates]) -> dict[str, np.ndarray]:
    return {
        f"{node}.candidates.{name}": getattr(found, name) for node, found in candidates.items() for name in _CANDIDATES
    }


def _candidates_in(arrays: Mapping[str, np.ndarray]) -> dict[int, Candidates]:
    nodes = [int(name.split(".")[0]) for name in arrays if name.endswith(".candidates.lows")]
    return {node: Candidates(**{name: arrays[f"{node}.candidates.{name}"] for name in _CANDIDATES}) for node in nodes}


def _blocks_of(totals: Totals) -> Iterator[Named]:
    """All arrays of the totals in blocks of rows; blocks of one array have its name and follow each other."""
    yield "images", np.array(totals.images)
    yield from _cut("class_counts", totals.class_counts)
    for last, sums in totals.input_sums.items():
        for name, value in sums.items():
            yield from _cut(f"pictures.{last}.{name}", value)
    slots = totals.sample.slots()
    yield from _cut("sampled", np.stack([totals.sample.ids, totals.sample.keys], 1), slots)
    for node, layer in totals.layers.items():
        for name, value in _peaks_out(layer.peaks, f"{node}.peaks").items():
            yield from _cut(name, value)
        yield f"{node}.positions", np.array(layer.positions)
        for name in _COUNTS:
            yield from _cut(f"{node}.{name}", getattr(layer, name))
        for name in _SUMS:
            for part in ("high", "low"):
                yield from _cut(f"{node}.{name}.{part}", getattr(getattr(layer, name), part))
        for name, stored in _SAMPLED.items():
            yield from _cut(f"{node}.{stored}", getattr(layer, name), slots)
    for name, value in _candidates_out(totals.candidates).items():
        yield from _cut(name, value)


def _cut(name: str, array: np.ndarray, rows: np.ndarray | None = None) -> Iterator[Named]:
    """An array, or these rows of it, in blocks; one without rows is a block too."""
    if not array.ndim:
        yield name, array
        return
    at_once = max(1, PART_BYTES // max(1, array[:1].nbytes))
    for first in range(0, max(1, len(array) if rows is None else len(rows)), at_once):
        block = slice(first, first + at_once)
        yield name, array[block if rows is None else rows[block]]


def _joined(parts: Iterable[bytes]) -> Iterator[Named]:
    """Every array of these parts whole, one at a time."""
    named = (block for part in parts for block in np.load(io.BytesIO(part)).items())
    for name, group in groupby(named, key=itemgetter(0)):
        blocks = [block for _, block in group]
        yield name, blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def _restore(layer: LayerTotals, name: str, array: np.ndarray) -> None:
    """Put one array, by its name in the bytes, where it was in the totals of a layer."""
    stem, _, field = name.partition(".")
    sampled = {stored: kept for kept, stored in _SAMPLED.items()}
    if stem == "peaks":
        layer.peaks = replace(layer.peaks, **{field: array})
    elif stem == "positions":
        layer.positions = int(array)
    elif stem in sampled:
        getattr(layer, sampled[stem])[: len(array)] = array
    elif stem in _SUMS:
        setattr(getattr(layer, stem), field, array)
    else:
        setattr(layer, stem, array)


def shard_to_bytes(shard: ShardResult) -> bytes:
    """A shard's result as bytes."""
    arrays: dict[str, np.ndarray] = {"images": shard.images, "sampled": shard.sampled}
    arrays |= {f"pictures.{name}": value for name, value in shard.input_sums.items()}
    for node, layer in shard.layers.items():
        arrays |= _peaks_out(layer.peaks, f"{node}.peaks")
        arrays[f"{node}.maxima"] = layer.maxima
        arrays[f"{node}.sums"] = np.stack([layer.above, layer.total, layer.squares])
        arrays[f"{node}.positions"] = np.array(layer.positions)
        arrays[f"{node}.places"] = layer.argmax
    return _packed(arrays | _candidates_out(shard.candidates))


def shard_from_bytes(data: bytes) -> ShardResult:
    """The shard's result that these bytes hold."""
    arrays = np.load(io.BytesIO(data))
    layers = {}
    for node in (int(name.split(".")[0]) for name in arrays.files if name.endswith(".maxima")):
        above, total, squares = arrays[f"{node}.sums"]
        layers[node] = LayerResult(
            maxima=arrays[f"{node}.maxima"],
            peaks=_peaks_in(arrays, f"{node}.peaks"),
            positions=int(arrays[f"{node}.positions"]),
            above=above,
            total=total,
            squares=squares,
            argmax=arrays[f"{node}.places"],
        )
    input_sums = {name.removeprefix("pictures."): arrays[name] for name in arrays.files if name.startswith("pictures.")}
    return ShardResult(arrays["images"], layers, input_sums, _candidates_in(arrays), arrays["sampled"])


def totals_to_parts(totals: Totals) -> Iterator[bytes]:
    """The sums so far as bytes, in parts of at most PART_BYTES of numbers, to be restored in this order."""
    held: dict[str, np.ndarray] = {}
    for name, block in _blocks_of(totals):
        if held and (name in held or block.nbytes + sum(each.nbytes for each in held.values()) > PART_BYTES):
            yield _packed(held)
            held = {}
        held[name] = block
    yield _packed(held)


def restore_totals(totals: Totals, parts: Iterable[bytes]) -> None:
    """Put the sums that these parts hold into empty totals of the same layers."""
    candidates: dict[str, np.ndarray] = {}
    for name, array in _joined(parts):
        node, _, rest = name.partition(".")
        if name == "class_counts":
            totals.class_counts = array
        elif name == "sampled":
            totals.sample.ids[: len(array)], totals.sample.keys[: len(array)] = array.T
        elif name == "images":
            totals.images = int(array)
        elif node == "pictures":
            last, _, name = rest.partition(".")
            totals.input_sums.setdefault(int(last), {})[name] = array
        elif rest.startswith("candidates."):
            candidates[name] = array
        else:
            _restore(totals.layers[int(node)], rest, array)
    totals.candidates = _candidates_in(candidates)


def peaks_to_bytes(peaks: Mapping[int, Peaks]) -> bytes:
    """Peaks by node as bytes."""
    return _packed({key: value for node, found in peaks.items() for key, value in _peaks_out(found, str(node)).items()})


def peaks_from_bytes(data: bytes) -> dict[int, Peaks]:
    """The peaks that these bytes hold."""
    arrays = np.load(io.BytesIO(data))
    return {int(name.split(".")[0]): _peaks_in(arrays, name.split(".")[0]) for name in arrays.files if ".value" in name}
