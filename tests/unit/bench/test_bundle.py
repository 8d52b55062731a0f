"""A run as a file: whole after every line, complete at the end alone, read back as it was, compared with another."""

import json
from pathlib import Path

import pytest

from bench import __main__ as command
from bench import beside
from bench.against import differences, fallen
from bench.bundle import VERSION, Bundle, BundleError, BundleWriter, pictures_hash, read_bundle
from bench.machine import machine, sources, versions
from bench.page import with_tables
from bench.report import Aim, LeftOut, Line, at_least
from bench.sizes import QUICK
from bench.workshop import Workshop

HEAD = {
    "sizes": {"name": "quick", "repeats": 3},
    "machine": {"processor": "a processor", "cores": 2, "load": 0.1},
    "versions": {"torch": "2.14.1", "captum": None},
    "sources": {"commit": "0123456789", "clean": True},
    "pictures": {"of": "drawn pictures", "sha256": "ab"},
}
PHOTOGRAPHS = {"of": "photographs", "sha256": "cd"}


def line(name: str, ratios: list[float], aim: Aim | None) -> Line:
    samples = {"loop": ratios, "scan": [1.0] * len(ratios), "slower loop": [2.0] * len(ratios)}
    return Line(name=name, what=f"loop / scan, {name}", samples=samples, above=("loop",), below=("scan",), aim=aim)


def written(path: Path, *lines: Line, **head: object) -> Bundle:
    writer = BundleWriter(path, {**HEAD, **head})
    for one in lines:
        writer.add(one)
    writer.finish()
    return read_bundle(path)


def test_a_bundle_gives_back_what_was_measured(tmp_path):
    """Every sample of every contender, with its unit; ratios, aims and whether they are met stand beside them."""
    made = line("scan", [1.0, 0.8, 1.2], at_least(0.9))
    found = written(tmp_path / "a.json", made)
    assert found.lines == (made,)
    (kept,) = json.loads((tmp_path / "a.json").read_text())["lines"]
    assert kept["samples"]["slower loop"] == [2.0, 2.0, 2.0] and kept["unit"] == "s"
    assert (kept["ratios"], kept["median ratio"], kept["met"]) == ([1.0, 0.8, 1.2], 1.0, True)
    assert "| loop / scan, scan | loop 1 s, scan 1 s | 1.00 (0.80..1.20) | at least 0.9 | yes |" in found.markdown()


def test_an_interrupted_run_keeps_its_lines_and_is_not_complete(tmp_path):
    """After every line the file is whole JSON with all lines so far; before the end it is refused as a bundle."""
    path = tmp_path / "folder" / "a.json"
    writer = BundleWriter(path, HEAD)
    for count in (1, 2):
        writer.add(line(f"line {count}", [1.0], None))
        kept = json.loads(path.read_text())
        assert len(kept["lines"]) == count and kept["complete"] is False and kept["finished"] is None
    with pytest.raises(BundleError, match="not complete: its run was stopped after 2 lines"):
        read_bundle(path)
    writer.finish()
    assert read_bundle(path).data["finished"] >= read_bundle(path).data["started"]
    assert [each.name for each in path.parent.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        ("{", "holds no JSON"),
        ("[1]", "is no bundle"),
        ('{"form": "another"}', "is no bundle"),
        (json.dumps({"form": "layerscope bench", "version": VERSION + 1}), f"of version {VERSION + 1}; this program"),
        (json.dumps({"form": "layerscope bench", "version": VERSION, "complete": True}), "is no whole bundle"),
        (
            json.dumps({"form": "layerscope bench", "version": VERSION, "complete": True, "lines": [{"name": 1}]}),
            "is no whole bundle",
        ),
    ],
)
def test_what_is_no_bundle_is_refused_in_one_sentence(tmp_path, content, said):
    """A file that is missing, no JSON, of another form or version, or without what it should hold."""
    path = tmp_path / "a.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit) as stopped:
        command.main(["--table", str(path)])
    assert said in stopped.value.code and "\n" not in stopped.value.code


def test_tables_of_a_page_are_made_of_the_bundles_beside_it(tmp_path):
    """What stands between the comments is replaced, all else stays; a second time changes nothing."""
    found = written(tmp_path / "a.json", line("scan", [1.0], None))
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench: a.json -->\nold\n<!-- end of bench -->\nafter\n")
    command.main(["--page", str(page)])
    expected = f"before\n<!-- bench: a.json -->\n\n{found.markdown()}\n\n<!-- end of bench -->\nafter\n"
    assert page.read_text() == expected == with_tables(page)
    page.write_text("nothing")
    with pytest.raises(SystemExit) as stopped:
        command.main(["--page", str(page)])
    assert "has no table" in stopped.value.code


