"""The guest's codec keeps the laws of codecs, and does what ours do."""

import pytest

from layerscope.core.codecs import CODECS
from layerscope.testing import codecs as laws
from tests.helpers.guests import installed


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_the_guests_codec_keeps_the_laws(law):
    """Every law, on the row that the entry point gives."""
    with installed():
        law(CODECS["rawz"])


def test_the_guests_codec_is_told_with_its_home():
    """While the package is installed, and only then."""
    with installed():
        (found,) = (found for found in CODECS.found() if found.name == "rawz")
        assert found.home == "layerscope-guest 1.0" and not found.trouble
    assert "rawz" not in CODECS
