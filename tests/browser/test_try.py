"""A network in the reader's browser: from files and from a host, its answers are the library's, and nothing is sent."""

import http.server
import io
import itertools
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

import layerscope as ls
from layerscope.atlas.read import AtlasFile
from layerscope.sources.decode import decode
from layerscope.sources.prepare import RESAMPLING, fill, prepare
from layerscope.viewer.pages.trying import ROWS_FIRST
from layerscope.world import World
from tests.browser.conftest import Opened, exported, once_for_all
from tests.browser.made import NETWORK, PICTURES, SEED
from tests.browser.places import Folder, Shown
from tests.browser.test_themes import TOO_SMALL, found_by_axe
from tests.helpers.browser_runtime import fetched
from tests.helpers.onnx_answers import near

NOT_FETCHED = "ONNX Runtime Web is not there: .ci/onnxruntime-web fetches it from npm, which could not be reached"
# Every file has a name of its own: an answer names the file that it is of.
NUMBERS = itertools.count()
ANSWER = """() => {
  const { layers, scores, numbers, cut, milliseconds } = LS.get("try", "answer");
  return {
    layers: layers.map(({ highest, places }) => [[...highest], [...places]]), scores: [...scores ?? []],
    numbers: [...numbers], cut: [...cut], milliseconds,
  };
}"""


RESIZED = """([given, rows, cols, bands, toRows, toCols, filter, rowsFirst]) => {
  const picture = { data: Uint8Array.from(given), rows, cols, bands };
  return [...LS.prepare.resized(picture, toRows, toCols, filter, rowsFirst).data];
}"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the page found. layers: maxima and places."""

    layers: list[tuple[np.ndarray, np.ndarray]]
    scores: np.ndarray
    numbers: np.ndarray
    cut: np.ndarray
    milliseconds: float


@pytest.fixture(scope="module")
def runtime() -> Path:
    path = fetched()
    if path is None:
        pytest.skip(NOT_FETCHED)
    return path