def test_a_line_falls_by_more_than_both_runs_spread(tmp_path):
    """At least and at most are told apart; ranges that overlap, a few parts in a hundred, and lines without an aim are
    not told."""
    small = Aim(shown="at most 1", at_most=1.0)
    before = {"lower": at_least(1), "higher": small, "overlaps": at_least(1), "near": at_least(1), "free": None}
    old = written(tmp_path / "old.json", *(line(name, [1.0, 1.1, 1.2], aim) for name, aim in before.items()))
    ratios = {"lower": [0.7, 0.8, 0.9], "higher": [1.3, 1.4, 1.5], "overlaps": [0.7, 0.9, 1.15]}
    ratios |= {"near": [1.05, 1.06, 1.07], "free": [0.1, 0.1, 0.1]}
    new = written(tmp_path / "new.json", *(line(name, ratios[name], aim) for name, aim in before.items()))
    assert fallen(new, old) == [
        "lower: 0.80 (0.70..0.90), was 1.10 (1.00..1.20)",
        "higher: 1.40 (1.30..1.50), was 1.10 (1.00..1.20)",
    ]
    assert fallen(old, new) == []


def test_runs_of_other_things_are_not_compared(tmp_path):
    """Other sizes or pictures are refused; another machine or version is told; load is not."""
    old = written(tmp_path / "old.json", line("scan", [1.0], None))
    with pytest.raises(BundleError, match="their sizes and pictures are not the same"):
        fallen(written(tmp_path / "b.json", sizes={"name": "full", "repeats": 3}, pictures=PHOTOGRAPHS), old)
    other = written(tmp_path / "c.json", machine={"processor": "another", "cores": 2, "load": 3.0})
    assert differences(other, old) == [
        "machine, processor: was a processor, is another",
        "only in one of the two: scan",
    ]


def test_a_fallen_line_is_an_exit_status(tmp_path, capsys):
    """`--against` says what fell and ends with 1; where nothing did it says so."""
    old, new = (
        written(tmp_path / f"{ratio}.json", line("scan", [ratio], at_least(1))) for ratio in (1.0, 0.5)
    )  # fmt: skip
    command._compare(old, old)
    assert "no line fell" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        command._compare(new, old)
    assert "scan: 0.50 (0.50..0.50), was 1.00" in stopped.value.code


def test_a_line_that_cannot_be_measured_is_left_out_and_said_so(tmp_path, monkeypatch):
    """What came before it stays, and the run is complete."""

    def measure(workshop: Workshop):
        yield line("scan", [1.0], None)
        raise LeftOut("captum is not installed")

    monkeypatch.setitem(command.LINES, "scan", measure)
    writer = BundleWriter(tmp_path / "a.json", HEAD)
    command.measure("scan", Workshop(folder=tmp_path, paths=(), sizes=QUICK), writer)
    writer.finish()
    found = read_bundle(tmp_path / "a.json")
    assert [one.name for one in found.lines] == ["scan"] and "scan" in found.data["seconds"]
    assert "Left out: scan, captum is not installed." in found.markdown()


def test_a_whole_build_beside_needs_another_checkout(tmp_path):
    """Without `--old` the line is left out; a folder that holds no layerscope is refused."""
    with pytest.raises(LeftOut, match="--old"):
        next(command.LINES["beside"](Workshop(folder=tmp_path, paths=(), sizes=QUICK)))
    with pytest.raises(SystemExit) as stopped:
        command.main(["--old", str(tmp_path)])
    assert stopped.value.code == f"{tmp_path} is no checkout of layerscope"


def test_a_checkout_builds_in_a_process_of_its_own(tmp_path):
    """Whichever layerscope is found first in the child: that of the checkout, or the line is left out; a build that
    fails is told by its last words."""
    package = tmp_path / "old" / "layerscope"
    package.mkdir(parents=True)
    asked = ("alexnet", "features.1,features.4", "3", "pictures")
    made = "def trace(name): return name\ndef build(*given, layers, units, **options): {}\n"
    (package / "__init__.py").write_text(made.format("assert (layers, units) == (['features.1', 'features.4'], 3)"))
    assert 0 <= beside.seconds_of_build(tmp_path / "old", tmp_path / "a", asked) < 1
    (package / "__init__.py").write_text(made.format("raise ValueError('no such layer')"))
    with pytest.raises(LeftOut, match="the other checkout failed: ValueError: no such layer"):
        beside.seconds_of_build(tmp_path / "old", tmp_path / "a", asked)
    assert beside.mean_units((64, 192, 384, 256, 256), 0.25) == 58


def test_pictures_are_known_by_what_they_hold(tmp_path):
    """Names and order change nothing; one other byte does."""
    one, other = tmp_path / "1.jpg", tmp_path / "2.jpg"
    one.write_bytes(b"a")
    other.write_bytes(b"b")
    first = pictures_hash([one, other])
    one.write_bytes(b"b")
    other.write_bytes(b"a")
    assert pictures_hash([one, other]) == pictures_hash([other, one]) == first
    other.write_bytes(b"c")
    assert pictures_hash([one, other]) != first


def test_a_head_names_no_machine_and_no_path():
    """Plain values without the host's name or a folder."""
    import platform

    said = json.dumps([machine(), versions(), sources()])
    assert str(Path.cwd()) not in said and '"/' not in said
    assert not platform.node() or platform.node() not in said
    assert versions()["torch"]
