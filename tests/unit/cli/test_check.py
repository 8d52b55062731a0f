"""`check` ends with 0 where every peak came back, and with 1 and the names of those that did not."""

import json

import pytest
from PIL import Image

import layerscope as ls
from layerscope.pipeline.check import CheckReport


@pytest.fixture
def words(monkeypatch, tmp_path):
    """A command whose check reports what is given."""
    Image.new("RGB", (20, 16)).save(tmp_path / "a.png")

    def line(report: CheckReport, *more: str) -> list:
        monkeypatch.setattr(ls, "check", lambda **options: report)
        return ["check", "x.atlas", "net.py:plain", "--images", tmp_path, "--quiet", *more]

    return line


def test_all_came_back(command, words):
    """The count and the largest difference."""
    status, out, err = command(*words(CheckReport(peaks=64, worst=3e-7, failed=())))
    assert (status, err) == (0, "")
    assert out == "64 peaks computed again; largest difference 3e-07 of the layer's largest value\n"


def test_something_did_not(command, words):
    """All of it stands on stdout, as text or JSON; the sentence names the first."""
    failed = ("the atlas was made from other weights", "3 of 32 peaks of things do not come back")
    report = CheckReport(peaks=64, worst=0.5, failed=failed)
    status, out, err = command(*words(report))
    assert (status, tuple(out.splitlines()[1:])) == (1, failed)
    assert err == "layerscope: x.atlas does not come back: the atlas was made from other weights\n"
    status, out, _ = command(*words(report, "--json"))
    assert (status, json.loads(out)) == (
        1,
        {"atlas": "x.atlas", "peaks": 64, "worst": 0.5, "failed": list(failed), "missing": 0},
    )


@pytest.mark.parametrize(("peaks", "worst"), [(40, "; largest difference 3e-07 of the layer's largest value"), (0, "")])
def test_what_could_not_be_had_is_counted(command, words, peaks, worst):
    """Beside the difference of those that came back; without one where none did."""
    report = CheckReport(peaks=peaks, worst=3e-7, failed=("one",), missing=24)
    status, out, _ = command(*words(report))
    assert (status, out) == (
        1, f"{peaks} peaks computed again{worst}; 24 peaks could not be, for their images cannot be had\none\n",
    )  # fmt: skip
