"""The notebook that goes on from a Keras network runs where Keras is."""

from pathlib import Path

from tests.docs.notebooks import carry_out
from tests.docs.pages import DOCS


def test_the_keras_notebook_runs(tmp_path: Path) -> None:
    """From drawn pictures through training to a unit's page; what it traced is the model's own layers."""
    shown = carry_out(DOCS / "notebooks" / "keras.ipynb", tmp_path)
    assert [layer.name for layer in shown["trace"].layers if layer.auto][:2] == ["lines", "shapes"]
    assert {"atlas", "lines", "widget", "classes"} <= set(shown)
    assert (tmp_path / "mine.keras").is_file() and shown["atlas"].finished
