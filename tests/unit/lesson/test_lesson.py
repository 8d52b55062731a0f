"""The lesson: chapters by what is new at their depth, units by level, then agreement; boxes that are the fields'."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.write import AtlasWriter
from layerscope.core.concepts import (
    ConceptScore,
    Intervention,
    Necessity,
    Sufficiency,
    UnitConcept,
    UnitInterventions,
)
from layerscope.core.shares import MadeOf, UnitShare
from layerscope.facts.places import place_of
from layerscope.lesson.chapters import KnownUnits, chapter_layers, chosen_units, shares, themes_of, units_with_tiles
from layerscope.lesson.kinship import kinship
from layerscope.lesson.lesson import lesson_of
from layerscope.lesson.showing import UnitShows, _by_name, _by_peaks, looked_at, shown_by
from layerscope.lesson.themes import LEVELS, THEMES, theme_of
from layerscope.world.concepts import CONCEPTS
from tests.helpers.atlases import small_atlas
from tests.helpers.books import full_atlas, named_atlas


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtlasFile]:
    """Its first layer's names were tried; units 0 and 2 are known better than by overlap."""
    with AtlasFile(named_atlas(tmp_path_factory.mktemp("lesson") / "named.atlas")) as opened:
        yield opened


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtlasFile]:
    """Nobody named anything: classes and patches are all there is."""
    with AtlasFile(small_atlas(tmp_path_factory.mktemp("lesson") / "plain.atlas")) as opened:
        yield opened


def shows(unit: int, theme: str, thing: str, *, alike: float = 0.0, score: float = 0.1) -> UnitShows:
    return UnitShows(unit=unit, by="concept", thing=thing, theme=THEMES[theme], phrase=thing, alike=alike, score=score)


# --- themes


def test_every_concept_of_the_world_has_its_theme() -> None:
    """Its level's, but for a gradient, which is no shape; the first level parts into lines and colours."""
    assert theme_of("gradient", 2) == THEMES["colours"]
    for concept in (one for one in CONCEPTS if one.name != "gradient"):
        assert theme_of(concept.name, concept.level).level == concept.level
        assert (theme_of(concept.name, concept.level).name == "lines") == concept.name.startswith("edge ")
    assert {theme.level for theme in THEMES.values()} == set(LEVELS)


@pytest.mark.parametrize(
    ("category", "theme"),
    [("color", "colours"), ("Part", "parts"), ("texture", "patterns"), ("animal", "things"), ("", "things")],
)
def test_categories_of_photographs_have_themes(category: str, theme: str) -> None:
    """What is not a colour, a texture or a part is a thing."""
    assert theme_of("sky", None, category).name == theme


def test_a_chapter_is_about_what_is_new() -> None:
    """Lines first; shapes where lines only become fewer; parts, though things are more, where things are told later."""
    found = [
        {"lines": 0.7, "colours": 0.3},
        {"lines": 0.5, "colours": 0.1, "shapes": 0.1},
        {"lines": 0.2, "things": 0.35, "parts": 0.15},
        {"things": 0.6, "parts": 0.1},
    ]
    assert [one.name for one in themes_of(found) if one] == ["lines", "shapes", "parts", "things"]


def test_what_is_told_again_counts_half() -> None:
    """Two layers of whole things and of little else are both about them."""
    assert [one.name for one in themes_of([{"things": 0.3}, {"things": 0.8, "parts": 0.05}]) if one] == ["things"] * 2


def test_chapters_without_a_theme() -> None:
    """Where nothing is known of a layer's units it has none, and the others theirs; no chapters have no themes."""
    first, second = themes_of([{}, {"lines": 0.4}])
    assert first is None and second == THEMES["lines"] and themes_of([]) == ()


def test_a_theme_needs_three_units() -> None:
    """Of twelve units that were asked, unless no theme has as many."""
    known = [shows(n, "lines", "edge 0") for n in range(3)] + [shows(n, "things", "car") for n in (4, 5)]

    def of_twelve(ones: list[UnitShows]) -> dict[str, float]:
        return shares(KnownUnits(of=12, units=tuple(ones)))

    assert of_twelve(known) == {"lines": 3 / 12}
    assert of_twelve(known[2:]) == {"lines": 1 / 12, "things": 2 / 12} and of_twelve([]) == {}


# --- units


