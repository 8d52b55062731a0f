"""What a unit's name passed, what labels say of it, and images that do not fit theirs, on pages and in an export."""

from layerscope.viewer.export import ExportChoice, export
from layerscope.viewer.pages import Query
from layerscope.viewer.pages.unit import facts
from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import small_atlas
from tests.helpers.books import named_atlas
from tests.helpers.viewing import viewing

NONE = Query()


def test_what_a_name_passed_stands_on_the_page(tmp_path) -> None:
    """A doubtful name gives way to the kinds at the peaks, here and in lists; labels and misfits have their lines."""
    path = named_atlas(tmp_path / "named.atlas")
    shelf = Shelf([path])
    book = shelf.book("named")
    doubtful, stands, untried = (facts(book, NONE, layer="features.1", unit=unit) for unit in (0, 2, 4))
    assert doubtful.standing.kinds == doubtful.at_peaks == "boat 6, ground 3 of nine"
    assert [passed for _, passed in doubtful.standing.tests] == [True, True, False]
    assert (stands.standing.verdict, stands.at_peaks) == ("necessary and sufficient", "boat 9 of nine")
    assert [passed for _, passed in untried.standing.tests] == [True, None, None]
    assert doubtful.labels.best.label == "disc or ring" and untried.labels.best is None
    images = {peak.image for peak in doubtful.peaks}
    assert {one.image for one in doubtful.misfits} == images & {1, 7}
    with viewing(path) as client:
        pages = [client.get(f"/named/l/features.1/u/{unit}").text for unit in (0, 2, 4, 1)]
        layer, first = client.get("/named/l/features.1").text, client.get("/named/i/7").text
    assert (
        "at its peaks: <b>boat 6, ground 3 of nine</b>" in pages[0]
        and f"by overlap {doubtful.guess.concept}" in pages[0]
    )
    assert "by labels of images: <b>disc or ring</b>, AUC 0.95, p 1e-18, 20 images, two labels together" in pages[0]
    assert "sufficient: no" in pages[0] and "sufficient: yes" in pages[1] and "sufficient: not tried" in pages[2]
    assert "closest concept: <b>" in pages[1] and "At its peaks: boat 9 of nine." in pages[1]
    assert "no label of images names it" in pages[2] and "by labels" not in pages[3]
    assert "boat 6, ground 3 of nine" in layer
    assert "Number 1 of the <a href" in first and "disc, or ring?" in first
    for unit in (0, 1, 2, 4):
        listed = {one.image for one in facts(book, NONE, layer="features.1", unit=unit).misfits}
        assert ("not fit" in pages[(0, 2, 4, 1).index(unit)]) == bool(listed)
    shelf.close()


def test_misfits_have_a_page(tmp_path) -> None:
    """In their order, with a picture where the atlas keeps one; without any, neither head nor export has the page."""
    path, layers = named_atlas(tmp_path / "named.atlas"), ("features.1",)
    with viewing(path, small_atlas(tmp_path / "plain.atlas")) as client:
        page, plain = client.get("/named/misfits").text, client.get("/plain/").text
        data = client.get("/named/misfits?format=json").json()
    assert [(one["rank"], one["image"]) for one in data["images"]] == [(1, 7), (2, None), (3, 1)]
    assert (data["listed"], data["judged"], data["elsewhere"]) == (3, 30, 1)
    assert page.count("or ring?") == 3 and "elsewhere.png" in page and "One image of these labels is not" in page
    assert 'href="/named/i/7"' in page or 'href="i/7"' in page
    assert "Misfits" in page and "Misfits" not in plain
    export(path, tmp_path / "site", ExportChoice(layers=layers))
    assert "or ring?" in (tmp_path / "site" / "misfits.html").read_text()
    export(path, tmp_path / "bare", ExportChoice(layers=layers, photographs=False))
    assert not (tmp_path / "bare" / "misfits.html").exists()
    assert not any("elsewhere.png" in file.read_text() for file in (tmp_path / "bare").rglob("*.html"))
