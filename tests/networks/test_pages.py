"""What the pages tell a reader to type who has the extra is typed."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerscope.known.pictures import write_pictures
from tests.docs.pages import DOCS
from tests.docs.running import Page


@pytest.mark.parametrize(("guide", "plate"), [("keras", "parts"), ("detectors", "yolo"), ("segmenters", "unet")])
def test_a_guide_runs(guide: str, plate: str, tmp_path: Path) -> None:
    """From what a user has to a plate that shows something."""
    write_pictures(tmp_path / "photos", 26)
    Page(DOCS / "how-to" / f"{guide}.md", tmp_path, "with an extra").run()
    assert np.asarray(Image.open(tmp_path / f"{plate}.png")).std() > 0
