"""Peaks shared out among the units of all earlier layers, beside their projections, and beside autograd over whole
images.

Each layer's peaks on the first pictures, at the place where a unit is highest. Projections: the forward passes of these
images, the cones of both methods of a default build, and both views. Shares: what comes on top, with the maps at hand.
The rival gets the modules up to the layer, takes one image per peak through them and back, and multiplies what every
earlier layer gave with its gradient; that this is the same, the network being one of rectifiers, is checked first.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from bench.projections import drawn_peaks
from bench.report import Aim, Line, at_least
from bench.subjects import Subject, modules_to, pixels_of, subject
from bench.timing import alternate, seconds_of
from bench.workshop import Workshop
from layerscope.core.methods import DEFAULT_METHODS
from layerscope.core.records import LayerRecord, Peaks
from layerscope.core.settings import VIEWS
from layerscope.project.cone import Entries, needed_maps
from layerscope.project.run import carried
from layerscope.project.shares import Sharing
from layerscope.project.tiling import boxes_for, view_tiles
from layerscope.project.views import NaturalView

NETWORK, TILE, AT_ONCE = "alexnet", 96, 32


class Job:
    """The peaks of one layer. sharing: among all layers before it. sampled: how many of its peaks the rival makes."""

    def __init__(self, chosen: Subject, layer: LayerRecord, pixels: np.ndarray, peaks: Entries, sampled: int) -> None:
        self.chosen, self.layer, self.peaks = chosen, layer, peaks
        self.program, self.x = chosen.network.program, torch.from_numpy(pixels)
        self.earlier = [one for one in chosen.layers if one.node < layer.node]
        self.sharing = Sharing(self.program, layer.node, [one.node for one in self.earlier])
        some = np.random.default_rng(layer.node).permutation(len(peaks))[:sampled]
        self.sample = peaks.part(np.sort(some))
        self.modules = modules_to(chosen.model, layer)

    def maps(self) -> dict[int, Tensor]:
        """What both need, of all images."""
        wanted = {self.layer.node} | self.sharing.needed
        read = (needed_maps(self.program, self.layer.node, method) for method in DEFAULT_METHODS)
        return self.program.run(self.x, wanted.union(*read))

    def projected(self) -> None:
        input = self.chosen.network.input
        natural = NaturalView.plain(input.channels)
        for part in carried(self.program, self.peaks, DEFAULT_METHODS, self.maps()):
            boxes = boxes_for(part.signals[DEFAULT_METHODS[0]], part.extents[DEFAULT_METHODS[0]], TILE)
            for method in DEFAULT_METHODS:
                signal, extent = part.signals[method], part.extents[method]
                view_tiles(signal, extent, boxes, (TILE, TILE), natural, VIEWS, input.shown)

    def shared(self, maps: dict[int, Tensor], peaks: Entries) -> dict[int, np.ndarray]:
        """What each unit of each earlier layer sends to each peak."""
        first = np.arange(len(peaks)) % 9 == 0
        parts = [one.shares for one in carried(self.program, peaks, (), maps, sharing=self.sharing, placed=first)]
        return {node: np.concatenate([part[node].amounts for part in parts]) for node in self.sharing.earlier}

    def by_autograd(self) -> dict[int, np.ndarray]:
        """The same of the sample: a batch of whole images at a time, one for each peak."""
        found: dict[int, list[np.ndarray]] = {layer.node: [] for layer in self.earlier}
        for first in range(0, len(self.sample), AT_ONCE):
            batch = self.sample.part(slice(first, first + AT_ONCE))
            kept, last = _kept(self.modules, self.x[batch.image].requires_grad_(), self.earlier)
            index = tuple(torch.from_numpy(np.ascontiguousarray(i)) for i in (batch.unit, batch.row, batch.col))
            number = last[(torch.arange(len(batch)), *index)].sum()
            for layer, signal in zip(self.earlier, torch.autograd.grad(number, kept), strict=True):
                amounts = (signal * kept[self.earlier.index(layer)]).flatten(2).sum(2)
                found[layer.node].append(amounts.detach().numpy())
        return {node: np.concatenate(parts) for node, parts in found.items()}


def _kept(modules: nn.Sequential, x: Tensor, earlier: list[LayerRecord]) -> tuple[list[Tensor], Tensor]:
    """What the modules of earlier layers give, and the last one."""
    kept, names = [], {layer.name.rpartition(".")[2] for layer in earlier}
    for name, module in enumerate(modules):
        x = module(x)
        if str(name) in names:
            x = x.clone()  # what comes next may write over it
            kept.append(x)
    return kept, x


def measure(workshop: Workshop) -> Iterator[Line]:
    """Two lines: all layers together but the first, which has none before it."""
    chosen, sizes = subject(NETWORK), workshop.sizes
    pixels = pixels_of(workshop.paths[: min(sizes.projected, 32)], chosen)
    peaks = {layer: _entries(layer, found) for layer, found in drawn_peaks(chosen, pixels).items()}
    jobs = [Job(chosen, layer, pixels, peaks[layer], sizes.sampled) for layer in chosen.layers[1:]]
    maps = {job.layer: job.maps() for job in jobs}
    for job in jobs:
        _check(job, maps[job.layer])
    every = sum(len(job.peaks) for job in jobs)
    timed = {
        "projections": partial(_total, [job.projected for job in jobs]),
        "shares": partial(_total, [partial(job.shared, maps[job.layer], job.peaks) for job in jobs]),
    }
    yield Line(
        name="sharing/projections",
        what=f"sharing {every:,} peaks out / projecting them, {NETWORK}, {len(jobs)} layers among all before each",
        samples=alternate(timed, repeats=sizes.repeats), above=("shares",), below=("projections",),
        aim=Aim(shown="at most 0.25", at_most=0.25),
    )  # fmt: skip
    whole = {
        "autograd": partial(_counted_up, jobs),
        "shares": partial(_total, [partial(_with_forwards, job) for job in jobs]),
    }
    yield Line(
        name="sharing/autograd",
        what=f"autograd of whole images, a pass for each of {every:,} peaks (counted up from a sample) / shares with "
        f"the forward passes of {len(pixels)} images for each layer, {NETWORK}",
        samples=alternate(whole, repeats=sizes.repeats), above=("autograd",), below=("shares",), aim=at_least(10),
    )  # fmt: skip


def _counted_up(jobs: Sequence[Job]) -> float:
    """What autograd would take for all peaks, out of what it takes for the samples."""
    return sum(seconds_of(job.by_autograd) * len(job.peaks) / len(job.sample) for job in jobs)


def _with_forwards(job: Job) -> None:
    """All peaks, and a forward pass of their images."""
    job.shared(job.program.run(job.x, {job.layer.node} | job.sharing.needed), job.peaks)


def _entries(layer: LayerRecord, peaks: Peaks) -> Entries:
    unit, rank = np.nonzero((peaks.image >= 0) & (peaks.value > 0))
    order = np.argsort(peaks.image[unit, rank], kind="stable")
    unit, rank = unit[order], rank[order]
    image, row, col = (getattr(peaks, name)[unit, rank].astype(np.int64) for name in ("image", "row", "col"))
    return Entries(layer.node, image, unit.astype(np.int64), row, col)


def _total(actions: Sequence[Callable[[], object]]) -> float:
    return sum(seconds_of(action) for action in actions)


def _check(job: Job, maps: dict[int, Tensor]) -> None:
    """Both say the same of the sample; a bug where they do not."""
    ours, theirs = job.shared(maps, job.sample), job.by_autograd()
    for node, amounts in theirs.items():
        error = np.abs(ours[node] - amounts).max() / np.abs(amounts).max()
        assert error < 1e-3, f"autograd and layerscope disagree at {job.layer.name}: {error:.1e}"
