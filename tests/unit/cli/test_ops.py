"""`ops` prints the operation table itself: every row, and every declined operation with its reason."""

import json

from layerscope.graph.ops import ROWS
from layerscope.graph.ops.refused import REASONS


def test_every_row_and_every_reason(command):
    """JSON and text hold the same names."""
    data = json.loads(command("ops", "--json")[1])
    assert [row["name"] for row in data["rows"]] == [row.name for row in ROWS]
    assert {entry["target"]: entry["reason"] for entry in data["declined"]} == REASONS
    status, out, err = command("ops")
    assert (status, err) == (0, "")
    assert all(row.name in out for row in ROWS) and all(target in out for target in REASONS)


def test_where_the_methods_part(command):
    """A rectifier has a deconvnet rule of its own, and guided takes both; a linear operation has one rule for all."""
    rows = {row["name"]: row for row in json.loads(command("ops", "--json")[1])["rows"]}
    assert (rows["relu"]["deconvnet"], rows["relu"]["guided"], rows["relu"]["linear"]) == ("own", "both", False)
    assert (rows["conv2d"]["deconvnet"], rows["conv2d"]["guided"], rows["conv2d"]["linear"]) == (
        *["gradient"] * 2,
        True,
    )
    assert all(row["deconvnet"] == "gradient" for row in rows.values() if row["linear"])
    assert rows["relu"]["targets"] == ["aten.relu.default"]