def test_units_are_chosen_by_level_then_agreement_then_score(file: AtlasFile) -> None:
    """Each another thing: the part that is agreed on before the better scored; things and shapes only to fill up."""
    layer = file.layers[1]
    known = [
        shows(0, "parts", "wing", alike=0.5, score=0.9),
        shows(1, "parts", "ear", alike=0.9, score=0.1),
        shows(2, "parts", "ear", alike=0.8, score=0.8),
        shows(3, "things", "car", alike=1.0, score=0.9),
        shows(4, "shapes", "ring", alike=1.0, score=0.9),
        shows(5, "parts", "fin", alike=0.504, score=0.95),
    ]
    assert [one.unit for one in chosen_units(file, layer, THEMES["parts"], known, 3)] == [1, 5, 0]
    assert [one.unit for one in chosen_units(file, layer, THEMES["parts"], known, 9)] == [1, 5, 0, 3, 4]
    assert chosen_units(file, layer, THEMES["parts"], [], 3) == ()


def scored(concept: str, level: int) -> ConceptScore:
    return ConceptScore(concept=concept, level=level, score=0.3, iou=0.3, frequency=0.1)


def test_a_name_that_stands_is_as_good_as_nine_that_agree() -> None:
    """Both tests: 1; one of both: a half; and what the peaks show of a thing, whichever is more."""
    takes = Necessity(gone=0.92, low=0.8, high=1.0, control=0.1, pictures=20, more=19, untied=20, p=0.001)
    gives = Sufficiency(reached=0.8, low=0.7, high=0.9, pictures=48, rival="", rival_reached=0.0, p=0.001)
    both, one = (
        UnitInterventions(unit=7, tried=(Intervention(concept="ring", level=2, necessity=takes, sufficiency=last),))
        for last in (gives, None)
    )
    found, half = _by_name(scored("ring", 2), both), _by_name(scored("ring", 2), one)
    assert (found.unit, found.alike, half.alike, found.phrase) == (7, 1.0, 0.5, "a ring")
    assert found.because.startswith("Taken out of pictures, it takes 92 % of the activation with it; alone on plain")
    seen = _by_name(scored("car", 5), UnitInterventions(unit=1, kinds=(("car", 8), ("boat", 1))))
    assert (seen.alike, seen.because) == (8 / 9, "Eight of nine patches show a car.")
    line = _by_name(scored("edge 90", 1), UnitInterventions(unit=1, kinds=(("snail", 9),)))
    assert (line.alike, line.theme, line.phrase) == (0.0, THEMES["lines"], "a vertical edge")


def test_a_doubtful_name_gives_way_to_what_the_peaks_show() -> None:
    """If two thirds of them agree; grounds are no things."""
    kinds = {"snail": (5, ""), "star": (3, "")}
    found = _by_peaks(UnitInterventions(unit=3, kinds=(("snail", 9),)), 0.4, kinds)
    assert found is not None and (found.thing, found.alike) == ("snail", 1.0)
    assert found.because == "All nine patches show a snail."
    assert _by_peaks(UnitInterventions(unit=3, kinds=(("snail", 5), ("star", 4))), 0.4, kinds) is None
    assert _by_peaks(UnitInterventions(unit=3, kinds=(("ground", 9),)), 0.4, kinds) is None
    star = _by_peaks(UnitInterventions(unit=3, kinds=(("star", 6), ("ground", 3))), 0.4, kinds)
    assert star is not None and star.theme == THEMES["patterns"] and star.because == "Six of nine patches show a star."


def test_what_an_atlas_knows_of_units(file: AtlasFile, plain: AtlasFile) -> None:
    """Names where there are any: of unit 0, whose name is doubtful, what six of nine peaks show; else the class of more
    than half of the peaks, or that the network finds their pictures alike."""
    by = {one.unit: one for one in shown_by(file, file.layers[0], range(12))}
    assert (by[0].by, by[0].thing, by[2].by) == ("peaks", "boat", "concept") and by[2].alike == 1.0
    assert {unit for unit in by if unit % 2} == set()
    for one in shown_by(plain, plain.layers[1], range(12)):
        labels = [plain.image(peak.image).label for peak in plain.peaks(1, one.unit)]
        count = labels.count(one.thing)
        if one.by == "class":
            assert count == max(Counter(labels).values()) > len(labels) / 2 and one.alike == count / len(labels)
        else:
            assert one.by == "kin" and kinship(plain, plain.layers[1], range(12))[one.unit].alike == one.alike
    assert shown_by(plain, plain.layers[1], ()) == ()


def test_two_peaks_say_less_than_nine(plain: AtlasFile) -> None:
    """The last live unit has two of nine: however alike their patches are, they agree by two ninths at most."""
    layer = plain.layers[1]
    assert len(plain.peaks(layer.id, 10)) == 2
    assert 0 < looked_at(plain, layer, shows(10, "colours", "red")).alike <= 2 / 9
    assert looked_at(plain, layer, UnitShows(unit=10)).alike <= 2 / 9


# --- chapters, the picture, the whole


