"""The report as one HTML file: pictures inside, no script, nothing fetched, readable on paper too."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from layerscope.atlas.read import AtlasFile, Encoded
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concepts import Note
from layerscope.core.errors import UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.files import write_whole
from layerscope.figures.gather import sample
from layerscope.report import sentences
from layerscope.report.chart import Curve, chart
from layerscope.report.facts import Facts, LayerFacts, UnitFacts

SAMPLED = 8
MEDIA = {"jpeg": "image/jpeg", "webp": "image/webp", "png": "image/png"}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPicture:
    """A unit as the report shows it: its projections beside its patches, as data URLs, and what names it."""

    projections: str
    patches: str
    words: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One layer of the report."""

    facts: LayerFacts
    says: Sequence[str]
    best: Sequence[UnitPicture]
    sampled: Sequence[UnitPicture]
    trust: str


def write_page(
    file: AtlasFile,
    facts: Facts,
    notes: Sequence[Note],
    path: Path,
    *,
    title: str,
    next_steps: str,
    figures: Mapping[str, Path],
) -> Path:
    """Write the report.

    notes: sentences about units. title: of the page. next_steps: commands to type next. figures: further files of the
    same run by what they show; linked by name, the page needs none of them. Raises UsageError if it cannot be written.
    """
    environment = Environment(
        loader=PackageLoader("layerscope.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    text = environment.get_template("report.html").render(
        title=title,
        facts=facts,
        file=file,
        claims=sentences.of_run(facts),
        sections=[_section(file, layer, notes) for layer in facts.layers],
        levels=sentences.LEVELS,
        chart=chart(_curves(facts), [f"layer {layer.place}" for layer in facts.layers], top=max(sentences.LEVELS)),
        next_steps=next_steps,
        figures={words: figure.name for words, figure in figures.items()},
    )
    with plain_failures(path, kind=UsageError):
        write_whole(path, text.encode())
    return path


def _section(file: AtlasFile, layer: LayerFacts, notes: Sequence[Note]) -> Section:
    record = file.layer(layer.name)
    said = {note.unit: note.text for note in notes if note.layer == layer.name}
    live = np.flatnonzero(file.all_peaks(record.id).image[:, 0] >= 0)
    sampled = sample(file, record, live, SAMPLED, seed=0)
    return Section(
        facts=layer,
        says=sentences.of_layer(layer),
        best=[_picture(file, record, unit, said) for unit in layer.best],
        sampled=[_picture(file, record, layer.named(unit), said) for unit in sampled],
        trust=sentences.of_trust(layer),
    )


def _picture(file: AtlasFile, layer: AtlasLayerRecord, unit: UnitFacts, notes: Mapping[int, str]) -> UnitPicture:
    method = layer.method or file.run.methods[0]
    return UnitPicture(
        projections=_url(file.encoded_sheet(layer.id, unit.unit, "projections", method, "natural")),
        patches=_url(file.encoded_sheet(layer.id, unit.unit, "patches")),
        words=sentences.of_unit(unit),
        note=notes.get(unit.unit, ""),
    )


def _url(stored: Encoded | None) -> str:
    if stored is None:
        return ""
    return f"data:{MEDIA[stored.codec]};base64,{base64.b64encode(stored.pixels).decode()}"


def _curves(facts: Facts) -> list[Curve]:
    """The mean concept level over layers: each training, then what is measured where nothing was learned."""
    names = ["trained"] + [f"trained again ({number})" for number in range(2, facts.trainings + 1)]
    trained = [
        Curve(name=name, values=tuple(layer.trainings[place].mean_concept_level for layer in facts.layers), own=True)
        for place, name in enumerate(names)
    ]
    others = [
        Curve(name=name, values=tuple(layer.baselines[name].mean_concept_level for layer in facts.layers), own=False)
        for name in facts.baselines
    ]
    return trained + others
