"""All projections of AlexNet's five convolutional layers, beside captum and beside batched full-image autograd.

The whole: 1,152 units x 9 peaks, each unit's on nine of 1,000 images drawn at random, at the place where the unit is
highest in the image; deconvnet. Measured on a sample and weighted to the whole:

- ours is the pipeline's own stage (pipeline/projecting.py) with the peaks that fall on the first n of the 1,000 images,
  so that an image holds as many peaks as in the whole. Its clock's "forward" counts 1,000 / n times (a forward pass
  serves an image whatever its peaks), its "cones" as many times as the whole has more peaks. Loading images, views and
  writing are not counted, for nobody.
- the rivals (bench/rivals.py) make a seeded sample of these peaks, as many in every layer; each layer's time counts as
  many times as the layer has more peaks. Every projection of theirs is a forward and a backward of its image.

That the three agree is checked before any is timed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from bench.report import Line, at_least
from bench.rivals import Make, Rival, Sample, autograd, captum, quickest
from bench.subjects import Subject, pixels_of, subject
from bench.timing import alternate
from bench.workshop import Workshop
from layerscope.atlas.write import AtlasWriter
from layerscope.core.pieces import make
from layerscope.core.progress import Clock, Silent
from layerscope.core.records import LayerRecord, Peaks, Statistics
from layerscope.pipeline.beginning import note
from layerscope.pipeline.projecting import Projecting
from layerscope.pipeline.scratch import Scratch
from layerscope.pipeline.settings import BATCH, Settings
from layerscope.pipeline.work import LayerWork
from layerscope.project.cone import Entries
from layerscope.project.run import project
from layerscope.project.views import NaturalView
from layerscope.sources import open_source

NETWORK, METHOD = "alexnet", "deconvnet"
WHOLE, K, SEED = 1_000, 9, 0
RIVALS = {"captum": captum, "autograd": autograd}
AIMS = {"captum": at_least(13), "autograd": at_least(9)}
TILE = 32


@dataclass(frozen=True)
class Job:
    """What is projected. pixels: of the sampled images. peaks: by layer, those that fall on them."""

    subject: Subject
    pixels: Float32[np.ndarray, "n c h w"]
    peaks: dict[LayerRecord, Peaks]

    @property
    def count(self) -> int:
        return sum(int((peaks.image >= 0).sum()) for peaks in self.peaks.values())


def measure(workshop: Workshop) -> Iterator[Line]:
    """One line per rival: its seconds over ours, for the whole."""
    chosen, sizes = subject(NETWORK), workshop.sizes
    job = job_of(chosen, workshop.paths[: sizes.projected])
    for name, line in compared(job, RIVALS, workshop, sampled=sizes.sampled):
        yield replace(line, name=f"projections/{name}", aim=AIMS[name])


def job_of(chosen: Subject, paths: Sequence[Path]) -> Job:
    """The projections on the first n images."""
    pixels = pixels_of(paths, chosen)
    return Job(chosen, pixels, drawn_peaks(chosen, pixels))


def compared(job: Job, rivals: Mapping[str, Make], workshop: Workshop, *, sampled: int) -> Iterator[tuple[str, Line]]:
    """The job beside each rival: its name, and a line without an aim. sampled: projections per layer of a rival."""
    chosen, layers = job.subject, job.subject.layers
    samples = {layer: sample_of(job, layer, sampled) for layer in layers}
    best: dict[str, dict[LayerRecord, Rival]] = {}
    for name, make_ in rivals.items():
        best[name] = {layer: quickest(make_, chosen.model, layer, samples[layer]) for layer in layers}
        for layer, rival in best[name].items():
            check(name, rival, job.subject, layer, samples[layer])
    contenders = {"layerscope": partial(ours, job, workshop.folder / "projected.atlas")}
    contenders |= {name: partial(theirs, found, samples) for name, found in best.items()}
    contenders["layerscope"]()
    found = alternate(contenders, repeats=workshop.sizes.repeats)
    whole = f"{whole_of(layers):,} projections of {len(layers)} layers of {chosen.network.name} over {WHOLE:,} images"
    for name in rivals:
        batches = ", ".join(rival.how for rival in best[name].values())
        yield (
            name,
            Line(
                name=name,
                what=f"{name} (batches by layer: {batches}) / layerscope, {whole}",
                samples={key: found[key] for key in (name, "layerscope")},
                above=(name,),
                below=("layerscope",),
            ),
        )


def drawn_peaks(subject: Subject, pixels: Float32[np.ndarray, "n c h w"]) -> dict[LayerRecord, Peaks]:
    """Per layer the peaks, out of nine a unit on 1,000 images drawn at random, that fall on the first n images."""
    highest = highest_places(subject, pixels)
    draws = {layer: np.random.default_rng([SEED, layer.node]) for layer in subject.layers}
    return {layer: _on_images(layer, *highest[layer], rng) for layer, rng in draws.items()}


def highest_places(subject: Subject, pixels: np.ndarray) -> dict[LayerRecord, tuple[np.ndarray, np.ndarray]]:
    """Per layer each image's highest value of every unit, and its place in the map: [n, u] each."""
    parts: dict[LayerRecord, list[tuple[np.ndarray, np.ndarray]]] = {layer: [] for layer in subject.layers}
    for first in range(0, len(pixels), BATCH):
        maps = subject.network.program.run(
            torch.from_numpy(pixels[first : first + BATCH]), {layer.node for layer in subject.layers}
        )
        for layer in subject.layers:
            value, place = maps[layer.node].flatten(2).max(2)
            parts[layer].append((value.cpu().numpy(), place.cpu().numpy()))
    return {
        layer: (np.concatenate([value for value, _ in found]), np.concatenate([place for _, place in found]))
        for layer, found in parts.items()
    }