def test_chapters_are_layers_with_projections(file: AtlasFile) -> None:
    """Two of the three: the dense one has none. Units have tiles, each another thing, none is dead."""
    lesson = lesson_of(file)
    assert [chapter.layer.name for chapter in lesson.chapters] == ["features.1", "features.4"]
    assert [chapter.place for chapter in lesson.chapters] == [1, 2] and lesson.named
    for chapter in lesson.chapters:
        assert len(chapter.units) == 3 and chapter.tiles
        assert {one.unit for one in chapter.units} <= units_with_tiles(file, chapter.layer) - {11}
        assert len({one.shows.thing for one in chapter.units if one.shows.thing}) == len(
            [one for one in chapter.units if one.shows.thing]
        )


def test_five_chapters_of_many_layers(tmp_path: Path) -> None:
    """The first, the last and three between; of as many layers or fewer, each."""
    path = small_atlas(tmp_path / "deep.atlas", units=2, images=6, k=2)
    with closing(sqlite3.connect(path)) as atlas, atlas:
        columns = [row[1] for row in atlas.execute("PRAGMA table_info(layer)") if row[1] not in ("id", "name", "path")]
        for new in range(3, 17):
            names = ", ".join(columns)
            atlas.execute(
                f"INSERT INTO layer (id, name, path, {names}) SELECT ?, ?, ?, {names} FROM layer WHERE id = 1",
                (new, f"deep.{new}", f"deep.{new}"),
            )
            held = [row[1] for row in atlas.execute("PRAGMA table_info(sheet)") if row[1] not in ("id", "layer")]
            atlas.execute(
                f"INSERT INTO sheet (layer, {', '.join(held)}) SELECT ?, {', '.join(held)} FROM sheet WHERE layer = 1",
                (new,),
            )
    with AtlasFile(path) as file:
        found = chapter_layers(file)
        with_projections = [layer for layer in file.layers if layer.method]
        places = [with_projections.index(layer) for layer in found]
    assert len(with_projections) == 16 and places[0] == 0 and places[-1] == 15 and len(places) == 5
    assert max(np.diff(places)) - min(np.diff(places)) <= 1


def test_the_sentence_counts_the_units(file: AtlasFile) -> None:
    """How large the field is of the picture, and how many units answer to what: those whose names will do."""
    first = lesson_of(file).chapters[0]
    known = Counter(one.theme.name for one in shown_by(file, first.layer, range(12)) if one.theme)
    assert first.theme is not None
    count = known[first.theme.name]
    assert first.sentence.startswith("A unit here sees 7 × 7 px of the picture's 64 × 64; of 12 units ")
    assert f" {count} answer{'s' if count == 1 else ''} to {first.theme.seen}" in first.sentence


def test_the_followed_pictures_boxes_are_the_fields(file: AtlasFile) -> None:
    """It has a peak in every chapter if any picture has, and its boxes are those of these peaks."""
    lesson = lesson_of(file)
    picture = lesson.picture
    assert picture is not None
    layers = [chapter.layer for chapter in lesson.chapters]
    common = set.intersection(*(set(file.all_peaks(layer.id).image.ravel().tolist()) - {-1} for layer in layers))
    assert common and picture.image in common
    record = file.image(picture.image)
    assert (picture.height, picture.width) == (record.height, record.width)
    for step, layer in zip(picture.steps, layers, strict=True):
        assert step.layer == layer and step.unit is not None and step.rank is not None
        peak = file.peaks(layer.id, step.unit)[step.rank]
        field = place_of(file, layer, peak, record).field
        assert peak.image == picture.image and step.field == field and not step.whole


def test_the_followed_picture_is_one_of_units_with_patches(tmp_path: Path) -> None:
    """Where only the last units of each layer have any, it is a peak of one of these, though earlier ones have more."""
    path = small_atlas(tmp_path / "few.atlas")
    with closing(sqlite3.connect(path)) as atlas, atlas:
        atlas.execute("DELETE FROM sheet WHERE unit < 9")
    with AtlasFile(path) as file:
        picture = lesson_of(file).picture
        assert picture is not None
        patched = [file.units_with_sheets(step.layer.id, "patches") for step in picture.steps]
        pairs = list(zip(picture.steps, patched, strict=True))
        rows = [file.all_peaks(step.layer.id).image[sorted(units)] for step, units in pairs]
    seen = Counter(image for row in rows for image in np.unique(row).tolist())
    assert seen[picture.image] == max(count for image, count in seen.items() if image >= 0)
    assert sum(step.unit in units for step, units in pairs) == seen[picture.image]


