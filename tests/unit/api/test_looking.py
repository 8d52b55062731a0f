"""`look_at`: one HTML file with everything inside, whose numbers are the network's own."""

import re

import numpy as np
import pytest

import layerscope as ls
from layerscope.api.looking import engine_of, look_at
from layerscope.atlas.read import AtlasFile
from layerscope.cli import main
from layerscope.core.errors import ImageError, UsageError, WrongModel
from tests.helpers.building import LAYERS, pictures_as_files, small_network


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The network, a folder with its atlas, and one of the atlas's pictures."""
    folder, net = tmp_path_factory.mktemp("looking"), small_network()
    photos = pictures_as_files(folder / "photos", 5)
    ls.build(net, ls.images(photos), folder / "small.atlas", layers=LAYERS[:2], progress=False).close()
    with AtlasFile(folder / "small.atlas") as file:
        return net, folder, folder / "photos" / file.image(2).source


def test_the_page_is_one_file(made, tmp_path):
    """No script, nothing fetched: every picture is a data URL, and its policy allows nothing else."""
    net, folder, picture = made
    look_at(folder / "small.atlas", net, picture, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "<script" not in text and "default-src 'none'" in text
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(sources) > 10 and all(re.match(r"data:image/|#seen$", source) for source in sources)
    assert not any(source.endswith("…") for source in sources)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_the_numbers_are_the_librarys(made, tmp_path):
    """The strongest units are those of `net.activations`, with their highest values and places."""
    net, folder, picture = made
    portrait = look_at(folder / "small.atlas", net, picture, tmp_path / "page.html")
    pixels = ls.images(folder / "photos").load([2], net.input).pixels
    for layer in portrait.layers:
        maps = net.activations(pixels, layer.layer)[0]
        assert layer.firings
        for one in layer.firings:
            plane = maps[one.unit]
            assert one.value == pytest.approx(float(plane.max()), rel=1e-6)
            assert plane[one.row, one.col] == plane.max()
        relative = [one.relative for one in layer.firings]
        assert relative == sorted(relative, reverse=True)
        assert np.isfinite(relative).all()


def test_mistakes_are_sentences(made, tmp_path):
    """No picture, a file that is none, an unknown method, a place that cannot be written; no page is left then."""
    net, folder, picture = made
    atlas, page = folder / "small.atlas", tmp_path / "page.html"
    with pytest.raises(ImageError, match="cannot read the picture"):
        look_at(atlas, net, tmp_path / "none.png", page)
    with pytest.raises(ImageError, match="neither a JPEG nor a PNG"):
        look_at(atlas, net, atlas, page)
    with pytest.raises(UsageError, match='method "magic" is not known'):
        look_at(atlas, net, picture, page, method="magic")
    with pytest.raises(UsageError, match="cannot write"):
        look_at(atlas, net, picture, tmp_path / "nowhere" / "page.html")
    with pytest.raises(UsageError, match="already traced"):
        look_at(atlas, net, picture, page, weights="w.pt")
    assert not list(tmp_path.iterdir())


def test_another_network_is_refused(made, capsys, tmp_path):
    """The sentence says what differs; the command ends with status 1, before anything is served or written."""
    _, folder, picture = made
    with AtlasFile(folder / "small.atlas") as file, pytest.raises(WrongModel, match="weights"):
        engine_of(file, small_network(seed=1))
    atlas, page = str(folder / "small.atlas"), str(tmp_path / "page.html")
    assert main(["look", atlas, "worldnet/none", str(picture), "-o", page]) == 1
    assert main(["live", atlas, "worldnet/none", "--no-browser"]) == 1
    complaints = [line for line in capsys.readouterr().err.splitlines() if line.startswith("layerscope:")]
    assert len(complaints) == 2 and all("was not made by this network" in line for line in complaints)
    assert not list(tmp_path.iterdir())