@pytest.fixture(scope="module")
def site(atlas: Shown, runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The atlas as a folder of pages with its network beside them."""
    words = ("--with-network", NETWORK, "--runtime", str(runtime))
    folder = once_for_all(tmp_path_factory, "tried", lambda path: exported(atlas.path, path, *words))
    return Folder(origin=folder.resolve().as_uri())


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A host of files as any other, that compresses nothing and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def hosted(site: Folder) -> Iterator[Folder]:
    """The same folder on a host for files."""
    place = site.origin.removeprefix("file://")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=place))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Folder(origin=f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()


@pytest.fixture(scope="module")
def host(site: Folder) -> Iterator[Folder]:
    with hosted(site) as found:
        yield found


@pytest.fixture(scope="module")
def net(runtime: Path) -> ls.Network:
    return ls.trace(NETWORK)


def tried(page: Page, encoded: bytes, media: str = "image/png") -> Answer:
    """What the page finds in a file that is chosen."""
    name = f"mine-{next(NUMBERS)}"
    page.locator("#try-file").set_input_files([{"name": name, "mimeType": media, "buffer": encoded}])
    expect(page.locator("#try-state")).to_contain_text(f"{name}: looked at in")
    return answer_of(page)


def answer_of(page: Page) -> Answer:
    found = page.evaluate(ANSWER)
    return Answer(
        layers=[(np.array(highest, np.float32), np.array(places)) for highest, places in found["layers"]],
        scores=np.array(found["scores"], np.float32),
        numbers=np.array(found["numbers"], np.float32),
        cut=np.array(found["cut"], np.uint8),
        milliseconds=found["milliseconds"],
    )


def encoded(picture: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **how)
    return buffer.getvalue()


def photograph(seed: int, width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Soft shapes and grain, as a camera would give them: all frequencies, all colours."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (9, 12, 3)).astype(np.uint8)
    soft = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).astype(float)
    grained = np.clip(soft + rng.normal(0, 12, soft.shape), 0, 255).astype(np.uint8)
    return Image.fromarray(grained).convert(mode)


def same_pixels(answer: Answer, content: bytes, net: ls.Network, *, apart: int = 0) -> None:
    """The page's preparation is the library's px by px, or at most `apart` levels away."""
    picture = decode(content)
    out = np.empty((net.input.height, net.input.width, net.input.channels), np.float32)
    _, cut = fill(picture, net.input, out)
    found = answer.cut.reshape(cut.shape)
    assert np.abs(found.astype(int) - cut).max() <= apart
    if apart == 0:
        pixels, _ = prepare(picture, net.input)
        np.testing.assert_array_equal(answer.numbers, pixels.ravel())


def same_answers(answers: list[Answer], net: ls.Network, layers: list[str]) -> None:
    """The page's answers are the library's of the page's own px, to 1e-4 of the largest of their layer and picture."""
    x = np.stack([answer.numbers.reshape(net.input.shape) for answer in answers])
    assert all(len(answer.layers) == len(layers) for answer in answers)
    for place, name in enumerate(layers):
        for answer, maps in zip(answers, net.activations(x, name), strict=True):
            (highest, places), maps = answer.layers[place], maps.reshape(len(maps), -1)
            largest = float(np.abs(maps).max())
            near(highest, maps.max(1), name, largest)
            near(np.take_along_axis(maps, places[:, None], 1)[:, 0], maps.max(1), f"{name}, at its places", largest)


def pictures_tried(page: Page, net: ls.Network) -> list[Answer]:
    """Drawn pictures of the world, and photographs of all sizes, larger and smaller than the input: the same px."""
    drawn = [World(PICTURES, seed=SEED)[number][0] for number in (0, 7)]
    sizes = [(640, 480), (333, 517), (40, 31), (64, 64), (2000, 90)]
    answers: list[Answer] = []
    for picture in (*drawn, *(photograph(seed, *size) for seed, size in enumerate(sizes))):
        content = encoded(picture)
        answers.append(tried(page, content))
        same_pixels(answers[-1], content, net)
    return answers


def test_answers_are_the_librarys_from_files_and_from_a_host(
    opened: Opened, site: Folder, host: Folder, atlas: Shown, net: ls.Network
):
    """Drawn pictures and photographs, the same px and the same answers; nothing leaves."""
    answers = [answer for venue in (site, host) for answer in pictures_tried(opened(venue.page("try")), net)]
    same_answers(answers, net, [layer.name for layer in atlas.layers])
    # Asked for are files of the site alone; `opened` sees to the rest.
    for watch, venue in zip(opened.watches, (site, host), strict=True):  # type: ignore[attr-defined]
        assert all(url.startswith((venue.origin, "blob:")) for url in watch.requests)


def test_pictures_as_people_have_them(opened: Opened, site: Folder, atlas: Shown, net: ls.Network):
    """Turned by EXIF, gray, with a palette, and JPEG of several kinds: as the library reads them, JPEG within two
    levels of 255, since decoders may differ in the last bits."""
    answers, page = list[Answer](), opened(site.page("try"))
    turned = Image.Exif()
    turned[0x0112] = 6
    photo = photograph(3, 320, 200)
    for content, media, apart in (
        (encoded(photo, "JPEG", quality=95, subsampling=0), "image/jpeg", 2),
        (encoded(photo, "JPEG", quality=85, exif=turned), "image/jpeg", 2),
        (encoded(photo, "JPEG", quality=60, progressive=True), "image/jpeg", 2),
        (encoded(photo.convert("L"), "JPEG"), "image/jpeg", 2),
        (encoded(photo.convert("L")), "image/png", 0),
        (encoded(photo.convert("P", palette=Image.Palette.ADAPTIVE)), "image/png", 0),
        (encoded(photo, exif=turned), "image/png", 0),
        (encoded(photo, "WEBP", lossless=True), "image/webp", 0),
    ):
        answers.append(tried(page, content, media=media))
        same_pixels(answers[-1], content, net, apart=apart)
    same_answers(answers, net, [layer.name for layer in atlas.layers])


def test_a_transparent_picture_is_looked_at_or_said_to_differ(opened: Opened, site: Folder, net: ls.Network):
    """The colours under what is transparent are the library's, or the page says that this browser hides them."""
    page, rng = opened(site.page("try")), np.random.default_rng(4)
    picture = Image.fromarray(rng.integers(0, 256, (90, 120, 4)).astype(np.uint8), "RGBA")
    content = encoded(picture)
    answer = tried(page, content)
    pixels, _ = prepare(decode(content), net.input)
    same = np.array_equal(answer.numbers, pixels.ravel())
    assert same != ("partly transparent" in (page.locator("#try-state").text_content() or ""))
    # Reading px back from the graphics card is slow, of which some drivers complain.
    troubles = opened.watches[-1].troubles  # type: ignore[attr-defined]
    troubles[:] = [trouble for trouble in troubles if "ReadPixels" not in trouble]


def test_resizing_is_pillows(opened: Opened, site: Folder):
    """Every filter, up and down, on one axis alone and on both, of one band and of three: byte by byte."""
    page, rng = opened(site.page("try")), np.random.default_rng(5)
    sizes = [
        (7, 9, 23, 4),
        (50, 41, 50, 17),
        (31, 64, 12, 64),
        (5, 5, 64, 64),
        (200, 3, 11, 2),
        (97, 131, 64, 64),
        (165, 100, 64, 50),
        (164, 100, 64, 50),
    ]
    for filter, bands in [*((one, 3) for one in RESAMPLING), ("bilinear", 1)]:
        for rows, cols, to_rows, to_cols in sizes:
            pixels = rng.integers(0, 256, (rows, cols, bands)).astype(np.uint8)
            picture = Image.fromarray(pixels.squeeze(2) if bands == 1 else pixels)
            wanted = np.asarray(picture.resize((to_cols, to_rows), RESAMPLING[filter]))
            given = [pixels.ravel().tolist(), rows, cols, bands, to_rows, to_cols, filter, ROWS_FIRST]
            found = page.evaluate(RESIZED, given)
            assert found == wanted.ravel().tolist(), (filter, bands, rows, cols, to_rows, to_cols)


def test_the_page_shows_what_it_found(opened: Opened, site: Folder, atlas: Shown):
    """A picture of the atlas, chosen: classes, and of every layer up to nine units that lead to their pages; a link."""
    page = opened(site.page("try"))
    expect(page.locator("#try-answer")).to_be_hidden()
    expect(page.locator("#try-state")).to_contain_text("MB")
    button = page.locator("[data-image]").first
    button.click()
    expect(page.locator("#try-answer")).to_be_visible()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".try-classes li")).to_have_count(5)
    expect(page.locator(".try-layer")).to_have_count(len(atlas.layers))
    assert 0 < page.locator(".try-layer").last.locator(".try-units li").count() <= 9
    linked = page.url
    assert linked.endswith(f"#image={button.get_attribute('data-image')}")
    page.locator(".try-units a").last.click()
    expect(page.locator("h1")).to_contain_text("Unit")
    page.goto("about:blank")
    page.goto(linked)
    expect(page.locator("#try-answer")).to_be_visible()