def _on_images(layer: LayerRecord, value: np.ndarray, place: np.ndarray, rng: np.random.Generator) -> Peaks:
    assert layer.map is not None
    peaks, units = Peaks.empty(layer.units, K), np.arange(layer.units)[:, None]
    image = np.stack([rng.choice(WHOLE, K, replace=False) for _ in range(layer.units)])
    here = image < len(value)
    seen = np.where(here, image, 0)
    peaks.image[here] = image[here]
    peaks.value[here] = value[seen, units][here]
    peaks.row[here], peaks.col[here] = np.divmod(place[seen, units][here], layer.map[1])
    return peaks


def sample_of(job: Job, layer: LayerRecord, count: int) -> Sample:
    """A seeded sample of a layer's peaks that are above zero, with their images."""
    peaks = job.peaks[layer]
    units, ranks = np.nonzero((peaks.image >= 0) & (peaks.value > 0))
    chosen = np.random.default_rng([SEED, layer.node, 1]).permutation(len(units))[:count]
    units, ranks = units[chosen], ranks[chosen]
    image, row, col = (getattr(peaks, name)[units, ranks].astype(np.int64) for name in ("image", "row", "col"))
    entries = Entries(layer.node, image, units, row, col)
    return Sample(entries, torch.from_numpy(np.ascontiguousarray(job.pixels[image])), peaks.value[units, ranks])


def ours(job: Job, path: Path) -> float:
    """The seconds of the whole, out of the pipeline's own stage on the sampled images."""
    program, input = job.subject.network.program, job.subject.network.input
    settings = Settings(methods=(METHOD,), views=("signal",), pictures=False)
    works = [work_of(layer, peaks) for layer, peaks in job.peaks.items()]
    source, clock = open_source(Preloaded(job.pixels)), Clock()
    slots, start = {}, 0
    for work in works:
        slots[work.node] = work.slots(start, K, 1)
        start = slots[work.node].end
    scratch = Scratch(path.with_suffix(".tiles"), slots)
    flat = NaturalView(Statistics(colour=np.eye(input.channels), spectrum=np.ones(2)))
    with AtlasWriter.create(path, overwrite=True) as writer:
        writer.put_images(source.load(range(len(source)), input).records)
        note(
            writer, program.graph, network="", images=source.name, input=input, settings=settings, fingerprint={},
            replay=None,
        )  # fmt: skip
        for layer in job.peaks:
            writer.put_layer(layer.node, layer)
        # One thread: images are then loaded between the groups, and not while one is projected.
        projecting = Projecting(writer, program, source, input, settings, works, flat, scratch, clock=clock, threads=1)
        make(projecting, writer, Silent())
    scratch.close(remove=True)
    images = len(np.unique(np.concatenate([p.image[p.image >= 0] for p in job.peaks.values()])))
    forward, cones = clock.seconds["forward"], clock.seconds["cones"]
    return weighted_ours(forward, cones, images=images, peaks=job.count, whole=whole_of(job.peaks))


def whole_of(layers: Iterable[LayerRecord]) -> int:
    """How many projections all units of these layers have."""
    return sum(layer.units for layer in layers) * K


def work_of(layer: LayerRecord, peaks: Peaks) -> LayerWork:
    """A layer's share of the stage, with small tiles: what comes after the cones is not counted."""
    return LayerWork(
        layer=layer, methods=(METHOD,), patches=True, units=tuple(range(layer.units)), peaks=peaks, side=TILE,
        size=(TILE, TILE),
    )  # fmt: skip


def weighted_ours(forward: float, cones: float, *, images: int, peaks: int, whole: int) -> float:
    """The seconds of `whole` peaks on 1,000 images, out of those of some peaks on some of these images."""
    return forward * WHOLE / images + cones * whole / peaks


def theirs(rivals: dict[LayerRecord, Rival], samples: dict[LayerRecord, Sample]) -> float:
    """The seconds of the whole, out of a rival's on each layer's sample."""
    seconds = {layer: rival.seconds(samples[layer]) for layer, rival in rivals.items()}
    return weighted_theirs([(seconds[layer], len(samples[layer].entries), layer.units) for layer in rivals])


def weighted_theirs(layers: Sequence[tuple[float, int, int]]) -> float:
    """The seconds of nine peaks of every unit. layers: (seconds, peaks projected in them, units) of each."""
    return sum(seconds * units * K / peaks for seconds, peaks, units in layers)


def check(name: str, rival: Rival, subject: Subject, layer: LayerRecord, sample: Sample) -> None:
    """The rival makes the same projections as ours, which start from the peak's own value; a bug where it does not."""
    few = sample.part(slice(0, 9))
    signal = project(subject.network.program, few.pixels, few.in_order(), METHOD).full()
    other = rival.run(few).numpy() * few.values[:, None, None, None]
    error = np.sqrt(((signal - other) ** 2).sum((1, 2, 3)) / (other**2).sum((1, 2, 3)))
    # The median: in float32 two cells of a pool may be equal to rounding, and the signal then takes the other one.
    assert np.median(error) < 1e-3, f"{name} and layerscope disagree at {layer.name}: {np.median(error):.1e}"


class Preloaded:
    """Tensors in memory as a Dataset."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> np.ndarray:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.pixels[index]
