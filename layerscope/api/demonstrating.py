"""A trained network, pictures whose content is known, and what the one sees in the other.

The network was trained on the visual world; the pictures are new ones of that world, drawn here and now. Every figure
that the report states is computed in this run.
"""

import json
import time
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.api import before
from layerscope.api.atlas import Atlas
from layerscope.api.atlas import open as open_atlas
from layerscope.api.checked import checked
from layerscope.api.reporting import reporting
from layerscope.api.verbs import build, trace
from layerscope.core import settings as s
from layerscope.core.errors import UsageError, WrongModel
from layerscope.core.failures import plain_failures
from layerscope.core.files import write_whole
from layerscope.core.verbs import VERBS

if TYPE_CHECKING:
    from layerscope.api.answers import Answer
    from layerscope.core.concepts import Dissection
    from layerscope.core.progress import Progress
    from layerscope.report import Facts
    from layerscope.world import World

NETWORK = "worldnet"
# The seeds of the pictures that the shipped networks were trained and validated on are 1 and 2.
SEED, COUNT, KNOWN_COUNT = 3, 1000, 288
# The export that a report links to, where it lies beside.
SITE = "site"
TITLE = "What the layers of a network see"
NEXT = """layerscope layers torchvision:resnet18
layerscope build torchvision:resnet18 --images PICTURES/ -o resnet18.atlas
layerscope figure resnet18.atlas layer2.1 -o layer2.png
layerscope build zfnet64 --images PICTURES/ -o mine.atlas"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Demo:
    """What a demo made. folder, files: where, the atlas first with the known network. seconds: of this call.

    facts: what its report tells; None with the known network, of which `answers` say how many patches hold the pattern
    that their unit was built for, by layer. pictures: how many were drawn.
    """

    folder: Path
    files: tuple[Path, ...]
    pictures: int
    seconds: float
    facts: "Facts | None" = None
    answers: "tuple[Answer, ...]" = ()

    def data(self) -> dict[str, Any]:
        """All of it as plain values."""
        from dataclasses import asdict

        results = self.facts.as_json() if self.facts is not None else {"layers": [asdict(one) for one in self.answers]}
        made = {"folder": str(self.folder), "files": [str(file) for file in self.files]}
        pictures = {} if self.facts is not None else {"pictures": self.pictures}
        return {**results, **made, **pictures, "seconds": round(self.seconds, 3)}


@checked(VERBS["demo"])
def demo(
    out: str | PathLike[str] = "demo",
    *,
    count: int | None = s.DEMO_COUNT.default,
    known: bool = s.KNOWN.default,
    intervene: bool = True,
    progress: "bool | Progress | None" = s.PROGRESS.default,
) -> Demo:
    """Look into a small trained network with pictures of known content: an atlas, plates, a report; resumes.

    out: the folder to fill. count: how many pictures (1000; 288 with known). known: instead a network whose filters
    were set by hand, so that every meaning is known. intervene: take concepts out of the pictures too, and tell which
    names stand; False where the overlap will do. progress: as for `build`. Raises UsageError for a folder that
    holds another demo or cannot be written.
    """
    folder, started = Path(out).expanduser(), time.monotonic()
    before.require_fillable(folder, "the demo")
    make(folder)
    if known:
        from layerscope.api.known_demo import known_demo

        files, answers = known_demo(folder, count or KNOWN_COUNT, progress)
        seconds = time.monotonic() - started
        return Demo(folder=folder, files=files, pictures=count or KNOWN_COUNT, seconds=seconds, answers=answers)
    from layerscope.report import facts_of
    from layerscope.world import World

    world = World(count or COUNT, seed=SEED)
    with reporting(progress) as reporter:
        built_in(folder, world, reporter if progress else False).close()
        dissections = dissected(folder, world, reporter, intervene=intervene)
    with _atlas(folder) as atlas:
        facts = facts_of(atlas.file, dissections)
        files = (*save_figures(atlas, folder), *write_report(atlas, facts, folder))
    return Demo(folder=folder, files=files, pictures=count or COUNT, seconds=time.monotonic() - started, facts=facts)


def sentences(facts: "Facts") -> "list[str]":
    """What a run found, in sentences."""
    from layerscope.report.sentences import of_run

    return list(of_run(facts))


def make(folder: Path) -> None:
    """Make the folder of a demo. Raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f'the folder "{folder}" cannot be made: {error.strerror}') from error


def built_in(folder: Path, world: "World", progress: "bool | Progress | None") -> Atlas:
    """The atlas, built or completed. Raises UsageError for a folder that holds another demo."""
    try:
        return build(NETWORK, world, folder / "demo.atlas", progress=progress)
    except WrongModel as error:
        raise UsageError(
            f'"{folder}" holds a demo of other pictures, another network or another PyTorch: choose another folder '
            "with -o, or delete that one"
        ) from error


def dissected(folder: Path, world: "World", reporter: "Progress", *, intervene: bool = False) -> "list[Dissection]":
    """The atlas's own network with all baselines, then the same network trained from other seeds.

    intervene: try the names of all of them by interventions, which the atlas keeps.
    """
    from layerscope.api.dissecting import dissect_atlas
    from layerscope.dissect import DrawnOnce, TriedNetwork, dissect
    from layerscope.models.named import further_weights
    from layerscope.sources import open_source

    source, masked = open_source(world), DrawnOnce(world)
    with _atlas(folder) as atlas:
        names = [layer.name for layer in atlas.file.layers]
    further: list[TriedNetwork] = []
    found: list[Dissection] = []
    for number, weights in enumerate(further_weights(NETWORK), start=2):
        net = trace(NETWORK, weights=weights)
        layers = [net[name] for name in names]
        one = dissect(net.program, net.input, layers, source, masked, baselines=False, progress=reporter)
        units = {layer.layer: layer.units for layer in one.layers}
        further.append(TriedNetwork(name=f"network trained again ({number})", program=net.program, names=units))
        found.append(one)
    drawn = world if intervene else None
    own = dissect_atlas(folder / "demo.atlas", None, source, masked, drawn=drawn, further=further, progress=reporter)
    return [own, *found]


def save_figures(atlas: Atlas, folder: Path) -> list[Path]:
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


def write_report(atlas: Atlas, facts: "Facts", folder: Path) -> list[Path]:
    """report.html and report.json, of the same figures."""
    from layerscope.api.unit_pages import pages_beside
    from layerscope.report import write_page

    numbers = folder / "report.json"
    with plain_failures(numbers, kind=UsageError):
        write_whole(numbers, json.dumps(facts.as_json(), indent=1).encode())
    notes = [note for layer in atlas.file.layers for note in atlas.file.notes(layer.id)]
    pictures = {"the first filters": folder / "filters.png", "an overview": folder / "overview.png"}
    figures = pictures | {"its figures": numbers}
    page = write_page(
        atlas.file, facts, notes, folder / "report.html", title=TITLE, next_steps=NEXT, figures=figures,
        pages=pages_beside(atlas.file, folder / SITE),
    )  # fmt: skip
    return [page, numbers]


def _atlas(folder: Path) -> Atlas:
    return open_atlas(folder / "demo.atlas")
