"""`layerscope world` writes pictures with known content, and goes on where it was stopped."""

import json

from layerscope.world import CLASSES, CONCEPTS, MaskFolder


def test_world_writes_a_folder(command, tmp_path):
    """Progress on stderr, a line on stdout; the folder can be read."""
    out = tmp_path / "w"
    status, said, progress = command("world", "--count", "5", "--out", str(out))
    assert status == 0 and "5 pictures" in said and "5 of 5" in progress
    assert len(list(out.glob("images/*/*.png"))) == 5
    assert MaskFolder(out).masks("000004").any()


def test_world_goes_on(command, tmp_path):
    """A finished one is left alone; --quiet says nothing on stderr."""
    line = ("world", "--count", "3", "--out", str(tmp_path / "w"), "--shards", "--size", "32", "--json", "--quiet")
    first, second = command(*line), command(*line)
    assert (first[0], first[2], second[0], second[2]) == (0, "", 0, "")
    assert json.loads(first[1])["written"] == 3
    data = json.loads(second[1])
    assert (data["pictures"], data["written"]) == (3, 0)
    assert (data["classes"], data["concepts"]) == (len(CLASSES), len(CONCEPTS))


def test_world_refuses_a_folder_of_other_things(command, tmp_path):
    """One sentence and status 1."""
    (tmp_path / "letter.txt").write_text("dear")
    status, out, err = command("world", "--count", "3", "--out", str(tmp_path))
    assert (status, out) == (1, "")
    assert err.endswith("is not empty and holds no world; choose another folder with --out\n")
