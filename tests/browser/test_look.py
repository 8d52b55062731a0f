"""Any picture at every layer: dropped or pasted on any page, picked from small ones, climbed through, and read."""

import io
import re
from itertools import combinations

from PIL import Image
from playwright.sync_api import Page, expect

from bench.viewer.server import started
from tests.browser.conftest import Opened
from tests.browser.places import SLUG, Server, Shown, Venue
from tests.browser.test_live import drawn

# A file comes, by dropping it on the page's head or by pasting it.
GIVE = """([how, type, name, data]) => {
  const given = new DataTransfer();
  given.items.add(new File([Uint8Array.from(data)], name, { type }));
  const event = how === "drop" ? new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: given })
    : new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: given });
  return !document.querySelector(".masthead").dispatchEvent(event);
}"""


def encoded(number: int) -> list[int]:
    buffer = io.BytesIO()
    drawn(number).save(buffer, "PNG")
    return list(buffer.getvalue())


def test_a_picture_comes_from_any_page(opened: Opened, server: Server, atlas: Shown):
    """Dropped on a layer's page, pasted on a unit's: it is shown at every layer; the browser never opens the file."""
    for how, address in (("drop", server.layer(atlas.layer)), ("paste", server.unit(atlas.layer, atlas.unit))):
        page = opened(address)
        with page.expect_navigation():
            assert page.evaluate(GIVE, [how, "image/png", "mine.png", encoded(3)])
        expect(page.locator("h1")).to_have_text("Your picture at every layer")
        expect(page.locator(".look-layer .firings li").first).to_be_visible()


def test_what_is_no_picture_is_said_where_it_was_dropped(opened: Opened, server: Server, atlas: Shown):
    """The page stays, and a sentence names the file; it can be closed."""
    page = opened(server.network())
    said = page.get_by_role("dialog", name="The dropped picture")
    for type_, name, words in (
        ("text/plain", "words.txt", "words.txt is no picture"),
        ("image/png", "broken.png", "broken.png: the browser cannot"),
    ):
        assert page.evaluate(GIVE, ["drop", type_, name, [1, 2, 3]])
        expect(said).to_contain_text(words)
        said.get_by_role("button", name="Close").click()
        expect(said).to_be_hidden()
    assert page.url == server.network()


def test_without_a_network_a_sentence_says_how_one_is_had(opened: Opened, atlas: Shown):
    """On a server that only shows the atlas the file is not opened either."""
    with started("serve", str(atlas.path)) as found:
        page = opened(f"{found.origin}/{SLUG}/")
        assert page.evaluate(GIVE, ["drop", "image/png", "mine.png", encoded(3)])
        expect(page.get_by_role("dialog", name="The dropped picture")).to_contain_text(
            f"layerscope live {SLUG}.atlas NETWORK"
        )
        page.close()


def test_an_image_is_picked_from_small_ones(opened: Opened, venue: Venue, atlas: Shown):
    """From the head to the images, from a small picture to its page, with boxes and tiles at every layer."""
    page = opened(venue.network())
    page.locator(".masthead a", has_text="Images").click()
    expect(page.locator("h1")).to_have_text("Images")
    small = page.locator(".thumbs a").nth(2)
    image = small.get_attribute("data-image")
    small.click()
    expect(page.locator("h1")).to_contain_text(f"Image {image}")
    section = page.locator(".look-layer").first
    expect(section.locator(".firings li").first).to_be_visible()
    expect(section.locator(".look-boxes g").first).to_be_attached()


def numbers(page: Page, layer: str) -> list[dict[str, float]]:
    return page.evaluate(
        "(name) => [...document.querySelectorAll(`[data-layer='${name}'] .look-boxes text`)].map((one) => {"
        " const { x, y, width, height } = one.getBBox(); return { x, y, width, height }; })",
        layer,
    )


def test_no_number_covers_another(opened: Opened, server: Server, atlas: Shown):
    """At every layer the numbers of the boxes can all be read, as the browser draws them."""
    page = opened(f"{server.page('look')}?image={atlas.image}")
    for layer in atlas.layers:
        found = numbers(page, layer.name)
        for one, other in combinations(found, 2):
            # Of its line a digit takes the middle part.
            apart_across = abs(one["x"] - other["x"]) >= 0.9 * min(one["width"], other["width"])
            apart_down = abs(one["y"] - other["y"]) >= 0.7 * min(one["height"], other["height"])
            assert apart_across or apart_down, layer.name


def test_bars_of_classes_stand_beside_their_names(opened: Opened, server: Server, atlas: Shown):
    """What the browser paints of a bar lies inside the bar's own box, and the box in the middle of its line."""
    page = opened(f"{server.page('look')}?image={atlas.image}")
    line, bar = (page.locator(f".classes {name}").first.bounding_box() for name in ("li", "meter"))
    assert line and bar
    assert abs(line["y"] + line["height"] / 2 - bar["y"] - bar["height"] / 2) < 1
    above = {"x": bar["x"], "y": line["y"], "width": bar["width"], "height": bar["y"] - line["y"] - 1}
    inside = {"x": bar["x"], "y": bar["y"] + 2, "width": bar["width"], "height": bar["height"] - 4}
    painted = [Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB") for clip in (above, inside)]  # type: ignore[arg-type]
    paper = painted[0].getpixel((0, 0))
    of = [{colour for _, colour in one.getcolors(1 << 16) or ()} for one in painted]
    assert of[0] == {paper} and paper not in of[1]


def test_the_layers_are_climbed(opened: Opened, server: Server, atlas: Shown):
    """The button goes up a layer at a time and the address goes with it; keys go down and up; Escape stops it."""
    page = opened(f"{server.page('look')}?image={atlas.image}")
    at = page.locator("[data-at]")
    climb = page.locator("[data-climb]")
    page.keyboard.press("a")
    expect(climb).to_have_attribute("aria-pressed", "true")
    expect(at).to_contain_text(f"{atlas.layers[0].name}, 1 of")
    expect(at).to_contain_text(f"{atlas.layers[1].name}, 2 of")
    page.keyboard.press("Escape")
    expect(climb).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("u")
    expect(at).to_contain_text("1 of")
    page.keyboard.press("o")
    expect(at).to_contain_text("2 of")
    assert page.url.endswith(f"#at-{atlas.layers[1].id}")


def test_whoever_wishes_less_motion_climbs_by_steps(opened: Opened, server: Server, atlas: Shown):
    """One layer a press, and nothing moves by itself."""
    page = opened(f"{server.page('look')}?image={atlas.image}", reduced_motion="reduce")
    climb = page.locator("[data-climb]")
    for number in (1, 2, 3):
        climb.click()
        expect(page.locator("[data-at]")).to_contain_text(f"{number} of")
        expect(climb).to_have_attribute("aria-pressed", "false")


def test_a_unit_and_its_box_are_one_mark(opened: Opened, server: Server, atlas: Shown):
    """Pointing at a unit marks its box among the others."""
    page = opened(f"{server.page('look')}?image={atlas.image}")
    unit = page.locator(".firings li").nth(1)
    unit.hover()
    mark = unit.get_attribute("data-mark")
    expect(page.locator(f".look-boxes g[data-mark='{mark}']").first).to_have_class(re.compile("marked"))
