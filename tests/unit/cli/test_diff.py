"""`layerscope diff`: a table and the worst units, the same as JSON and in Python, and an exit status for machines."""

import json

import pytest

import layerscope as ls
from layerscope.core.changes import NAMES
from tests.helpers.books import full_atlas
from tests.helpers.changing import changed


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> str:
    return str(full_atlas(tmp_path_factory.mktemp("diff") / "before.atlas", images=300))


@pytest.fixture(scope="module")
def after(before, tmp_path_factory) -> str:
    """In features.4 units 1 and 3 changed places, and 5 is dead."""
    path = tmp_path_factory.mktemp("diff") / "after.atlas"
    with changed(path, before, 1) as rows:
        rows.swap(1, 3)
        rows.kill(5)
    return str(path)


def test_the_table_and_the_worst_units(before, after, command) -> None:
    """Which is which, the layers with the worst first, then the units that are not as they were."""
    status, out, err = command("diff", before, after)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith(f"A: {before}, torchvision:smallnet, weights 51fe51fe, of 20")
    assert lines[1].startswith(f"B: {after}, torchvision:smallnet, weights a0c4a0c4, of 20")
    assert lines[4].split() == ["layer", "units", *NAMES, "agreement"]
    assert lines[5].split() == ["features.4", "12", "8", "2", "1", "1.00"]
    assert lines[6].split() == ["features.1", "12", "11", "1.00"]
    table = [line.split() for line in lines[9:13]]
    assert table[0][:4] == ["layer", "unit", "now", "agreement"]
    assert table[1][:3] == ["features.4", "5", "dead"]
    assert sorted(row[:3] for row in table[2:]) == [["features.4", "1", "3"], ["features.4", "3", "1"]]
    assert lines[-1].endswith(f"layerscope serve {before} {after}")


def test_json_and_python_say_the_same(before, after, command) -> None:
    """All units, the unchanged ones too, in the same order."""
    status, out, _ = command("diff", before, after, "--json")
    assert status == 0
    said, found = json.loads(out), ls.diff(before, after)
    assert said == json.loads(json.dumps(found.data()))
    assert said["counts"] == {**dict.fromkeys(NAMES, 0), "matched": 30, "moved": 2, "dead": 1}
    assert said["counts"] == {name: found.count(name) for name in NAMES}
    assert said["differing"] == list(found.differing) and "weights" in said["differing"]
    frame = found.to_frame()
    assert len(frame) == len(found.units) == 33
    assert frame["change"].value_counts().to_dict() == {"matched": 30, "moved": 2, "dead": 1}
    assert frame.iloc[0]["unit"] == 5 and frame.iloc[0]["layer"] == "features.4"


def test_open_atlases_are_taken_too(before, after) -> None:
    """And stay open."""
    with ls.open(before) as one, ls.open(after) as other:
        assert ls.diff(one, other).units == ls.diff(before, after).units
        assert one.finished and other.finished


def test_nothing_changed_is_said(before, tmp_path, command) -> None:
    """In words, with status 0."""
    with changed(tmp_path / "same.atlas", before, 0):
        pass
    status, out, _ = command("diff", before, tmp_path / "same.atlas", "--fail-on", "dead,lost,changed,new,moved")
    assert status == 0
    assert "nothing changed: every unit that fired is matched" in out


@pytest.mark.parametrize(
    ("conditions", "status", "said"),
    [
        (("dead>0",), 1, "1 dead (dead>0)"),
        (("dead",), 1, "1 dead (dead>0)"),
        (("dead>1",), 0, ""),
        (("lost>0,moved>=2",), 1, "2 moved (moved>=2)"),
        (("lost>0", "changed"), 0, ""),
        (("matched<95%",), 1, "30 matched (matched<95%)"),
        (("matched<90%", "dead>=1"), 1, "1 dead (dead>=1)"),
    ],
)
def test_a_machine_is_told_by_the_status(before, after, command, conditions, status, said) -> None:
    """1 where a condition is met, with one sentence that names it; what was found is printed all the same."""
    options = [word for one in conditions for word in ("--fail-on", one)]
    found, out, err = command("diff", before, after, *options)
    assert found == status and "features.4" in out
    assert err == (f"layerscope: more changed than --fail-on allows, of 33 units that fired: {said}\n" if said else "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{before}", "{before}"), "is named twice: name two atlases to compare"),
        (("{before}", "nowhere.atlas"), "nowhere.atlas"),
        (("{before}", "{after}", "--fail-on", "ded>0"), "--fail-on must be conditions, each a condition such as"),
        (("{before}", "{after}", "--least", "2"), "--least must be a number from 0.01 to 1, got 2"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(before, after, command, words, said) -> None:
    """With status 1, and nothing on stdout."""
    status, out, err = command("diff", *(word.format(before=before, after=after) for word in words))
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert said in err


def test_more_is_asked_of_two_units(before, after, command) -> None:
    """The agreement from which on two units are the same stands in the head."""
    _, out, _ = command("diff", before, after, "--least", "0.9")
    assert "the same from 0.9 on" in out


def test_layers_of_one_atlas_alone_are_remarked(before, tmp_path, command) -> None:
    """On stderr."""
    with changed(tmp_path / "head.atlas", before, 2) as rows:
        rows._run("UPDATE layer SET name = 'head' WHERE id = 2")
    status, _, err = command("diff", before, tmp_path / "head.atlas")
    assert status == 0
    assert f"{before} alone has classifier.1" in err and "alone has head" in err
