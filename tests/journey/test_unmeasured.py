"""Atlases in which little could be measured: everything that reads an atlas says so, and nothing fails."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import layerscope as ls
from layerscope.api.dissecting import dissect_atlas
from layerscope.api.looking import look
from layerscope.api.unit_pages import pages_beside
from layerscope.api.verbs import check
from layerscope.atlas.read import AtlasFile
from layerscope.cli import main
from layerscope.figures import Sheet, overview, plate, unit_page
from layerscope.figures.files import encode
from layerscope.live.opening import engine_for
from layerscope.report import facts_of
from layerscope.report.page import write_page
from layerscope.viewer.app import guarded, route_of
from layerscope.viewer.export import ExportChoice, export
from layerscope.viewer.guard import Door
from layerscope.viewer.pages import PAGES
from layerscope.viewer.shelf import Shelf
from tests.helpers.dissection import Drawn
from tests.helpers.viewing import client

INPUT = ls.Input(height=16, width=16)


class Narrow(nn.Module):
    """One unit alone in its layer, units that no picture raises above zero, and a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        self.alone, self.dead, self.dense = nn.Conv2d(3, 1, 3), nn.Conv2d(1, 3, 3), nn.Linear(3, 4)
        self.above = nn.ModuleList(nn.ReLU() for _ in range(3))
        with torch.no_grad():
            for weight, bias in ((self.alone.weight, self.alone.bias), (self.dead.weight, self.dead.bias)):
                weight.fill_(0.1)
                bias.zero_()
            self.dead.bias.fill_(-1e3)
            self.dense.weight.zero_()
            self.dense.bias.copy_(torch.tensor([1.0, 0.0, -1.0, 2.0]))

    def forward(self, x: Tensor) -> Tensor:
        x = self.above[1](self.dead(self.above[0](self.alone(x))))
        return self.above[2](self.dense(x.mean((2, 3))))


@dataclass(frozen=True)
class Poor:
    """An atlas of these, its network and its images."""

    net: ls.Network
    photos: Path
    atlas: Path


ALONE, DEAD, DENSE = "above.0", "above.1", "above.2"
EVERY = [ALONE, DEAD, DENSE]
# Name: the shades of its pictures, whether they have classes, layers, whether dense layers are projected.
POOR = {
    "one unit": ((40, 90, 200), True, [ALONE], False),
    "without live units": ((40, 90, 200), True, [DEAD], False),
    "black pictures": ((0, 0, 0), True, EVERY, True),
    "one image": ((120,), True, EVERY, True),
    "without labels": ((40, 90), False, EVERY, False),
    "dense only": ((40, 90, 200), True, [DENSE], True),
    "dense only, not projected": ((40, 90), True, [DENSE], False),
}


@pytest.fixture(scope="module")
def net() -> ls.Network:
    return ls.trace(Narrow(), INPUT)


# The others are swept with the wide tests.
ALWAYS = ("one unit", "black pictures", "dense only, not projected")


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=() if name in ALWAYS else pytest.mark.wide) for name in POOR]
)
def poor(request: pytest.FixtureRequest, net: ls.Network, tmp_path_factory: pytest.TempPathFactory) -> Poor:
    shades, labelled, layers, dense = POOR[request.param]
    folder = tmp_path_factory.mktemp("poor")
    for number, shade in enumerate(shades):
        place = folder / "photos" / (f"class{number % 2}" if labelled else "")
        place.mkdir(parents=True, exist_ok=True)
        # The corner differs, so that black pictures are the only ones that are copies of one another.
        pixels = np.full((20, 20, 3), shade, np.uint8)
        pixels[number % 20, 0, 0] = min(shade, 1) * number
        Image.fromarray(pixels).save(place / f"{number}.png")
    out = folder / "poor.atlas"
    ls.build(net, ls.images(folder / "photos"), out, layers=layers, dense=dense, progress=False).close()
    return Poor(net, folder / "photos", out)


def finite(text: str) -> object:
    """JSON that every reader takes: without NaN and infinity, which are not in it."""

    def refuse(word: str) -> NoReturn:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def addresses(shelf: Shelf) -> Iterator[str]:
    """Of every page of the table, one for each layer, unit and image that it can be about."""
    (book,) = shelf
    layers = [(layer.name, unit) for layer in book.layers for unit in range(layer.record.units)]
    first, last = layers[0], layers[-1]
    kept = [image for image in range(book.file.image_count()) if book.file.has_picture(image)]
    for page in PAGES.own.values():
        route = route_of(page).replace(":int", "")
        for layer, unit in layers:
            for image in kept if page.scope == "picture" else range(book.file.image_count()):
                yield route.format(atlas=book.slug, layer=layer, unit=unit, image=image, key=f"image-{image}")
    yield f"/{book.slug}/compare?u={first[0]}:{first[1]}&u={last[0]}:{last[1]}"
    yield f"/{book.slug}/compare?l={first[0]}&l={last[0]}"