WRITTEN = """
window.written = new Map();
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, left, top) {
  const size = parseInt(/([0-9]+)px/.exec(this.font)[1]), of = this.canvas;
  const fits = left >= 0 && top >= 0 && left + 0.6 * size <= of.width && top + 0.8 * size <= of.height;
  window.written.set(of, [...(window.written.get(of) ?? []), { left, top, size, fits }]);
  return write.call(this, text, left, top);
};
"""


def test_no_number_covers_another(opened: Opened, site: Folder, atlas: Shown):
    """At every layer the numbers of the boxes can all be read: they lie on the picture, and none on another."""
    page = opened(site.page("about"))
    page.add_init_script(WRITTEN)
    page.goto(site.page("try"))
    # One bright spot: all that answers to it fires at the same place.
    picture = Image.new("RGB", (64, 64), "black")
    picture.paste("white", (60, 2, 63, 5))
    tried(page, encoded(picture))
    layers = page.evaluate("[...window.written.values()]")
    assert len(layers) == len(atlas.layers) and max(map(len, layers)) > 4
    for numbers in layers:
        assert all(one["fits"] for one in numbers)
        for one, other in itertools.combinations(numbers, 2):
            apart_across = abs(one["left"] - other["left"]) >= 0.65 * one["size"]
            assert apart_across or abs(one["top"] - other["top"]) >= 0.8 * one["size"]


