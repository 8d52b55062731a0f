"""What an atlas is made of: provenance and settings, what each method shows and does not, limits, licences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.atlas.retention import Retention
from layerscope.core.concepts import Figures
from layerscope.core.methods import METHODS, installed
from layerscope.core.records import Input
from layerscope.core.version import __version__
from layerscope.facts.run import codec_of, images_of_run, is_lossy
from layerscope.figures.words import VIEWS
from layerscope.viewer.pages.query import Query
from layerscope.viewer.shelf import Book

VIEW_LIMITS = {
    "signal": "What the method gives, in the colours and frequencies of the network's input.",
    "natural": "The same, passed through the covariance of the images' colours and the mean power of their "
    "frequencies: one linear map, the same for every unit. It makes noise look natural, too.",
}
SOURCES = (
    "Zeiler & Fergus 2013, Visualizing and Understanding Convolutional Networks, arXiv 1311.2901",
    "Springenberg et al. 2014, Striving for Simplicity: The All Convolutional Net, arXiv 1412.6806",
    "Simonyan, Vedaldi & Zisserman 2013, Deep Inside Convolutional Networks, arXiv 1312.6034",
    "Nie, Zhang & Patel 2018, A Theoretical Explanation for Perplexing Behaviors of Backpropagation-based "
    "Visualizations, arXiv 1805.07039",
    "Sixt, Granz & Landgraf 2020, When Explanations Lie: Why Many Modified BP Attributions Fail, ICML",
    "Borowski et al. 2021, Exemplary Natural Images Explain CNN Activations Better than State-of-the-Art Feature "
    "Visualization, ICLR",
    "Bau et al. 2017, Network Dissection, CVPR",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """A method or a view in words: what it does, what it does not show. held: the atlas has it."""

    name: str
    held: bool
    does: str
    limits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSpecificity:
    """How much a layer's projections by one method say about the unit, measured over n pairs; 0..1 and above.

    median, low, high: None where there was nothing to measure it on.
    """

    method: str
    median: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerAbout:
    """A layer, and specificity and retention of each of the atlas's methods in it, in their order; None where that was
    not measured."""

    layer: AtlasLayerRecord
    specificity: tuple[MethodSpecificity, ...]
    retention: tuple[Retention | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DissectedLayer:
    layer: str
    figures: Figures
    baselines: Mapping[str, Figures]


@dataclass(frozen=True, slots=True, kw_only=True)
class DissectionAbout:
    """How concepts were found. settings: as they were given. left_out: layers that could not be, as sentences."""

    images: int
    settings: Mapping[str, Any]
    left_out: tuple[str, ...]
    layers: tuple[DissectedLayer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutPage:
    """Provenance. read: how the network was compared with the user's own, "" where it was not. listed: images of the
    source; scanned: those with statistics; skipped: reasons with their counts; duplicates: copies of other images,
    which are not scanned twice. codec: of tiles and pictures."""

    title: str
    network: str
    read: str
    images: str
    listed: int
    scanned: int
    skipped: tuple[tuple[str, int], ...]
    duplicates: int
    k: int
    input: Input
    settings: Mapping[str, Any]
    fingerprint: Mapping[str, Any]
    versions: Mapping[str, Any]
    started: str
    finished: str | None
    codec: str
    lossy: bool
    sampled: int | None
    methods: tuple[Trait, ...]
    views: tuple[Trait, ...]
    layers: tuple[LayerAbout, ...]
    dissection: DissectionAbout | None
    sources: tuple[str, ...]
    viewer: str


def facts(book: Book, query: Query) -> AboutPage:
    """Where the atlas comes from, and how far to trust what it shows."""
    file, run = book.file, book.run
    skipped, duplicates = file.left_out()
    return AboutPage(
        title=book.title,
        network=run.network,
        read=(file.statistic("replay") or {}).get("said", ""),
        images=run.images,
        listed=file.image_count(),
        scanned=images_of_run(file),
        skipped=skipped,
        duplicates=duplicates,
        k=run.k,
        input=run.input,
        settings=run.settings,
        fingerprint={name: value for name, value in run.fingerprint.items() if not isinstance(value, dict)},
        versions=run.versions,
        started=run.started,
        finished=run.finished,
        codec=codec_of(run),
        lossy=is_lossy(run),
        sampled=file.sampled(),
        methods=tuple(_method(name, name in run.methods) for name in dict.fromkeys((*METHODS.names, *run.methods))),
        views=tuple(
            Trait(name=name, held=name in run.views, does=words, limits=VIEW_LIMITS[name])
            for name, words in VIEWS.items()
        ),
        layers=tuple(_layer(book, layer) for layer in book.layers),
        dissection=_dissection(book),
        sources=SOURCES,
        viewer=__version__,
    )


def _method(name: str, held: bool) -> Trait:
    """A method in words; of one that is not installed here nothing is known but its projections."""
    row = installed(name)
    if row is None:
        return Trait(name=name, held=held, does="A method of another package, which is not installed here.", limits="")
    does = f"{row.sentence[:1].upper()}{row.sentence[1:]} ({row.source})."
    return Trait(name=name, held=held, does=does, limits=row.limits)


def _layer(book: Book, layer: AtlasLayerRecord) -> LayerAbout:
    return LayerAbout(
        layer=layer,
        specificity=tuple(_specificity(book, layer, method) for method in book.run.methods),
        retention=tuple(book.file.retention(layer.id, method) for method in book.run.methods),
    )


def _specificity(book: Book, layer: AtlasLayerRecord, method: str) -> MethodSpecificity:
    found = book.file.specificity(layer.id, method)
    if found is None:
        return MethodSpecificity(method=method, median=None, low=None, high=None, n=0)
    return MethodSpecificity(method=method, median=found.median, low=found.q25, high=found.q75, n=found.n)


def _dissection(book: Book) -> DissectionAbout | None:
    found = book.file.dissection()
    if found is None:
        return None
    return DissectionAbout(
        images=found.images,
        settings=found.settings,
        left_out=found.left_out,
        layers=tuple(
            DissectedLayer(
                layer=layer.layer,
                figures=layer.figures,
                baselines={name: measured.figures for name, measured in layer.baselines.items()},
            )
            for layer in found.layers
        ),
    )
