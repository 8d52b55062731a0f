"""What the pages tell a reader to type who has the extra is typed."""

from pathlib import Path

import numpy as np
from PIL import Image

from layerscope.known.pictures import write_pictures
from tests.docs.pages import DOCS
from tests.docs.running import Page


def test_the_guide_to_keras_runs(tmp_path: Path) -> None:
    """From the notebook's model to a plate that shows something."""
    write_pictures(tmp_path / "photos", 26)
    Page(DOCS / "how-to" / "keras.md", tmp_path, "with an extra").run()
    assert np.asarray(Image.open(tmp_path / "parts.png")).std() > 0
