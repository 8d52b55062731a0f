"""Atlases in which little could be measured: everything that reads an atlas says so, and nothing fails."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import layerscope as ls
from layerscope.api.looking import look_at
from layerscope.api.verbs import check
from layerscope.atlas.read import AtlasFile
from layerscope.cli import main
from layerscope.live.opening import engine_for
from layerscope.viewer.app import guarded
from layerscope.viewer.export import Choice, export
from layerscope.viewer.guard import Door
from layerscope.viewer.pages import PAGES
from layerscope.viewer.shelf import Shelf
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


@pytest.fixture(scope="module", params=POOR)
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
    for page in PAGES.values():
        for layer, unit in layers:
            for image in range(book.file.image_count()):
                yield page.route.replace(":int", "").format(atlas=book.slug, layer=layer, unit=unit, image=image)
    first, last = layers[0], layers[-1]
    yield f"/{book.slug}/compare?u={first[0]}:{first[1]}&u={last[0]}:{last[1]}"
    yield f"/{book.slug}/compare?l={first[0]}&l={last[0]}"
    yield f"/{book.slug}/live"
    kept = [image for image in range(book.file.image_count()) if book.file.has_picture(image)]
    yield from (f"/{book.slug}/look?image={image}" for image in kept)


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
                told = browser.get(f"{address}{'&' if '?' in address else '?'}format=json")
                assert told.status_code == 200, address
                finite(told.text)
    shelf.close()


def drawn(poor: Poor, folder: Path, capsys: pytest.CaptureFixture, *words: str) -> str:
    """How the sentence of a refused figure begins; empty for one that is drawn."""
    capsys.readouterr()
    status = main(["figure", str(poor.atlas), *words, "-o", str(folder / "figure.svg")])
    said = capsys.readouterr().err
    assert status == (1 if said else 0), said
    return said.removeprefix("layerscope: ").partition(" was above zero" if "no unit of" in said else ":")[0]


def test_what_else_reads_such_an_atlas_succeeds(poor: Poor, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Export, figures, notebook, `info`, `show`, `check` and `look` end well, and JSON holds finite numbers only."""
    export(poor.atlas, tmp_path / "site", Choice())
    picture = next(poor.photos.rglob("*.png"))
    look_at(poor.atlas, poor.net, picture, tmp_path / "look.html")
    with ls.open(poor.atlas) as atlas:
        assert check(atlas, poor.net, poor.photos).failed == ()
        assert atlas._repr_html_()
        for layer in atlas:
            assert layer._repr_html_() and layer[0]._repr_html_()
            assert main(["show", str(poor.atlas), layer.name, "--json"]) == 0
            assert main(["show", str(poor.atlas), layer.name, "0", "--json"]) == 0
            live = bool((layer.statistics.maximum > 0).any())
            assert drawn(poor, tmp_path, capsys, layer.name) == ("" if live else f'no unit of layer "{layer.name}"')
            assert drawn(poor, tmp_path, capsys, layer.name, "--unit", "0") == ""
        alive = any((layer.statistics.maximum > 0).any() for layer in atlas)
        assert drawn(poor, tmp_path, capsys) == ("" if alive else "this atlas holds no tiles to show")
        assert main(["info", str(poor.atlas)]) == 0
        capsys.readouterr()
        for words in (["info"], ["show"]):
            assert main([*words, str(poor.atlas), "--json"]) == 0
            finite(capsys.readouterr().out)
