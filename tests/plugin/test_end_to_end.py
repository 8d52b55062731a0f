"""From a guest's network over a guest's images to an atlas of a guest's codec, and to all that is made of it."""

import io
import re
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import layerscope as ls
from layerscope.cli import main
from layerscope.core.errors import NotAnAtlas, UsageError
from layerscope.core.images import IMAGES
from layerscope.viewer.shelf import Shelf
from tests.helpers.guests import installed
from tests.helpers.viewing import viewing

# Every verb, as a user would type them, in this process: a guest's in one of its own is in tests/plugin/test_engine.py.
TYPED = """\
build --help
build stripes:8 --images noise:40 --codec rawz -o x.atlas
build stripes:8 --images noise:40 --codec rawz -o x.atlas
figure x.atlas 1 -o plate.png --quiet
export x.atlas site --quiet
check x.atlas stripes:8 --images noise:40
plugins
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which the commands ran, and what they said."""
    folder, said = tmp_path_factory.mktemp("guests"), io.StringIO()
    with installed(), chdir(folder), redirect_stdout(said), redirect_stderr(said):
        for words in TYPED.splitlines():
            print("$", words)
            assert main(words.split()) == 0, said.getvalue()
    return folder, said.getvalue()


def test_help_and_the_list_of_plug_ins_tell_the_guests_rows(made) -> None:
    """Where NET, --images and --codec are told, and with the package that they come from."""
    helped, _, rest = " ".join(made[1].split()).partition("$ build stripes:8")
    assert "path/model.onnx or stripes:COUNT" in helped
    assert f"{', '.join(row.form for row in IMAGES.own.values() if row.written)} or noise:COUNT" in helped
    assert "png or rawz (default jpeg)" in helped
    for kind, name in (("network kind", "stripes"), ("image kind", "noise"), ("codec", "rawz")):
        assert re.search(f"{kind} +{name} +layerscope-guest 1.0", rest)


def test_an_atlas_of_guests_is_built_goes_on_and_holds(made) -> None:
    """The second command finds it complete; its peaks computed again are the same; its run says by which codec."""
    folder, said = made
    assert "x.atlas is complete: nothing is missing" in said
    assert "32 peaks computed again; largest difference 0 of" in said
    assert Image.open(folder / "plate.png").width > 1000
    with installed(), ls.open(folder / "x.atlas") as atlas:
        assert atlas.file.run.settings["codec"] == "rawz" and atlas.file.run.images == "noise (40 pictures)"


def test_patches_are_the_guests_pixels_to_the_last_bit(made) -> None:
    """A lossless codec: the tile around a peak is cut out of the noise, as Pillow alone resizes and crops it."""
    compared = 0
    with installed(), ls.open(made[0] / "x.atlas") as atlas:
        for unit in atlas["1"]:
            for rank, peak in enumerate(unit.peaks):
                noise = np.random.default_rng(peak.image).integers(0, 256, (72, 96, 3), np.uint8)
                pixels = noise if peak.image % 2 == 0 else np.repeat(noise[..., :1], 3, axis=2)
                seen = np.asarray(Image.fromarray(pixels).resize((85, 64), Image.Resampling.BILINEAR))[:, 10:74]
                if 4 <= peak.row < 60 and 4 <= peak.col < 60:
                    around = seen[peak.row - 4 : peak.row + 5, peak.col - 4 : peak.col + 5]
                    assert np.array_equal(unit.patch(rank), around)
                    compared += 1
    assert compared > 30


def test_browsers_get_pngs_of_what_they_cannot_show(made) -> None:
    """In the export, and from the server, which says their type."""
    folder = made[0]
    pictures = sorted((folder / "site").rglob("*.png"))
    assert len(pictures) > 40 and all(Image.open(picture).format == "PNG" for picture in pictures[:9])
    pages = "".join(page.read_text() for page in (folder / "site").rglob("*.html"))
    assert ".png" in pages and not list((folder / "site").rglob("*.rawz"))
    with installed(), viewing(folder / "x.atlas") as browser:
        (book,) = Shelf([folder / "x.atlas"])
        answer = browser.get(f"/x/data/{book.mark}/picture/0")
    assert answer.headers["Content-Type"] == "image/png" and answer.content.startswith(b"\x89PNG")


def test_without_the_guest_the_atlas_opens_and_says_what_is_missing(made) -> None:
    """Numbers are there; a picture is one sentence; an export says it before it writes anything."""
    path = made[0] / "x.atlas"
    missing = 'stored as "rawz", which nothing here reads: install the package that adds this codec to layerscope'
    with ls.open(path) as atlas:
        assert len(atlas["1"][0].peaks) == 9
        with pytest.raises(NotAnAtlas, match=missing):
            atlas["1"][0].patch(0)
    with viewing(path) as browser:
        (book,) = Shelf([path])
        answer = browser.get(f"/x/data/{book.mark}/picture/0")
        assert browser.get("/x").status_code == browser.get("/x/about").status_code == 200
    assert answer.status_code == 404 and "which nothing here reads" in answer.text
    with pytest.raises(NotAnAtlas, match=missing):
        ls.export(path, made[0] / "another")
    assert not (made[0] / "another").exists()
    with pytest.raises(UsageError, match='codec= must be one of jpeg, webp, webp-lossless, png, got "rawz"'):
        ls.build("worldnet", made[0], made[0] / "y.atlas", codec="rawz")
    assert not (made[0] / "y.atlas").exists()
