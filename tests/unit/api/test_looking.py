"""`look`: one HTML file with everything inside, whose numbers are the network's own."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, features
from torchvision import transforms

import layerscope as ls
from layerscope import look
from layerscope.api.looking import engine_of
from layerscope.atlas.read import AtlasFile
from layerscope.cli import main
from layerscope.core.errors import ImageError, UsageError, WrongModel
from tests.helpers.building import INPUT, LAYERS, Small, pictures_as_files, small_network
from tests.helpers.networks import randomise


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
    look(folder / "small.atlas", net, picture, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "<script" not in text and "default-src 'none'" in text
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(sources) > 10 and all(re.match(r"data:image/|#seen$", source) for source in sources)
    assert not any(source.endswith("…") for source in sources)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_the_numbers_are_the_librarys(made, tmp_path):
    """The strongest units are those of `net.activations`, with their highest values and places."""
    net, folder, picture = made
    portrait = look(folder / "small.atlas", net, picture, tmp_path / "page.html")
    pixels = ls.images(folder / "photos").load([2], net.input).pixels
    for layer in portrait.layers:
        maps = net.activations(pixels, layer.layer)[0]
        assert layer.firings
        for one in layer.firings:
            values = maps[one.unit]
            assert one.value == pytest.approx(float(values.max()), rel=1e-6)
            assert values[one.row, one.col] == values.max()
        relative = [one.relative for one in layer.firings]
        assert relative == sorted(relative, reverse=True)
        assert np.isfinite(relative).all()


# Kinds of files that a build reads, and that an upload to the served page may not be; and sizes that it may not have.
KINDS = ("WEBP", "GIF", "TIFF", "BMP", "JPEG2000", "PPM", *(("AVIF",) if features.check("avif") else ()))
LARGE = {"more than 16 million px": ("JPEG", (4001, 4001), {}), "8 MiB": ("PNG", (2000, 1500), {"compress_level": 0})}


def looked_at(made, path: Path, out: Path, *, short: int = 40, **reading: str) -> None:
    """The page's values are those of the user's own module on the picture as Pillow and torchvision prepare it.

    short: the side to which the picture's shorter one is resized, so that it just covers 40 x 48 px.
    """
    net, folder, _ = made
    portrait = look(folder / "small.atlas", net, path, out, **reading)
    prepare = transforms.Compose(
        [transforms.Resize(short), transforms.CenterCrop((INPUT.height, INPUT.width)), transforms.ToTensor(),
         transforms.Normalize(INPUT.mean, INPUT.std)]
    )  # fmt: skip
    with Image.open(path) as image, torch.no_grad():
        module = randomise(Small(), 0, torch.randn(4, *INPUT.shape, generator=torch.Generator().manual_seed(0)))
        maps = module.relu1(module.conv1(prepare(image.convert("RGB"))[None]))[0]
    (first,) = [layer for layer in portrait.layers if layer.layer == "relu1"]
    assert first.firings and out.exists()
    for one in first.firings:
        assert one.value == pytest.approx(float(maps[one.unit].max()), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_any_kind_that_a_build_reads_is_looked_at(made, tmp_path, kind):
    """A person's own file is read and prepared as an image of a build, whatever its kind is called."""
    rng = np.random.default_rng(3)
    small = Image.fromarray(rng.integers(0, 255, (6, 7, 3), np.uint8)).resize((72, 60))
    small.save(tmp_path / "own", kind)
    looked_at(made, tmp_path / "own", tmp_path / "page.html")


def test_a_picture_is_looked_at_as_stored_where_that_is_asked_for(made, tmp_path):
    """A network that was trained on pictures as they lie in their files gets this one so too, EXIF or not."""
    turned = Image.Exif()
    turned[0x0112] = 6
    small = Image.fromarray(np.random.default_rng(3).integers(0, 255, (6, 7, 3), np.uint8)).resize((72, 60))
    small.save(tmp_path / "own.png", exif=turned)
    looked_at(made, tmp_path / "own.png", tmp_path / "page.html", orientation="stored")
    with pytest.raises(ImageError, match="above the limit of 100 px"):
        look(made[1] / "small.atlas", made[0], tmp_path / "own.png", tmp_path / "page.html", max_pixels=100)


@pytest.mark.parametrize("size", LARGE)
def test_a_large_picture_is_looked_at(made, tmp_path, size):
    """The bounds on what is sent to a server do not hold for one's own file."""
    kind, (width, height), options = LARGE[size]
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(tmp_path / "own", kind, **options)
    looked_at(made, tmp_path / "own", tmp_path / "page.html", short=48 if width == height else 40)


def test_mistakes_are_sentences(made, tmp_path):
    """No picture, a file that is none, an unknown method, a place that cannot be written; no page is left then."""
    net, folder, picture = made
    atlas, page = folder / "small.atlas", tmp_path / "page.html"
    with pytest.raises(ImageError, match="cannot read the picture"):
        look(atlas, net, tmp_path / "none.png", page)
    with pytest.raises(ImageError, match="not an image"):
        look(atlas, net, atlas, page)
    with pytest.raises(ImageError, match="Is a directory"):
        look(atlas, net, tmp_path, page)
    with pytest.raises(UsageError, match='method= must be one of deconvnet, guided, gradient, got "magic"'):
        look(atlas, net, picture, page, method="magic")
    with pytest.raises(UsageError, match="there is no folder"):
        look(atlas, net, picture, tmp_path / "nowhere" / "page.html")
    with pytest.raises(UsageError, match="already traced"):
        look(atlas, net, picture, page, weights=picture)
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
