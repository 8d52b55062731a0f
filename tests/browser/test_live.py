"""The live page with a camera that shows one known picture; pictures that are dropped in; and when it cannot go on."""

import io
import itertools
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, expect

from bench.viewer.browser import CAMERA, camera_of, launched
from bench.viewer.server import started
from layerscope.atlas.read import AtlasFile
from layerscope.models import load
from layerscope.sources import open_source
from layerscope.world import World
from tests.browser.conftest import TESTED, Opened
from tests.browser.made import NETWORK, PICTURES, SEED
from tests.browser.places import Server, Shown
from tests.browser.waiting import PATIENCE_MS

# Of a picture that the page sends: its kind, and where its clock stands.
PICTURE_MESSAGE, CLOCK = 1, struct.Struct("<d")
LISTEN = """() => {
  window.answers = 0;
  document.getElementById("live").addEventListener("live-answer", () => { window.answers += 1; });
}"""

# A film of a disc that moves, as the bytes of a WebM file.
RECORD = """() => new Promise((done) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 120 });
  const pen = canvas.getContext("2d"), recorder = new MediaRecorder(canvas.captureStream(), { mimeType: "video/webm" });
  const parts = [];
  let drawn = 0;
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.onstop = async () => done([...new Uint8Array(await new Blob(parts).arrayBuffer())]);
  const draw = () => {
    pen.fillStyle = "gray";
    pen.fillRect(0, 0, 160, 120);
    pen.fillStyle = "gold";
    pen.beginPath();
    pen.arc(20 + 3 * drawn, 60, 15, 0, 7);
    pen.fill();
    drawn += 1;
    if (drawn < 40) requestAnimationFrame(draw);
    else recorder.stop();
  };
  recorder.start();
  draw();
})"""


def drawn(number: int) -> Image.Image:
    """A picture of the atlas, as the scan got it."""
    return World(PICTURES, seed=SEED)[number][0]


def on_camera(number: int) -> Image.Image:
    """The same, large, in the middle of what a camera gives: the network looks at just that square."""
    frame = Image.new("RGB", (640, 480), (128, 128, 128))
    frame.paste(drawn(number).resize((480, 480), Image.Resampling.BICUBIC), (80, 0))
    return frame


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    """The picture that the network is surest of, as a camera would show it, and the class that the library gives it."""
    folder, loaded = tmp_path_factory.mktemp("frames"), load(NETWORK)
    assert loaded.input is not None and isinstance(loaded.model, torch.nn.Module)
    for number in range(16):
        on_camera(number).save(folder / f"{number:02d}.png")
    pixels = open_source(folder).load(range(16), loaded.input).pixels
    with torch.inference_mode():
        shares = loaded.model.eval()(torch.from_numpy(pixels)).softmax(1)
    surest = int(shares.max(1).values.argmax())
    return surest, loaded.classes[int(shares[surest].argmax())]


