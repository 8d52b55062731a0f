"""Shard results and totals as bytes, so that a killed scan goes on where it was."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from layerscope.core.records import Peaks
from layerscope.scan.proposed import Candidates
from layerscope.scan.shard import LayerResult, ShardResult
from layerscope.scan.statistics import Totals

_PEAKS = ("value", "image", "row", "col")
_CANDIDATES = ("image", "slot", "unit", "low", "high", "lows")
# Kept only for the images of the sample that were met, each with its name in the bytes: that of earlier versions, as
# "pictures" is for the sums over inputs, so that a scan that they began goes on.
_SAMPLED = {"maxima": "maxima", "argmax": "places"}


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


def _candidates_in(arrays: Any) -> dict[int, Candidates]:
    nodes = [int(name.split(".")[0]) for name in arrays.files if name.endswith(".candidates.lows")]
    return {node: Candidates(**{name: arrays[f"{node}.candidates.{name}"] for name in _CANDIDATES}) for node in nodes}


def shard_to_bytes(shard: ShardResult) -> bytes:
    """A shard's result as bytes."""
    arrays: dict[str, np.ndarray] = {"images": shard.images}
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
    return ShardResult(arrays["images"], layers, input_sums, _candidates_in(arrays))


def totals_to_bytes(totals: Totals) -> bytes:
    """The sums so far as bytes."""
    arrays: dict[str, np.ndarray] = {"images": np.array(totals.images), "class_counts": totals.class_counts}
    arrays |= {f"pictures.{name}": value for name, value in totals.input_sums.items()}
    arrays["seen"] = totals.seen
    for node, layer in totals.layers.items():
        arrays |= _peaks_out(layer.peaks, f"{node}.peaks")
        arrays[f"{node}.positions"] = np.array(layer.positions)
        for name in ("histogram", "above", "sums", "class_sums"):
            arrays[f"{node}.{name}"] = getattr(layer, name)
        for name, stored in _SAMPLED.items():
            arrays[f"{node}.{stored}"] = getattr(layer, name)[totals.seen]
    return _packed(arrays | _candidates_out(totals.candidates))


def restore_totals(totals: Totals, data: bytes) -> None:
    """Put the sums that these bytes hold into empty totals of the same layers."""
    arrays = np.load(io.BytesIO(data))
    totals.images, totals.class_counts = int(arrays["images"]), arrays["class_counts"]
    totals.input_sums = {n.removeprefix("pictures."): arrays[n] for n in arrays.files if n.startswith("pictures.")}
    totals.seen, totals.candidates = arrays["seen"], _candidates_in(arrays)
    for node, layer in totals.layers.items():
        layer.peaks, layer.positions = _peaks_in(arrays, f"{node}.peaks"), int(arrays[f"{node}.positions"])
        for name in ("histogram", "above", "sums", "class_sums"):
            setattr(layer, name, arrays[f"{node}.{name}"])
        for name, stored in _SAMPLED.items():
            getattr(layer, name)[totals.seen] = arrays[f"{node}.{stored}"]


def peaks_to_bytes(peaks: Mapping[int, Peaks]) -> bytes:
    """Peaks by node as bytes."""
    return _packed({key: value for node, found in peaks.items() for key, value in _peaks_out(found, str(node)).items()})


def peaks_from_bytes(data: bytes) -> dict[int, Peaks]:
    """The peaks that these bytes hold."""
    arrays = np.load(io.BytesIO(data))
    return {int(name.split(".")[0]): _peaks_in(arrays, name.split(".")[0]) for name in arrays.files if ".value" in name}