def test_only_what_can_be_looked_at_is_taken_apart(tmp_path: Path) -> None:
    """A tree of parts none of which has patches is none."""
    path = small_atlas(tmp_path / "apart.atlas")
    part = UnitShare(unit=4, share=0.6, spread=0.1, row=0, col=0)
    with AtlasWriter.resume(path) as writer:
        for unit in range(12):
            made_of = MadeOf(
                layer="features.4", unit=unit, earlier="features.1", peaks=9, units=0.6, constants=0.4, past=0.0,
                rest=0.0, strongest=(part,),
            )  # fmt: skip
            writer.put_made_of(1, {0: made_of})
    with AtlasFile(path) as file:
        tree = lesson_of(file).tree
    assert tree is not None and [one.unit for one in tree.parts] == [4]
    with closing(sqlite3.connect(path)) as atlas, atlas:
        atlas.execute("DELETE FROM sheet WHERE kind = 'patches' AND layer = 0")
    with AtlasFile(path) as file:
        assert lesson_of(file).tree is None


def test_a_layer_without_a_peak_there_shows_its_middle(tmp_path: Path) -> None:
    """The field of the middle of its map, as the input lies on the picture: twice as large, and 20 px to the right."""
    path = small_atlas(tmp_path / "middle.atlas")
    with closing(sqlite3.connect(path)) as atlas, atlas:
        atlas.execute("DELETE FROM peak WHERE layer = 1")
    with AtlasFile(path) as file:
        picture = lesson_of(file).picture
        assert picture is not None
        (step,) = (one for one in picture.steps if one.layer.id == 1)
        field = file.layers[1].record.field.box(8, 8)
    assert (step.unit, step.rank) == (None, None)
    found = (step.field.top, step.field.left, step.field.bottom, step.field.right)
    expected = (2 * field.top, 20 + 2 * field.left, 2 * field.bottom, 20 + 2 * field.right)
    # The placed tile's box was rounded outwards to px of the picture.
    assert np.abs(np.subtract(found, expected)).max() <= 2


def test_without_names_chapters_are_of_patches_and_classes(plain: AtlasFile) -> None:
    """It says that nobody has named the units; each still has its question, and the classes it fires most for."""
    lesson = lesson_of(plain)
    assert not lesson.named and lesson.tree is None
    for chapter in lesson.chapters:
        assert len(chapter.units) == 3 and "nobody has named this layer's units" in chapter.sentence
        assert all(one.classes and one.shows.by in ("patches", "class", "kin", "") for one in chapter.units)


def test_an_atlas_without_pictures_or_tiles_has_a_lesson(tmp_path: Path) -> None:
    """No picture to follow, no tiles; a layer that was never above zero, and none at all, are said so."""
    path = small_atlas(tmp_path / "bare.atlas", pictures=False)
    with closing(sqlite3.connect(path)) as atlas, atlas:
        atlas.execute("DELETE FROM sheet")
        atlas.execute("DELETE FROM peak WHERE layer = 1")
    with AtlasFile(path) as file:
        lesson = lesson_of(file)
    assert lesson.picture is None and len(lesson.chapters) == 3
    assert not any(chapter.tiles for chapter in lesson.chapters)
    assert lesson.chapters[1].units == () and "none was ever above zero" in lesson.chapters[1].sentence
    with closing(sqlite3.connect(path)) as atlas, atlas:
        for table in ("peak", "unit", "statistic", "filter", "layer"):
            atlas.execute(f"DELETE FROM {table}")
    with AtlasFile(path) as file:
        lesson = lesson_of(file)
    assert lesson.chapters == () and lesson.picture is None and lesson.images == 0


def test_patches_that_cannot_be_read_say_nothing(tmp_path: Path) -> None:
    """The first page does not fail for a sheet that is damaged: the unit's own page says what is wrong."""
    path = full_atlas(tmp_path / "damaged.atlas")
    with closing(sqlite3.connect(path)) as atlas, atlas:
        atlas.execute("UPDATE sheet SET pixels = zeroblob(100)")
    with AtlasFile(path) as file:
        assert len(lesson_of(file).chapters) == 2


def test_lines_are_named_by_their_direction_and_colours(tmp_path: Path) -> None:
    """Of an edge's unit the patches say how far they agree; where they point elsewhere its name counts for nothing."""
    path = full_atlas(tmp_path / "lines.atlas")
    with AtlasWriter.resume(path) as writer:
        found = tuple(
            UnitConcept(unit=unit, ranked=(best,), best=best)
            for unit in range(11)
            for best in [scored(f"edge {(0, 45, 90)[unit % 3]}", 1)]
        )
        writer.put_concepts(0, (*found, UnitConcept(unit=11)))
    with AtlasFile(path) as file:
        chapter = lesson_of(file).chapters[0]
    assert chapter.theme == THEMES["lines"] and chapter.title == "Lines"
    assert {one.shows.thing for one in chapter.units} == {"edge 0", "edge 45", "edge 90"}
    phrases = {one.shows.phrase.partition(",")[0] for one in chapter.units}
    assert phrases == {"a horizontal edge", "a rising edge", "a vertical edge"}
    assert "of 12 units 11 answer to lines and edges" in chapter.sentence