@pytest.fixture(scope="module")
def camera(
    playwright: Playwright, known: tuple[int, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser whose camera shows the known picture."""
    buffer = io.BytesIO()
    on_camera(known[0]).save(buffer, "JPEG", quality=95)
    film = tmp_path_factory.mktemp("film") / "film.mjpeg"
    browser = launched(playwright, *camera_of([buffer.getvalue()] * 4, film), names=TESTED)
    yield browser
    browser.close()


def state(page: Page, words: str) -> None:
    expect(page.locator("#state")).to_contain_text(words)


def strong(page: Page, unit: int) -> Any:
    """The button of a unit among the strongest."""
    return page.locator(f"#strongest button[data-unit='{unit}']")


def pressed(page: Page, name: str) -> str | None:
    return page.locator(f"#{name}").get_attribute("aria-pressed")


def answered(page: Page, least: int = 1) -> None:
    """Wait until so many more answers are painted, of a camera or a film, which go on asking."""
    before = page.evaluate("window.answers")
    for _ in range(PATIENCE_MS // 100):
        if page.evaluate("window.answers") >= before + least:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"no answer was painted; the page says: {page.inner_text('#state')}")


@pytest.fixture
def live(opened: Opened, server: Server, camera: Browser) -> Page:
    """The live page, with the camera on."""
    page = opened(server.page("live"), browser=camera)
    state(page, "Ready")
    page.evaluate(LISTEN)
    page.keyboard.press("c")
    state(page, "Live from the camera")
    answered(page)
    return page


def test_the_cameras_top_class_is_the_librarys(live: Page, known: tuple[int, str]):
    """What stands before the camera is called what the library calls it; rate and latency are shown."""
    expect(live.locator("#classes li").first).to_contain_text(known[1])
    expect(live.locator("#classes li")).to_have_count(5)
    assert float(live.inner_text("#latency")) > 0
    answered(live, 3)
    assert float(live.inner_text("#rate")) > 0
    assert pressed(live, "camera") == "true"


def test_keys_freeze_choose_pin_and_step(live: Page, atlas: Shown):
    """f stops and goes on; arrows choose a unit; d keeps it while o changes the layer; b changes the method."""
    live.keyboard.press("f")
    state(live, "Frozen")
    assert pressed(live, "freeze") == "true"
    live.keyboard.press("o")
    expect(live.locator("#layer")).to_have_value("1")
    live.keyboard.press("u")
    expect(live.locator("#layer")).to_have_value("0")
    live.keyboard.press("ArrowRight")
    expect(live.locator("#chosen")).to_be_visible()
    first = live.inner_text("#unit-link")
    live.keyboard.press("l")
    expect(live.locator("#unit-link")).not_to_have_text(first)
    chosen = live.inner_text("#unit-link")
    live.keyboard.press("d")
    assert pressed(live, "pin") == "true"
    live.keyboard.press("o")
    expect(live.locator("#layer")).to_have_value("1")
    expect(live.locator("#unit-link")).to_have_text(chosen)
    method = live.locator("#method").input_value()
    live.keyboard.press("b")
    expect(live.locator("#method")).not_to_have_value(method)
    expect(live.locator("#shot-method")).to_have_text(live.locator("#method").input_value())
    live.keyboard.press("Escape")
    expect(live.locator("#chosen")).to_be_hidden()
    live.keyboard.press("f")
    state(live, "Live from the camera")


def test_keys_change_what_is_shown(live: Page):
    """t and T the contrast, 8 the classes, z the size of the picture, s that of the nine best."""
    live.keyboard.press("t")
    expect(live.locator("#gain")).to_have_text("x 2")
    live.keyboard.press("T")
    expect(live.locator("#gain")).to_have_text("x 1")
    live.keyboard.press("8")
    expect(live.locator("#top")).to_be_hidden()
    live.keyboard.press("z")
    expect(live.locator("#live")).to_have_class(re.compile("zoomed"))
    live.keyboard.press("s")
    expect(live.locator("#live")).to_have_class(re.compile("best"))
    live.keyboard.press("Escape")
    expect(live.locator("#live")).not_to_have_class(re.compile("zoomed|best"))


def test_the_strongest_hold_still(live: Page):
    """Their buttons outlive an answer: whoever has one under the finger or in focus keeps it, and the click counts."""
    button = live.locator("#strongest button").first
    button.focus()
    answered(live, 3)
    expect(button).to_be_focused()
    live.keyboard.press("Enter")
    expect(live.locator("#chosen")).to_be_visible()


def test_each_of_three_methods_carries_back(live: Page):
    """Of one picture: in a deep layer each method has its own, and the first again is the same again."""
    for _ in range(2):
        live.keyboard.press("o")
    answered(live, 2)
    live.locator("#strongest button").first.click()
    shown = []
    for _ in range(4):
        live.keyboard.press("b")
        # The first answer may be to what was asked before the key.
        answered(live, 2)
        shown.append(live.evaluate("document.getElementById('shot').toDataURL()"))
    assert len(set(shown)) == 3
    assert shown[0] == shown[3]


def test_a_picture_gives_what_the_scan_found(opened: Opened, server: Server, atlas: Shown, tmp_path: Path):
    """The file of a unit's best image: the same activation at the same place as in the atlas."""
    with AtlasFile(atlas.path) as file:
        peak = file.peaks(atlas.layer.id, atlas.unit)[0]
    drawn(atlas.image).save(tmp_path / "best.png")
    page = opened(server.page("live"))
    state(page, "Ready")
    page.set_input_files("#file", tmp_path / "best.png")
    state(page, "best.png")
    page.locator("#layer").select_option(label=atlas.layer.name)
    strong(page, atlas.unit).click()
    value = page.locator("#value")
    expect(value).to_contain_text(f"at row {peak.row}, column {peak.col}")
    assert float(value.inner_text().split()[0]) == pytest.approx(peak.value, rel=0.01)
    expect(page.locator("#closest")).to_contain_text(atlas.name)


def test_a_picture_can_be_dropped(opened: Opened, server: Server, tmp_path: Path):
    """Dropped anywhere on the page; what is neither picture nor video is refused in words."""
    page = opened(server.page("live"))
    state(page, "Ready")
    drop = """([type, name, data]) => {
      const given = new DataTransfer();
      given.items.add(new File([Uint8Array.from(data)], name, { type }));
      document.getElementById("live").dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer: given }));
    }"""
    buffer = io.BytesIO()
    drawn(1).save(buffer, "PNG")
    page.evaluate(drop, ["image/png", "dropped.png", list(buffer.getvalue())])
    state(page, "dropped.png")
    expect(page.locator("#classes li")).to_have_count(5)
    page.evaluate(drop, ["text/plain", "words.txt", [1, 2, 3]])
    state(page, "words.txt is neither a picture nor a video")
    page.evaluate(drop, ["video/webm", "broken.webm", [1, 2, 3]])
    state(page, "broken.webm: the browser cannot read this video")
    page.evaluate(drop, ["image/png", "dropped.png", list(buffer.getvalue())])
    expect(page.locator("#classes li")).to_have_count(5)
    page.evaluate(drop, ["image/png", "broken.png", [1, 2, 3]])
    state(page, "broken.png: the browser cannot read this picture")
    # Nothing of the last picture stays beside it.
    expect(page.locator("#classes li")).to_have_count(0)
    expect(page.locator("#empty")).to_be_visible()


def test_a_video_is_played(opened: Opened, server: Server, tmp_path: Path):
    """A film of a chosen file goes to the network picture by picture; f holds it, and lets it go on."""
    page = opened(server.page("live"))
    state(page, "Ready")
    # No other program is asked for a film: the browser records one.
    (tmp_path / "film.webm").write_bytes(bytes(page.evaluate(RECORD)))
    page.evaluate(LISTEN)
    page.set_input_files("#file", tmp_path / "film.webm")
    state(page, "Playing the video")
    answered(page, 3)
    expect(page.locator("#classes li")).to_have_count(5)
    page.keyboard.press("f")
    state(page, "Frozen")
    page.keyboard.press("f")
    state(page, "Playing the video")
    answered(page, 2)


def test_pictures_of_the_atlas_follow_one_another(opened: Opened, server: Server):
    """e: the first of them, then the next; w: back."""
    page = opened(server.page("live"))
    state(page, "Ready")
    seen = []
    for key in ("e", "e", "w"):
        before = page.inner_text("#state")
        page.keyboard.press(key)
        expect(page.locator("#state")).not_to_have_text(before)
        state(page, "of the atlas")
        seen.append(page.inner_text("#state"))
    assert seen[0] == seen[2] != seen[1]


def test_a_picture_is_looked_at_at_every_layer(opened: Opened, server: Server, atlas: Shown, tmp_path: Path):
    """From the live page to a page of the picture, with every layer's strongest units; its address brings it back."""
    page = opened(server.page("live"))
    state(page, "Ready")
    drawn(2).save(tmp_path / "mine.png")
    page.set_input_files("#file", tmp_path / "mine.png")
    expect(page.locator("#classes li")).to_have_count(5)
    page.get_by_role("button", name="This picture at every layer").click()
    expect(page.locator("h1")).to_contain_text("at every layer")
    expect(page.locator(".look-layer")).to_have_count(len(atlas.layers))
    address = page.url
    page.goto(server.home())
    page.goto(address)
    expect(page.locator(".look-layer .firings li").first).to_be_visible()


def test_a_denied_camera_is_said(opened: Opened, server: Server, playwright: Playwright):
    """A browser that has a camera and does not give it: why, what to do, and that pictures work."""
    browser = launched(playwright, CAMERA[0], f"{CAMERA[1]}=deny", names=TESTED)
    page = opened(server.page("live"), browser=browser)
    state(page, "Ready")
    page.keyboard.press("c")
    state(page, "the camera was not allowed")
    state(page, "pictures work without it")
    browser.close()


REFUSED = "(error) => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', error)); }"


def test_a_camera_that_cannot_be_had_is_said(opened: Opened, server: Server):
    """None there; another program's; and at an address where browsers give none, the command that leads to another."""
    page = opened(server.page("live"))
    state(page, "Ready")
    for error, words in (
        ("NotFoundError", "no camera was found"), ("NotReadableError", "another program uses the camera"),
    ):  # fmt: skip
        page.evaluate(REFUSED, error)
        page.keyboard.press("c")
        state(page, words)
    page.evaluate("Object.defineProperty(window, 'isSecureContext', { value: false })")
    page.keyboard.press("c")
    state(page, "ssh -L")


def test_a_server_that_ends_is_seen_and_found_again(opened: Opened, atlas: Shown, camera: Browser):
    """The page says that it has stopped, and marks the picture as no longer live; once it is back, it goes on."""
    with started("live", str(atlas.path), NETWORK) as found:
        page = opened(Server(origin=found.origin).page("live"), browser=camera)
        state(page, "Ready")
        page.evaluate(LISTEN)
        page.keyboard.press("c")
        answered(page)
    state(page, "Stopped")
    expect(page.locator("#live")).to_have_class(re.compile("stopped"))
    with started("live", str(atlas.path), NETWORK, port=int(found.origin.rpartition(":")[2])):
        state(page, "Live from the camera")
        expect(page.locator("#live")).not_to_have_class(re.compile("stopped"))
        answered(page)
        page.close()
    # What a browser says of a server that is gone is no fault of the page.
    opened.watches[-1].forgive("ERR_CONNECTION")


def test_fewer_pictures_where_less_motion_is_wished(opened: Opened, server: Server, camera: Browser):
    """prefers-reduced-motion: half a second between pictures, by their own clocks, until the reader asks for more."""
    page = opened(server.home(), browser=camera, reduced_motion="reduce")
    sent: list[bytes | str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda message: sent.append(message)))
    page.goto(server.page("live"))
    state(page, "Ready")
    page.evaluate(LISTEN)
    page.keyboard.press("c")
    # One of them is to the first picture once more, with the strongest unit chosen.
    answered(page, 5)
    pictures = [one for one in sent if isinstance(one, bytes) and one[1] == PICTURE_MESSAGE]
    clocks = [CLOCK.unpack_from(one, 8)[0] for one in pictures]
    assert len(clocks) >= 4
    assert all(later - earlier >= 500 for earlier, later in itertools.pairwise(clocks))
    page.get_by_role("button", name="Full speed").click()
    assert pressed(page, "play") == "true"


def test_the_strongest_unit_is_shown_at_once(opened: Opened, server: Server, atlas: Shown):
    """With the first answer, and again in the next layer; a unit without tiles says so and shows no empty pictures."""
    page = opened(server.page("live"))
    state(page, "Ready")
    page.locator(".thumbs a").first.click()
    expect(page.locator("#chosen")).to_be_visible()
    first = page.locator("#strongest button").first
    expect(page.locator("#unit-link")).to_contain_text(
        f"Unit {first.get_attribute('data-unit')} of {atlas.layers[0].name}"
    )
    page.keyboard.press("o")
    expect(page.locator("#unit-link")).to_contain_text(atlas.layers[1].name)
    expect(page.locator("#layer")).to_have_value("1")
    bare = page.locator("#strongest button.bare").first
    bare.click()
    expect(page.locator("#before")).to_be_hidden()
    expect(page.locator("#bare")).to_be_visible()


def test_all_that_is_shown_stands_in_the_address(opened: Opened, server: Server, atlas: Shown):
    """Image, layer, unit, method and contrast: the address alone brings them again, and so does Back."""
    page = opened(server.page("live"))
    state(page, "Ready")
    page.locator(".thumbs a").nth(1).click()
    image = page.locator(".thumbs a").nth(1).get_attribute("data-image")
    page.locator("#layer").select_option(label=atlas.layer.name)
    button = page.locator("#strongest button").nth(2)
    expect(page.locator("#unit-link")).to_contain_text(atlas.layer.name)
    button.click()
    unit = button.get_attribute("data-unit")
    page.keyboard.press("b")
    page.keyboard.press("t")
    method, value = page.locator("#method").input_value(), page.locator("#value")
    expect(value).to_contain_text("of its highest")
    said = value.inner_text()
    for word in (f"image={image}", f"unit={unit}", f"method={method}", "contrast=2", f"layer={atlas.layer.name}"):
        assert word in page.url
    address = page.url
    page.get_by_role("button", name="This picture at every layer").click()
    expect(page.locator("h1")).to_contain_text(f"Image {image}")
    page.go_back()
    for _ in range(2):
        expect(page.locator("#unit-link")).to_have_text(f"Unit {unit} of {atlas.layer.name}")
        expect(value).to_have_text(said)
        expect(page.locator("#method")).to_have_value(method)
        expect(page.locator("#gain")).to_have_text("x 2")
        state(page, f"Image {image} of the atlas")
        page.goto(server.home())
        page.goto(address)


def test_a_picture_of_ones_own_has_an_address_too(opened: Opened, server: Server, tmp_path: Path):
    """As long as the server keeps it: reload shows it again."""
    drawn(5).save(tmp_path / "mine.png")
    page = opened(server.page("live"))
    state(page, "Ready")
    page.set_input_files("#file", tmp_path / "mine.png")
    expect(page.locator("#classes li")).to_have_count(5)
    page.wait_for_url(re.compile("picture=[0-9a-f]{64}"))
    taken = page.locator("#classes li").all_inner_texts()
    page.reload()
    expect(page.locator("#classes li")).to_have_count(5)
    assert page.locator("#classes li").all_inner_texts() == taken
    page.goto(f"{server.page('live')}?picture={'0' * 64}&layer=nothing&unit=x&method=magic")
    state(page, "kept no longer")
    opened.watches[-1].forgive("404")


def test_a_file_that_comes_too_early_is_not_lost(opened: Opened, server: Server, tmp_path: Path):
    """Chosen while the page still asks what there is to see."""
    drawn(1).save(tmp_path / "early.png")
    page = opened(server.home())
    waiting: list[Any] = []
    page.route("**/live?format=json", lambda route: waiting.append(route))
    page.goto(server.page("live"))
    state(page, "Connecting")
    page.set_input_files("#file", tmp_path / "early.png")
    waiting[0].continue_()
    state(page, "early.png")
    expect(page.locator("#classes li")).to_have_count(5)


HIDDEN = """async (name) => {
  const pixels = document.getElementById(name).getContext("2d").getImageData(0, 0, 8, 8).data;
  return [...pixels.slice(0, 3)];
}"""


@pytest.mark.parametrize("hidden", [0, 255])
def test_what_the_network_gets_is_what_is_shown(opened: Opened, server: Server, tmp_path: Path, hidden: int):
    """A transparent picture: its hidden colours, which the network is given, and not the page behind it."""
    Image.new("RGBA", (64, 64), (hidden, hidden, hidden, 0)).save(tmp_path / "clear.png")
    page = opened(server.page("live"))
    state(page, "Ready")
    page.set_input_files("#file", tmp_path / "clear.png")
    expect(page.locator("#classes li")).to_have_count(5)
    assert page.evaluate(HIDDEN, "stage") == [hidden] * 3


CUT_WORDS = """() => [...document.querySelectorAll("#strongest span")].flatMap((element) => {
  const text = element.firstChild;
  return [...(text ? text.data.matchAll(/[a-z]+/gi) : [])].filter((word) => {
    const range = document.createRange();
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    return new Set([...range.getClientRects()].map((line) => Math.round(line.top))).size > 1;
  }).map((word) => word[0]);
})"""


def test_names_of_the_strongest_are_whole_words(opened: Opened, server: Server):
    """On a phone, on a desk and on a projector, also beside a large picture, no name breaks within a word."""
    page = opened(f"{server.page('live')}?image=1")
    expect(page.locator("#strongest button")).to_have_count(9)
    for width in (400, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        for _ in range(2):
            assert page.evaluate(CUT_WORDS) == []
            page.locator("[data-do=zoom]").click()


def test_a_broken_file_leaves_nothing_of_the_last_picture(opened: Opened, server: Server, tmp_path: Path):
    """Neither its classes nor how long it took."""
    drawn(1).save(tmp_path / "good.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    page = opened(server.page("live"))
    state(page, "Ready")
    page.set_input_files("#file", tmp_path / "good.png")
    expect(page.locator("#latency")).not_to_have_text("–")
    page.set_input_files("#file", tmp_path / "broken.png")
    state(page, "broken.png")
    expect(page.locator("#classes li")).to_have_count(0)
    assert [page.locator(f"#{name}").text_content() for name in ("rate", "latency", "model")] == ["–"] * 3


def test_live_without_scripts(opened: Opened, server: Server):
    """The sentence comes first, no control that could do nothing is there, and images lead to pages that work."""
    page = opened(server.page("live"), java_script_enabled=False)
    expect(page.locator("noscript p").first).to_be_visible()
    for hidden in ("#state", "#camera", "#mosaic"):
        expect(page.locator(hidden)).to_be_hidden()
    page.locator(".thumbs a").first.click()
    expect(page.locator("h1")).to_contain_text("at every layer")
    expect(page.locator(".firings li").first).to_be_visible()