def test_units_are_in_the_order_of_a_live_network(opened: Opened, site: Folder, atlas: Shown, net: ls.Network):
    """The strongest units of each layer and their shares are those that `look` finds in the same picture."""
    from layerscope.api.looking import engine_of

    page, content = opened(site.page("try")), encoded(photograph(8, 300, 300))
    tried(page, content)
    with AtlasFile(atlas.path) as file:
        portrait = engine_of(file, net).whole(content)
    for section, layer in zip(page.locator(".try-layer").all(), portrait.layers, strict=True):
        assert section.locator(".try-units a").all_text_contents() == [f"unit {one.unit}" for one in layer.firings]
    names = [text.rpartition(":")[0] for text in page.locator(".try-classes span").all_text_contents()]
    assert names == [name for name, _ in portrait.top]


def test_dropping_and_pasting(opened: Opened, site: Folder):
    """A file dropped anywhere, and one pasted, are looked at."""
    page = opened(site.page("try"))
    give = """([kind, bytes]) => {
      const files = new DataTransfer();
      files.items.add(new File([Uint8Array.from(bytes)], `${kind}.png`, { type: "image/png" }));
      const more = kind === "drop" ? { dataTransfer: files } : { clipboardData: files };
      const event = kind === "drop" ? new DragEvent("drop", { ...more, bubbles: true, cancelable: true })
        : new ClipboardEvent("paste", { ...more, bubbles: true });
      document.body.dispatchEvent(event);
    }"""
    for kind in ("drop", "paste"):
        page.evaluate(give, [kind, list(encoded(photograph(1, 80, 70)))])
        expect(page.locator("#try-state")).to_contain_text(f"{kind}.png: looked at in")


def test_what_is_no_picture_is_a_sentence(opened: Opened, site: Folder):
    """No picture, and one that is too narrow: the page names the file and says why, and goes on."""
    page = opened(site.page("try"))
    chosen = page.locator("#try-file")
    chosen.set_input_files([{"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}])
    expect(page.locator("#try-state")).to_contain_text("notes.txt cannot be looked at: the browser cannot read it")
    tried(page, encoded(photograph(1, 80, 70)))


def test_a_missing_file_is_a_sentence(opened: Opened, site: Folder, tmp_path: Path):
    """A host that left out a file: the page says which, and what may be the cause."""
    place = Path(site.origin.removeprefix("file://"))
    for name in ("static", "try"):
        shutil.copytree(place / name, tmp_path / name)
    shutil.copy(place / "try.html", tmp_path)
    (tmp_path / "try" / "network.js").unlink()
    page = opened(Folder(origin=tmp_path.as_uri()).page("try"))
    page.locator("[data-image]").first.click()
    expect(page.locator("#try-state")).to_contain_text("the network could not be loaded: try/network.js is not there")
    opened.watches[-1].forgive("FILE_NOT_FOUND")  # type: ignore[attr-defined]


def test_it_says_what_it_cannot_without_scripts(opened: Opened, site: Folder):
    """Without scripts there is a sentence, and nothing that would do nothing."""
    page = opened(site.page("try"), java_script_enabled=False)
    expect(page.locator("noscript")).to_have_count(1)
    expect(page.locator("#try-file")).to_be_hidden()
    page.set_viewport_size({"width": 320, "height": 640})


def test_it_is_accessible_and_fits_small_screens(opened: Opened, site: Folder):
    """Before and after an answer axe finds nothing, light and dark; at 320 px nothing is scrolled sideways."""
    page = opened(site.page("try"))
    assert found_by_axe(page) == []
    page.locator("[data-image]").first.click()
    expect(page.locator("#try-answer")).to_be_visible()
    assert found_by_axe(page) == []
    page.emulate_media(color_scheme="dark")
    assert found_by_axe(page, "color-contrast", "link-in-text-block") == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert page.evaluate(TOO_SMALL) == []


def test_loading_and_the_first_answer_are_within_the_budget(opened: Opened, host: Folder):
    """At most 6 MB on the wire before the first answer, on a host that compresses nothing; the answer in a second."""
    page = opened(host.page("try"))
    answer = tried(page, encoded(photograph(2, 640, 480)))
    sizes = page.evaluate("performance.getEntriesByType('resource').map((one) => [one.name, one.encodedBodySize])")
    assert sum(size for _, size in sizes) <= 6_000_000
    assert answer.milliseconds < 1000
