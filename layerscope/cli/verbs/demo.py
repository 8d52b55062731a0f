"""`layerscope demo`: a trained network, pictures whose content is known, and what the one sees in the other.

The network was trained on the visual world; the pictures are new ones of that world, drawn here and now. Every figure
that the report states is computed in this run.
"""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.cli import known_demo, words
from layerscope.cli.output import Output
from layerscope.core.errors import UsageError, WrongModel
from layerscope.core.files import write_whole

if TYPE_CHECKING:
    from layerscope.api.atlas import Atlas
    from layerscope.core.concepts import Dissection
    from layerscope.report import Facts
    from layerscope.world import World

NETWORK = "worldnet"
# The seeds of the pictures that the shipped networks were trained and validated on are 1 and 2.
SEED, COUNT = 3, 1000
TITLE = "What the layers of a network see"
NEXT = """layerscope layers torchvision:resnet18
layerscope build torchvision:resnet18 --images PICTURES/ -o resnet18.atlas
layerscope figure resnet18.atlas layer2.1 -o layer2.png
layerscope build zfnet64 --images PICTURES/ -o mine.atlas"""


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Build the atlas, dissect it, save plates and the report."""
    if arguments.known:
        return known_demo.run(arguments, output)
    from layerscope.report import facts_of
    from layerscope.world import World

    folder, started = Path(arguments.out).expanduser(), time.monotonic()
    _make(folder)
    world = World(arguments.images or COUNT, seed=SEED)
    with _progress(output) as bars:
        built_in(folder, world, bars).close()
        dissections = dissected(folder, world, bars)
    with _atlas(folder) as atlas:
        facts = facts_of(atlas.file, dissections)
        files = [*save_figures(atlas, folder), *write_report(atlas, facts, folder)]
    seconds = time.monotonic() - started
    data = {**facts.as_json(), "folder": str(folder), "files": [str(file) for file in files]}
    output.result(data | {"seconds": round(seconds, 3)}, _text(facts, folder, files, seconds))
    return 0


def built_in(folder: Path, world: "World", bars: Any) -> "Atlas":
    """The atlas, built or completed. Raises UsageError for a folder that holds another demo."""
    from layerscope.api.verbs import build

    try:
        return build(NETWORK, world, folder / "demo.atlas", progress=bars or False)
    except WrongModel as error:
        raise UsageError(
            f'"{folder}" holds a demo of other pictures, another network or another PyTorch: choose another folder '
            "with -o, or delete that one"
        ) from error


def dissected(folder: Path, world: "World", bars: Any) -> "list[Dissection]":
    """The atlas's own network with all baselines, then the same network trained from other seeds."""
    from layerscope.api.dissecting import dissect_atlas
    from layerscope.api.verbs import trace
    from layerscope.dissect import dissect
    from layerscope.models.named import further_weights
    from layerscope.sources import open_source

    source = open_source(world)
    found = [dissect_atlas(folder / "demo.atlas", None, source, world, progress=bars)]
    for weights in further_weights(NETWORK):
        net = trace(NETWORK, weights=weights)
        layers = [net[layer.layer] for layer in found[0].layers]
        found.append(dissect(net.program, net.input, layers, source, world, baselines=False, progress=bars))
    return found


def save_figures(atlas: "Atlas", folder: Path) -> list[Path]:
    """A plate of each layer with positions, the first filters, an overview, and the page of the best-named unit."""
    from layerscope.figures import filters, overview, plate, unit_page

    with_maps = [layer for layer in atlas.file.layers if layer.record.map is not None]
    sheets = {f"layer{place}": plate(atlas.file, layer.name) for place, layer in enumerate(with_maps, start=1)}
    sheets |= {"filters": filters(atlas.file), "overview": overview(atlas.file)}
    last = with_maps[-1]
    named = [(row.best.score, row.unit) for row in atlas.file.concepts(last.id) if row.best is not None]
    if named:
        unit = max(named)[1]
        sheets[f"layer{len(with_maps)}-unit{unit}"] = unit_page(atlas.file, last.name, unit)
    return [sheet.save(folder / f"{name}.png") for name, sheet in sheets.items()]


def write_report(atlas: "Atlas", facts: "Facts", folder: Path) -> list[Path]:
    """report.html and report.json, of the same figures."""
    from layerscope.report import write_page

    numbers = folder / "report.json"
    try:
        write_whole(numbers, json.dumps(facts.as_json(), indent=1).encode())
    except OSError as error:
        raise UsageError(f'cannot write "{numbers}": {error.strerror}') from error
    notes = [note for layer in atlas.file.layers for note in atlas.file.notes(layer.id)]
    pictures = {"the first filters": folder / "filters.png", "an overview": folder / "overview.png"}
    figures = pictures | {"its figures": numbers}
    page = write_page(atlas.file, facts, notes, folder / "report.html", title=TITLE, next_steps=NEXT, figures=figures)
    return [page, numbers]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f'the folder "{folder}" cannot be made: {error.strerror}') from error


def _atlas(folder: Path) -> "Atlas":
    from layerscope.api.atlas import open as open_atlas

    return open_atlas(folder / "demo.atlas")


@contextmanager
def _progress(output: Output) -> Iterator[Any]:
    from layerscope.api.bars import Bars

    if output.quiet:
        yield None
        return
    with Bars() as bars:
        yield bars


def _text(facts: "Facts", folder: Path, files: list[Path], seconds: float) -> str:
    from layerscope.report.sentences import of_run

    rows = [
        (
            layer.place, layer.figures.units, layer.figures.detectors, layer.figures.distinct_concepts,
            "" if layer.figures.mean_concept_level is None else f"{layer.figures.mean_concept_level:.2f}",
            ", ".join(str(unit.concept) for unit in layer.best[:5]),
        )
        for layer in facts.layers
    ]  # fmt: skip
    table = words.table((">layer", ">units", ">named", ">concepts", ">mean level", "best at"), rows)
    head = f"What the units of {facts.network} detect, over {words.counted(facts.images, 'picture')} of known content:"
    names = ", ".join(file.name for file in files)
    where = f"In {words.printable(folder)}: demo.atlas, {names} ({words.duration(seconds)})"
    told = "\n".join(of_run(facts))
    steps = "\n".join(f"    {line}" for line in NEXT.splitlines())
    atlas = words.printable(folder / "demo.atlas")
    report = words.printable(folder / "report.html")
    read = f"Read {report} first. Every unit has a page in the browser, and may be watched live:"
    browse = f"    layerscope serve {atlas}\n    layerscope live {atlas} worldnet"
    return f"{head}\n{table}\n{told}\n{where}\n{read}\n{browse}\nFor a network and pictures of your own:\n{steps}"
