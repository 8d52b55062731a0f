"""Numbers and examples that pages state are those of the code."""

import math
import re
import runpy
from dataclasses import fields
from typing import Any

import pytest

import layerscope as ls
from layerscope.atlas import codecs
from layerscope.atlas.retention import Interval
from layerscope.core import changes, images, networks
from layerscope.core import codecs as core_codecs
from layerscope.core.codecs import Codec
from layerscope.core.images import ImageKind
from layerscope.core.methods import METHODS
from layerscope.core.networks import NetworkKind
from layerscope.core.registry import Row
from layerscope.core.stages import BUILD
from layerscope.figures import words
from layerscope.known.network import INPUT, known_network
from layerscope.pipeline import sampling, scan_work, settings
from layerscope.pipeline.project_work import TOLERANCE
from layerscope.pipeline.projecting import MOST_IMAGES
from layerscope.pipeline.working import GROUP_BYTES
from layerscope.project import tiles, views
from layerscope.sources.prepare import PICTURE_SIDE
from layerscope.testing import ops
from layerscope.world import World
from tests.docs.pages import DOCS, ROOT, blocks, rows, sections, text
from tests.laws import checks

MATHEMATICS = DOCS / "mathematics.md"


def numbers(cell: str) -> list[float]:
    return [float(word) for word in cell.split()]


def test_the_number_by_hand_is_the_programs():
    """The table worked out by hand holds what its code finds, for each method."""
    part = sections(MATHEMATICS, 2)["A number by hand"]
    names: dict = {}
    for block in blocks(MATHEMATICS):
        exec(block.body, names)
    at_pixels = {method: numbers(pixels) for method, _, pixels in rows(part)}
    assert at_pixels == names["found"]
    for _, before, pixels in rows(part):
        signal = numbers(before)
        assert [2 * s - t for s, t in zip([*signal, 0], [0, *signal], strict=True)] == numbers(pixels)


def test_the_known_networks_fields_are_those_of_the_page():
    """Fields composed on the page are the traced network's."""
    net = ls.trace(known_network(), INPUT)
    listed = [row for row in rows(sections(MATHEMATICS, 2)["Receptive fields"]) if row[0][-1].isdigit()]
    assert len(listed) == 5
    for name, *window in listed:
        field = net[name].field
        assert field.rows == field.cols
        assert [field.rows.size, field.rows.step, field.rows.start] == list(map(int, window))


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("mathematics", f"for {sampling.SAMPLE} seeded units"),
        ("mathematics", f"the middle {tiles.KEPT_ENERGY:.0%} of".replace("%", " %")),
        ("mathematics", f"the {tiles.SIDE_QUANTILE:.0%} percentile".replace("%", "th")),
        ("mathematics", f"at least {tiles.SMALLEST_SIDE} px"),
        ("mathematics", f"raised to the power {views.COLOUR_EXPONENT}"),
        ("mathematics", f"(P(max(f, {views.FLAT_BELOW})) / P({views.FLAT_BELOW})) ^ {views.SPECTRUM_EXPONENT}"),
        ("mathematics", f"at a radius of {views.KERNEL_RADIUS} px"),
        ("mathematics", f"below {views.ROUNDING:.0e} of".replace("e-06", "e-6")),
        ("mathematics", f"(k = {settings.Settings().k})"),
        ("mathematics", f"every fourth batch of {settings.BATCH}"),
        ("mathematics", f"the first {scan_work.STATISTICS_IMAGES} images"),
        ("mathematics", f"Beyond {TOLERANCE:.0e} of".replace("e-04", "e-4")),
        ("mathematics", f"within {checks.TOLERANCE:.0e} of the largest signal"),
        ("decisions/004-natural-view", f"Colour {views.COLOUR_EXPONENT}; spectrum {views.SPECTRUM_EXPONENT}"),
        ("decisions/004-natural-view", f"below {views.FLAT_BELOW} cycles per px"),
        ("decisions/004-natural-view", f"at a radius of {views.KERNEL_RADIUS} px"),
        ("how-to/many-images", f"shards\nof {settings.SHARD}"),
        ("how-to/many-images", f"at most {MOST_IMAGES} images"),
        ("how-to/many-images", f"more than {GROUP_BYTES >> 20} MiB"),
        ("how-to/diff", f"is at least {changes.LEAST} (`--least`)"),
        ("how-to/diff", f"is at least {changes.PARTLY}, has changed"),
        ("how-to/privacy", f"at most {PICTURE_SIDE} px"),
        ("how-to/privacy", f"at most {settings.Settings().tile} px"),
        ("how-to/check", f"beyond {TOLERANCE:.0e} a".replace("e-04", "e-4")),
        ("reference/atlas", f"at most {PICTURE_SIDE}"),
    ],
)
def test_numbers_are_the_codes(page, said):
    """A number of the program that a page states is the one in the code."""
    flat = re.sub(r"\s+", " ", text(DOCS / f"{page}.md"))
    assert re.sub(r"\s+", " ", said) in flat