@pytest.mark.thin(3)
def test_every_page_of_an_atlas_in_which_little_was_measured_is_made(poor: Poor) -> None:
    """Every page of the table, and those of a network beside it, is a page, and JSON of finite numbers."""
    shelf = Shelf([poor.atlas])
    with AtlasFile(poor.atlas) as file:
        engine = engine_for(file, poor.net.program, name="narrow")
        door = Door(host="127.0.0.1", port=8000)
        with client(guarded(shelf, door, engine=engine)) as browser:
            for address in dict.fromkeys(addresses(shelf)):
                page = browser.get(address)
                assert page.status_code == 200, (address, page.text[-600:])
                data = browser.get(f"{address}{'&' if '?' in address else '?'}format=json")
                assert data.status_code == 200, address
                finite(data.text)
    shelf.close()


def sheets(file: AtlasFile) -> dict[str, Sheet | str]:
    """All kinds of figures of an atlas; of one that is refused, its sentence."""
    wanted: dict[str, Callable[[], Sheet]] = {"overview": lambda: overview(file)}
    for layer in file.layers:
        wanted[f"plate {layer.name}"] = lambda name=layer.name: plate(file, name)
        wanted[f"unit {layer.name}"] = lambda name=layer.name: unit_page(file, name, 0)
    made: dict[str, Sheet | str] = {}
    for name, make in wanted.items():
        try:
            made[name] = make()
        except ls.UsageError as error:
            made[name] = str(error)
    return made


def test_figures_of_such_an_atlas_are_drawn_or_refused_in_words(poor: Poor) -> None:
    """A unit's page is always there; what would show nothing says that no unit was above zero, and nothing else."""
    with AtlasFile(poor.atlas) as file:
        alive = {layer.name for layer in file.layers if (file.unit_statistics(layer.id).maximum > 0).any()}
        made = sheets(file)
        refused = {name for name, sheet in made.items() if isinstance(sheet, str)}
        assert refused == {f"plate {layer.name}" for layer in file.layers if layer.name not in alive} | (
            set() if alive else {"overview"}
        )
        assert all("no unit" in made[name] and "was above zero in any image" in made[name] for name in refused)
        assert encode(next(sheet for sheet in made.values() if isinstance(sheet, Sheet)), "png", dpi=40)


def test_what_else_reads_such_an_atlas_succeeds(poor: Poor, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Export, notebook, `info`, `show`, `check` and `look` end well, and JSON holds finite numbers only."""
    export(poor.atlas, tmp_path / "site", ExportChoice())
    picture = next(poor.photos.rglob("*.png"))
    look(poor.atlas, poor.net, picture, tmp_path / "look.html")
    with ls.open(poor.atlas) as atlas:
        assert check(atlas, poor.net, poor.photos).failed == ()
        assert atlas._repr_html_() and all(layer._repr_html_() and layer[0]._repr_html_() for layer in atlas)
        names = [layer.name for layer in atlas]
    assert main(["info", str(poor.atlas)]) == 0
    layers = [["show", name] for name in names] + [["show", name, "0"] for name in names]
    for verb, *words in (["info"], ["show"], *layers):
        capsys.readouterr()
        assert main([verb, str(poor.atlas), *words, "--json"]) == 0
        finite(capsys.readouterr().out)


def test_such_a_network_is_dissected_and_reported(net: ls.Network, tmp_path: Path) -> None:
    """Layers without live units and of one unit have figures; what was not measured is left out of the report."""
    drawn, path = Drawn(12), tmp_path / "drawn.atlas"
    source = ls.images(drawn)
    ls.build(net, source, path, layers=EVERY, dense=True, progress=False).close()
    found = dissect_atlas(path, net, source, drawn)
    with AtlasFile(path) as file:
        facts = facts_of(file, [found])
        # In a layer of one unit, or of none that is alive, there is no other unit to compare with.
        assert [dict(layer.specificity) for layer in facts.layers] == [{}, {}]
        finite(json.dumps(facts.as_json()))
        pages = pages_beside(file, tmp_path / "site")
        report = tmp_path / "report.html"
        assert write_page(file, facts, (), report, title="poor", next_steps="", figures={}, pages=pages).exists()
    shelf = Shelf([path])
    with client(guarded(shelf, Door(host="127.0.0.1", port=8000))) as browser:
        assert browser.get("/drawn/concepts").status_code == browser.get("/drawn/").status_code == 200
        finite(browser.get("/drawn/concepts?format=json").text)
    shelf.close()
