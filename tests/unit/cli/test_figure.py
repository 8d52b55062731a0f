"""`figure` saves the kind of figure that its options name, and refuses options that this kind does not have."""

import json

import pytest


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("features.1",), "plate"),
        (("features.4", "--units", "0,2-3", "--method", "deconvnet", "--view", "signal", "--shared-scale"), "plate"),
        (("features.1", "--count", "2"), "plate"),
        (("features.1", "--unit", "2"), "unit"),
        (("--filters",), "filters"),
        (("features.1", "--filters", "--shared-scale"), "filters"),
        ((), "overview"),
        (("--count", "2", "--view", "signal"), "overview"),
    ],
)
@pytest.mark.thin(2)
def test_each_kind_is_drawn(command, atlas, tmp_path, words, kind):
    """The file is there, and JSON says what it shows."""
    out = tmp_path / "figure.png"
    status, said, err = command("figure", atlas, *words, "-o", out, "--dpi", "40", "--json")
    assert (status, err) == (0, "")
    data = json.loads(said)
    assert (data["kind"], data["figure"], data["replaced"]) == (kind, str(out), False)
    assert out.stat().st_size == data["bytes"] > 0


def test_a_figure_that_exists_is_replaced_and_said_to_be(command, atlas, tmp_path):
    """Plates are made to be drawn again."""
    out = tmp_path / "figure.svg"
    assert "replaced" not in command("figure", atlas, "--filters", "-o", out)[1]
    assert command("figure", atlas, "--filters", "-o", out)[1].endswith(", replaced\n")


def test_a_width_is_that_of_the_figure(command, atlas, tmp_path):
    """Three inches at 50 dots are 150 px."""
    from PIL import Image

    out = tmp_path / "figure.png"
    assert command("figure", atlas, "--filters", "-o", out, "--width", "3", "--dpi", "50")[0] == 0
    with Image.open(out) as picture:
        assert picture.width == 150


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("features.1", "--unit", "2", "--view", "signal"), "--view does not go with the page of a unit"),
        (("features.1", "--unit", "2", "--shared-scale"), "--shared-scale does not go with the page of a unit"),
        (("--unit", "2"), "--unit does not go with an overview"),
        (("features.1", "--unit", "2", "--tree"), "no tree can be drawn"),
        (("features.1", "--tree"), "--tree does not go with a figure of many units"),
        (("features.1", "--unit", "2", "--depth", "2"), "--depth does not go with a figure that is no tree"),
        (("features.4", "--unit", "2", "--tree", "--method", "guided"), "--method does not go with a tree"),
        (("features.4", "--unit", "2", "--tree", "--branches", "9"), "--branches"),
        (("--filters", "--method", "guided"), "--method does not go with the filters of a layer"),
        (("features.1", "--units", "6"), "units 0 to 5"),
        (("features.1", "--method", "gradient"), "holds deconvnet, guided"),
        (("features.9",), "features."),
    ],
)
def test_what_cannot_be_drawn_is_refused(command, atlas, tmp_path, words, said):
    """An option is never dropped in silence, and nothing is written."""
    out = tmp_path / "figure.png"
    status, printed, err = command("figure", atlas, *words, "-o", out)
    assert (status, printed) == (1, "")
    assert said in err and err.count("\n") == 1
    assert not out.exists()


def test_the_ending_tells_the_format(command, atlas, tmp_path):
    """Another ending is refused with those that there are."""
    status, _, err = command("figure", atlas, "--filters", "-o", tmp_path / "figure.bmp")
    assert status == 1 and ".png, .pdf or .svg" in err
