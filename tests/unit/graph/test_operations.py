"""Operations of other packages: found by their targets, never in another's place, and part of what reads a graph."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.core.errors import UsageError
from layerscope.graph.identity import reader
from layerscope.graph.ops import OPERATIONS, ROWS

aten = torch.ops.aten
RELU = OPERATIONS.own["relu"]
# What another package names: a row of its own, one in the place of ours, one in the place of its neighbour.
rows = {
    "cosh": replace(RELU, name="cosh", targets=(aten.cosh.default,)),
    "cut": replace(RELU, name="cut", targets=(aten.ceil.default, aten.relu.default)),
    "late": replace(RELU, name="late", targets=(aten.cosh.default,)),
}


@pytest.fixture
def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages with these rows, the last of them from one that cannot be loaded."""
    module = tmp_path / "ops_of_a_guest.py"
    module.write_text(f"import sys\nglobals().update(sys.modules[{__name__!r}].rows)\n")
    info = tmp_path / "guest-2.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: guest\nVersion: 2.1\n")
    lines = [f"{name} = ops_of_a_guest:{name}" for name in rows] + ["lost = nobody_has_this:row"]
    (info / "entry_points.txt").write_text("[layerscope.operations]\n" + "\n".join(lines) + "\n")
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    monkeypatch.syspath_prepend(str(tmp_path))
    OPERATIONS.refresh()
    yield module
    monkeypatch.undo()
    sys.modules.pop("ops_of_a_guest", None)
    OPERATIONS.refresh()
    assert len(OPERATIONS.targets) == sum(len(row.targets) for row in ROWS)


def test_a_target_has_one_row(guest: Path) -> None:
    """Ours stays, and the first of two guests; who came later is told which target to give up."""
    assert OPERATIONS.targets[aten.cosh.default].name == "cosh" and OPERATIONS.targets[aten.relu.default] is RELU
    assert OPERATIONS.named("aten.cosh.default") == (aten.cosh.default, rows["cosh"])
    assert OPERATIONS.named("aten.ceil.default") is None
    for name, taken, other in (("cut", "aten.relu.default", "relu"), ("late", "aten.cosh.default", "cosh")):
        with pytest.raises(UsageError, match=f'"{name}" speaks for {taken}, for which "{other}" speaks already'):
            OPERATIONS[name]
    troubled = {found.name for found in OPERATIONS.found() if found.trouble}
    assert troubled == {"cut", "late", "lost"}


def test_a_network_is_traced_with_it(guest: Path) -> None:
    """What was refused is a layer; and nothing that was read with other rows is taken for what these read."""

    class Folded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(x).cosh()

    (_, layer) = ls.trace(Folded(), ls.Input(height=8, width=8)).layers
    assert layer.kind == "cosh" and layer.auto and layer.rectified
    with_guest = reader()
    guest.write_text(guest.read_text() + "# another version\n")
    assert reader() != with_guest
    sys.path.remove(str(guest.parent))
    OPERATIONS.refresh()
    assert reader() not in (with_guest, []) and [row.name for row in OPERATIONS] == [row.name for row in ROWS]


def test_an_activation_says_which_it_is() -> None:
    """A row cannot be an activation of no kind, nor something else of one."""
    for fault in ({"activation": None}, {"role": "other"}):
        with pytest.raises(AssertionError, match="relu: say which activation it is"):
            replace(RELU, **fault)