def test_what_becomes_of_units_is_told_as_the_program_tells_it():
    """The words of a comparison and their sentences, in the order of the table."""
    listed = rows(text(DOCS / "how-to" / "diff.md"))
    assert listed == [(change.name, change.sentence) for change in changes.CHANGES]


def test_stages_are_told_as_their_rows_tell_them():
    """The table of the architecture is the stages' own, in their order; the page on performance has a line for each."""
    listed = rows(sections(DOCS / "architecture.md", 2)["The data's way"])
    expected = [[s.name, s.sentence, s.counts, "yes" if s.anywhere else "no"] for s in BUILD]
    assert [list(row) for row in listed] == expected
    measured = rows(sections(DOCS / "performance.md", 2)["A build, stage by stage"])
    assert [row[0] for row in measured] == [stage.name for stage in BUILD]


@pytest.mark.parametrize("name", ["stripes", "noise", "rawz"])
def test_the_kinds_of_the_page_are_the_guests(name):
    """What the page prints of a network, of images and of a codec are the modules that the tests install."""
    module = (ROOT / "tests" / "plugin" / "src" / "layerscope_guest" / f"{name}.py").read_text()
    assert module in [block.body for block in blocks(DOCS / "how-to" / "plugins.md")]
    assert len(module.splitlines()) <= 40


def test_forms_of_networks_and_images_are_told_as_their_rows_tell_them():
    """One clause, in the docstrings and on the page of the functions; each form on the page of the command line."""
    python = " ".join(text(DOCS / "reference" / "python.md").split())
    for verb, clause in ((ls.trace, networks.forms()), (ls.images, images.forms(written=False))):
        assert clause in " ".join((verb.__doc__ or "").split())
        assert clause in python.replace("`", "")
    command_line = text(DOCS / "reference" / "command-line.md")
    for form in [form for row in networks.NETWORKS.own.values() for form in row.form.split(", ")]:
        assert f"`{form}`" in command_line
    assert images.forms("`") in command_line


@pytest.mark.parametrize(
    ("heading", "form"),
    [
        ("A kind of network", NetworkKind),
        ("A kind of images", ImageKind),
        ("A codec", Codec),
        ("What every row says", Row),
    ],
)
def test_the_fields_of_each_kind_are_listed(heading, form):
    """The page's tables name every field of a row, and none that there is not."""
    own = {field.name for field in fields(form)} - ({field.name for field in fields(Row)} if form is not Row else set())
    listed = [name for row in rows(sections(DOCS / "how-to" / "plugins.md", 2)[heading]) for name in row[0].split(", ")]
    assert sorted(listed) == sorted(own)


def test_the_engine_of_the_page_is_the_guests():
    """What the page prints is the module that the tests install."""
    module = (ROOT / "tests" / "plugin" / "src" / "layerscope_guest" / "pool.py").read_text()
    assert module in [block.body for block in blocks(DOCS / "how-to" / "engines.md")]


def test_what_captions_say_of_a_specificity_is_on_the_page():
    """The table of clauses is the captions' own, with the same bounds."""
    listed = dict(rows(sections(DOCS / "trust.md", 2)["Specificity"]))
    below, between, above = listed.values()
    assert list(listed) == ["below 0.2", "0.2 to 0.6", "0.6 and above"]
    assert [words._trust(value) for value in (0.19, 0.2, 0.59, 0.6)] == [below, between, between, above]


