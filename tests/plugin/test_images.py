"""The guest's kind of images keeps the laws, and is told among the others."""

import pytest

import layerscope as ls
from layerscope.core.errors import ImageError, UsageError
from layerscope.core.images import IMAGES, forms
from layerscope.testing import sources as laws
from tests.helpers.guests import installed


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_the_guests_images_keep_the_laws(law):
    """Every law, on the row that the entry point gives and its own sample."""
    with installed():
        row = IMAGES["noise"]
        (images,) = row.samples
        law(row, images)


def test_its_form_is_told_with_the_others():
    """In help and refusals, while the package is installed and only then."""
    with installed():
        own = ", ".join(row.form for row in IMAGES.own.values() if row.written)
        assert forms() == f"{own} or noise:COUNT"
        with pytest.raises(ImageError, match=r"^the images \"nois\" do not exist; expected .* or noise:COUNT$"):
            ls.images("nois")
    with pytest.raises(ImageError, match='do not exist; nothing installed opens what begins with "noise:"; expected a'):
        ls.images("noise:7")


def test_what_is_asked_of_files_is_refused():
    """Orientation and a limit of pixels are for picture files: they are not lost without a word."""
    with installed(), pytest.raises(UsageError, match="orientation and max_pixels are for picture files; noise:COUNT"):
        ls.images("noise:7", orientation="stored")


def test_its_classes_and_its_name_are_its_own():
    """As the guest's code says, and how many of them were taken."""
    with installed():
        source = ls.images("noise:7", limit=3)
    assert source.name == "noise (7 pictures), the first 3 of 7 images"
    assert source.labelling() == ["coloured", "gray", "coloured"] and source.label_names == ("coloured", "gray")
