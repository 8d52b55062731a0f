"""Does an atlas hold what this network does to these images? A sample of its peaks, computed again."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import torch

from layerscope.atlas.read import AtlasFile
from layerscope.core.records import Input
from layerscope.facts.network import NetworkIdentity, differing, has_layer, sentence
from layerscope.graph import Carrier
from layerscope.pipeline.check_images import GivenImages, given_images
from layerscope.pipeline.identity import identity_of
from layerscope.pipeline.project_work import tolerance
from layerscope.pipeline.settings import as_built
from layerscope.project.cone import Entries
from layerscope.project.run import activations_at
from layerscope.sources import ImageCache, Source

_CHUNK = 16


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """peaks: how many were computed again. worst: of these, largest difference over the layer's largest value; infinite
    where one is no number any more. failed: what does not agree, as sentences; empty where all does. missing: how many
    peaks of the sample could not be computed again, for their images cannot be had."""

    peaks: int
    worst: float
    failed: tuple[str, ...]
    missing: int = 0


def check_atlas(
    file: AtlasFile,
    program: Carrier,
    input: Input,
    source: Source,
    *,
    sample: int = 32,
    seed: int = 0,
    name: str = "this network",
) -> CheckReport:
    """Compute a seeded sample of every layer's peaks again, each from its own image, and compare.

    sample: peaks per layer. name: of the network, in what is said of it. Weights, images and preprocessing that differ
    are named.
    """
    program.check()
    source = as_built(source, file.run.fingerprint)
    kept = ImageCache(input, pictures=False)
    kept.only(range(len(source)))
    with closing(kept):
        return _checked(file, program, input, source.cached_in(kept), sample, seed, name)


def _checked(
    file: AtlasFile, program: Carrier, input: Input, source: Source, sample: int, seed: int, name: str
) -> CheckReport:
    network = identity_of(program, name, input)
    images = given_images(file, source)
    failed = [*_other_network(file, network), *images.others]
    again = _Again(file=file, program=program, input=input, source=source, images=images)
    worst, count, missing = 0.0, 0, 0
    for layer in file.layers:
        if not has_layer(network, layer.record):
            failed.append(f"the network has no layer {layer.name} of this shape")
            continue
        errors, names = again.errors(layer.id, sample, seed)
        had = [error for error in errors if not np.isnan(error)]
        count, missing, worst = count + len(had), missing + len(errors) - len(had), max([worst, *had])
        bad = [name for error, name in zip(errors, names, strict=True) if not error <= tolerance(program)]
        if bad:
            failed.append(f"{len(bad)} of {len(errors)} peaks of {layer.name} do not come back, {bad[0]} among them")
    return CheckReport(peaks=count, worst=worst, failed=(*failed, *images.said()), missing=missing)


def _other_network(file: AtlasFile, network: NetworkIdentity) -> Iterator[str]:
    """The graph may differ by the torch that traced it: whether it does the same is seen on the peaks themselves."""
    run = file.run
    parts = [part for part in differing(run, network) if part != "graph"]
    if parts:
        yield sentence(file.path, run, network, parts)


@dataclass(frozen=True, kw_only=True)
class _Again:
    """What peaks are computed again from."""

    file: AtlasFile
    program: Carrier
    input: Input
    source: Source
    images: GivenImages

    def errors(self, layer: int, sample: int, seed: int) -> tuple[list[float], list[str]]:
        """The relative error of each sampled peak of a layer, NaN for one that cannot be had, and the peak in words."""
        peaks = self.file.all_peaks(layer)
        units, ranks = np.nonzero(peaks.image >= 0)
        chosen = np.random.default_rng([seed, layer]).permutation(len(units))[:sample]
        units, ranks = units[chosen], ranks[chosen]
        value, image, row, col = (getattr(peaks, name)[units, ranks] for name in ("value", "image", "row", "col"))
        order = np.argsort(image, kind="stable")
        largest = np.abs(peaks.value[np.isfinite(peaks.value)]).max(initial=1e-30)
        errors: list[float] = []
        names: list[str] = []
        for first in range(0, len(order), _CHUNK):
            part = order[first : first + _CHUNK]
            names += [f"unit {units[p]} in image {image[p]}" for p in part]
            rows, cols = row[part].astype(np.int64), col[part].astype(np.int64)
            found, had = self._values(Entries(layer, image[part], units[part], rows, cols))
            apart = np.nan_to_num(np.abs(found - value[part]) / largest, nan=np.inf)
            errors += np.where(had, apart, np.nan).tolist()
        return errors, names

    def _values(self, entries: Entries) -> tuple[np.ndarray, np.ndarray]:
        """The activations, by the atlas's numbers of images, and which of them could be had: not those of an image that
        is missing or cannot be used."""
        values = np.full(len(entries), np.nan)
        places = np.array([self.images.place.get(image, -1) for image in entries.image.tolist()])
        present = np.unique(places[places >= 0])
        if not len(present):
            return values, places >= 0
        batch = self.source.load(present, self.input)
        self.images.look(batch.records)
        had = np.isin(places, batch.ids)
        if had.any():
            maps = self.program.run(torch.from_numpy(batch.pixels), {entries.node})[entries.node]
            found = replace(entries.part(had), image=np.searchsorted(batch.ids, places[had]))
            values[had] = activations_at(maps, found).float().cpu().numpy()
        return values, had