def test_what_captions_say_of_a_selectivity_is_on_the_page():
    """The table of clauses is the captions' own, with the same bounds."""
    listed = dict(rows(sections(DOCS / "trust.md", 2)["Retention and selectivity"]))
    open_, below, between, above = listed.values()
    assert list(listed) == ["its interval reaches 0", "below 20 %", "20 % to 50 %", "50 % and above"]
    means = {open_: (0.0, 0.6), below: (0.1, 0.19), between: (0.2, 0.49), above: (0.5, 0.9)}
    for said, pair in means.items():
        for mean in pair:
            low = 0.0 if said == open_ else 0.05
            assert words._whose(Interval(mean=mean, low=low, high=1)) == said


def test_measured_codecs_are_quoted_as_they_stand():
    """The table of codecs in its decision is the one beside the code."""
    table = [line for line in (codecs.__doc__ or "").splitlines() if line.startswith("|")]
    assert len(table) > 4
    assert "\n".join(table) in text(DOCS / "decisions" / "005-jpeg-444-for-tiles.md")


def test_qualities_are_stated_as_they_are():
    """The decision's table of qualities is the code's, and so is the size of what counts as small."""
    page = text(DOCS / "decisions" / "005-jpeg-444-for-tiles.md")
    for what, quality in core_codecs.JPEG_QUALITIES.items():
        assert f"| {what} | {quality} |" in page
    side = math.isqrt(core_codecs.FEW_PX)
    assert f"at most {side} x {side} px" in page and f"kept at {core_codecs.QUALITY_OF_FEW}." in page


def example(page: str, manner: str) -> Any:
    """The row that a page writes."""
    (block,) = [block for block in blocks(DOCS / page) if block.manner == manner]
    names: dict = {}
    exec(block.body, names)
    return names["row"]


@pytest.mark.parametrize("law", ops.LAWS, ids=lambda law: law.__name__)
def test_the_example_of_a_row_keeps_the_laws(law):
    """The row that add-an-op.md writes passes the general tests."""
    for case in ops.cases(example("add-an-op.md", "a row")):
        law(case)


@pytest.mark.parametrize("method", METHODS.own)
def test_the_example_of_a_row_works_on_windows(method):
    """... and on windows, which projecting relies on."""
    for case in ops.cases(example("add-an-op.md", "a row")):
        ops.rules_stay_in_their_place(case, method)


def test_the_laws_that_a_page_asks_of_its_row_can_be_asked():
    """... by the call that add-an-op.md shows."""
    (block,) = [block for block in blocks(DOCS / "add-an-op.md") if block.manner == "the laws"]
    exec(block.body, {"row": example("add-an-op.md", "a row")})


@pytest.mark.wide
def test_the_example_of_a_method_keeps_the_laws(monkeypatch):
    """The method that add-a-method.md writes passes the laws that it speaks of, by the call that it shows."""
    row = example("add-a-method.md", "a method")
    monkeypatch.setitem(METHODS.own, row.name, row)
    (block,) = [block for block in blocks(DOCS / "add-a-method.md") if block.manner == "the laws"]
    exec(block.body, {"row": row})


@pytest.mark.wide
def test_the_figures_can_be_made_again(tmp_path):
    """The two scripts make the pictures that the pages show (here of few pictures, all of them drawn)."""
    script = runpy.run_path(str(DOCS / "make_figures.py"))
    made = script["main"](tmp_path, pictures=26, scenes=26)
    ls.build("zfnet64", World(12), tmp_path / "z.atlas", layers="layer1.relu", methods=["deconvnet"], progress=False)
    made += runpy.run_path(str(DOCS / "make_photograph_figures.py"))["main"](tmp_path / "z.atlas", tmp_path)
    assert {path.name for path in made} == {path.name for path in (DOCS / "images").iterdir()}
    assert all(path.stat().st_size > 10_000 for path in made)
