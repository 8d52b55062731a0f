"""The report as one HTML file: pictures inside, no script, nothing fetched, readable on paper too."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from layerscope.atlas.read import AtlasFile
from layerscope.core.concepts import Note
from layerscope.core.errors import UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.files import write_whole
from layerscope.core.numbers import in_words, signed_percent, unbroken
from layerscope.facts.layer import live_units, sample
from layerscope.facts.reading import reading_parts
from layerscope.lesson.lesson import lesson_of
from layerscope.report import sentences
from layerscope.report.chart import LevelCurve, chart
from layerscope.report.facts import Facts, LayerFacts, UnitFacts
from layerscope.report.inline import InlinePictures
from layerscope.report.opened import OpenedUnit, OpenedUnits, UnitPages

SAMPLED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPicture:
    """A unit as the report shows it: its projections beside its patches, as data URLs, its name, where it leads."""

    projections: str
    patches: str
    words: str
    opened: OpenedUnit
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSection:
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
    pages: UnitPages,
) -> Path:
    """Write the report.

    notes: sentences about units. title: of the page. next_steps: commands to type next. figures: further files of the
    same run by what they show; linked by name, the page needs none of them. pages: where those of units are. Raises
    UsageError if it cannot be written.
    """
    pictures, opened = InlinePictures(file), OpenedUnits(file, pages)
    environment = Environment(
        loader=PackageLoader("layerscope.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"in_words": in_words, "signed_percent": signed_percent}
    text = environment.get_template("report.html").render(
        title=title,
        facts=facts,
        file=file,
        lesson=lesson_of(file),
        reading=reading_parts(file.run.k, sides=True),
        pictures=pictures,
        opened=opened,
        atlas_steps=_steps(file),
        claims=sentences.of_run(facts),
        sections=[_section(file, pictures, opened, layer, notes) for layer in facts.layers],
        levels=sentences.LEVELS,
        chart=chart(_curves(facts), [f"layer {layer.place}" for layer in facts.layers], top=max(sentences.LEVELS)),
        next_steps=next_steps,
        figures={words: figure.name for words, figure in figures.items()},
    )
    with plain_failures(path, kind=UsageError):
        write_whole(path, unbroken(text).encode())
    return path


def _steps(file: AtlasFile) -> list[tuple[str, str]]:
    """What to type in the page's folder to see more of the same atlas, and what each command gives."""
    atlas, network = shlex.quote(file.path.name), shlex.quote(file.run.network)
    return [
        (f"layerscope serve {atlas}", "this lesson in the browser, with a page for every unit and every picture"),
        (f"layerscope live {atlas} {network}", "the same with the network: your camera, and pictures of your own"),
        (
            f"layerscope export {atlas} site/",
            "all pages as files, to put online or to hand on; layerscope demo, run once more, then links every unit "
            "above to its page there",
        ),
    ]


def _section(
    file: AtlasFile, pictures: InlinePictures, opened: OpenedUnits, layer: LayerFacts, notes: Sequence[Note]
) -> ReportSection:
    record = file.layer(layer.name)
    said = {note.unit: note.text for note in notes if note.layer == layer.name}
    sampled = sample(file, record, live_units(file.all_peaks(record.id)), SAMPLED, seed=0)

    def shown(unit: UnitFacts) -> UnitPicture:
        return UnitPicture(
            projections=pictures.projections(record, unit.unit),
            patches=pictures.patches(record, unit.unit),
            words=sentences.of_unit(unit),
            opened=opened.of(record, unit.unit),
            note=said.get(unit.unit, ""),
        )

    return ReportSection(
        facts=layer,
        says=sentences.of_layer(layer),
        best=[shown(unit) for unit in layer.best],
        sampled=[shown(layer.named(unit)) for unit in sampled],
        trust=sentences.of_trust(layer),
    )


def _curves(facts: Facts) -> list[LevelCurve]:
    """The mean concept level over layers: each training, then what is measured where nothing was learned."""
    names = ["trained"] + [f"trained again ({number})" for number in range(2, facts.trainings + 1)]
    trained = [
        LevelCurve(
            name=name, values=tuple(layer.trainings[place].mean_concept_level for layer in facts.layers), own=True
        )
        for place, name in enumerate(names)
    ]
    others = [
        LevelCurve(
            name=name, values=tuple(layer.baselines[name].mean_concept_level for layer in facts.layers), own=False
        )
        for name in facts.baselines
    ]
    return trained + others
