"""Wrappers of an atlas: what they do not name is withheld, and what is cached is what the file says."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from layerscope.atlas.light import ScannedLayer
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.write import AtlasWriter
from layerscope.facts.cached import KEPT, Cached
from layerscope.facts.wrapping import Withheld, Wrapper
from layerscope.viewer.export.choice import ExportChoice
from layerscope.viewer.export.edition import Edition, EditionBook
from tests.helpers.atlases import small_atlas
from tests.helpers.books import named_atlas


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return named_atlas(tmp_path_factory.mktemp("atlas") / "full.atlas", units=4, images=12)


def public() -> set[str]:
    """All that an atlas file can be asked."""
    return {name for name, _ in inspect.getmembers(AtlasFile) if not name.startswith("_")}


def test_a_new_question_is_withheld(atlas: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that is added to the reader is there on a server, and in no edition, whatever was chosen."""
    monkeypatch.setattr(AtlasFile, "originals", lambda self: ["every photograph"], raising=False)
    with AtlasFile(atlas) as file:
        assert Cached(file).originals() == ["every photograph"]
        with pytest.raises(Withheld, match="originals"):
            _ = Wrapper(file).originals
    for choice in (ExportChoice(), ExportChoice(photographs=False)):
        with Edition(atlas, choice) as edition:
            for reader in (edition, EditionBook("full", edition).file):
                with pytest.raises(Withheld, match="originals"):
                    _ = reader.originals


def test_an_edition_names_what_it_answers(atlas: Path) -> None:
    """Of the reader's questions these are withheld today: all images, those skipped, hashes, sources, all strata,
    graph, weights, signals, tables."""
    withheld = {"all_strata", "images", "skipped_images", "nodes", "edges", "filters", "signal", "table"}
    withheld |= {"scanned_hashes", "ends", "peak_sources"}
    with Edition(atlas, ExportChoice()) as edition:
        assert {name for name in public() if not hasattr(edition, name)} == withheld


def test_an_edition_tells_nothing_of_layers_that_are_not_published(atlas: Path) -> None:
    """Their statistics, peaks and notes are withheld; their name is refused."""
    with Edition(atlas, ExportChoice(layers=("features.1",))) as edition, AtlasFile(atlas) as file:
        assert len(edition.unit_statistics(0).mean) == 4
        for question in Edition.OF_A_LAYER:
            with pytest.raises(Withheld):
                getattr(edition, question)(1, *((0,) if question in ("peaks", "strata") else ()))
        with pytest.raises(Exception, match="is not published"):
            edition.layer("features.4")
        assert [layer.name for layer in edition.layers] == ["features.1"]
        assert {place[0] for image in range(12) for place in edition.peaks_in(image)} == {0}
        assert {place[0] for image in range(12) for place in file.peaks_in(image)} == {0, 1, 2}


def test_no_pixel_comes_without_photographs(atlas: Path) -> None:
    """Whatever is asked about a picture."""
    with Edition(atlas, ExportChoice(photographs=False)) as edition:
        for image in range(12):
            assert edition.picture(image) is None and edition.encoded_picture(image) is None
            assert edition.image(image).source == f"image {image}"
        assert edition.sheet(0, 0, "patches") is None and edition.encoded_sheet(0, 0, "patches") is None
        assert edition.sheet(0, 0, "projections", "deconvnet", "natural") is not None
        with pytest.raises(Withheld):
            edition.statistic("colour")


def test_answers_are_the_file_s(atlas: Path) -> None:
    """Of every question that is kept; asked again, the very same object is given."""
    asked = {
        "unit_statistics": (0,), "all_peaks": (0,), "neighbours": (0,), "notes": (0,), "concepts": (0,), "labels": (0,),
        "words": (0,), "scanned": (0,), "class_means": (0,), "images_with_pictures": (), "copies": (),
        "specificity": (0, "deconvnet"), "retention": (0, "deconvnet"), "sampled": (0,), "statistic": ("classes",),
        "image": (3,), "peak_labels": (0,), "units_with_sheets": (0, "patches"), "dissection": (), "interventions": (),
        "misfits": (),
        "misfit_images": (), "image_count": (), "copies_left_out": (), "left_out": (),
    }  # fmt: skip
    assert set(asked) == set(KEPT)
    with AtlasFile(atlas) as file:
        cached = Cached(file)
        for name, key in asked.items():
            first, again, said = getattr(cached, name)(*key), getattr(cached, name)(*key), getattr(file, name)(*key)
            assert first is again, name
            if isinstance(said, np.ndarray):
                assert np.array_equal(first, said), name
            elif isinstance(said, ScannedLayer):
                assert all(np.array_equal(*pair) for pair in zip(first, said, strict=True)), name
            elif hasattr(said, "__slots__") and any(
                isinstance(getattr(said, one), np.ndarray) for one in said.__slots__
            ):
                assert all(np.array_equal(getattr(first, one), getattr(said, one)) for one in said.__slots__), name
            else:
                assert first == said, name


def test_nothing_is_kept_while_it_is_built(tmp_path: Path) -> None:
    """What is written next is seen at once."""
    path = small_atlas(tmp_path / "small.atlas", units=4, images=12, finished=False)
    with AtlasFile(path) as file:
        cached = Cached(file)
        assert cached.notes(0) == () and not cached.settled
        with AtlasWriter.resume(path) as writer, writer.transaction():
            writer.put_notes(0, "describe", {0: "Seen at once."})
        assert [note.text for note in cached.notes(0)] == ["Seen at once."]


def test_names_of_images_are_those_of_pages(atlas: Path) -> None:
    """An edition finds images by what they are called only where they have a page: none without photographs."""
    with AtlasFile(atlas) as file:
        every = {image.id for image in file.images_named("", 99)}
        assert every == {image.id for image in file.images()}
        assert [one.id for one in file.images_named("PHOTOS/disc", 99)] == [
            image.id for image in file.images() if "photos/disc" in image.source
        ]
        assert file.images_named("_", 99) == () and len(file.images_named("", 3)) == 3
        labels = {image.id: image.label for image in file.images()}
        for layer in file.layers:
            peaks = {int(image) for image in file.all_peaks(layer.id).image.flat if image >= 0}
            assert file.peak_labels(layer.id) == {image: labels[image] for image in peaks}
    with Edition(atlas, ExportChoice(layers=("features.1",))) as edition:
        assert {one.id for one in edition.images_named("", 99)} == set(edition.shown_images)
    with Edition(atlas, ExportChoice(photographs=False)) as edition:
        assert edition.images_named("", 99) == ()
