"""What may become of a unit between two atlases: one table, from which pages, the command line and its conditions read.

Plain words: loading this needs neither NumPy nor torch.
"""

from typing import NamedTuple


class ChangeKind(NamedTuple):
    """What may become of a unit. name: its word. sentence: what the word says, without a full stop."""

    name: str
    sentence: str


MATCHED, CHANGED, MOVED, LOST, DEAD, NEW = "matched", "changed", "moved", "lost", "dead", "new"

CHANGES = (
    ChangeKind(MATCHED, "the unit is the same, and has the same number"),
    ChangeKind(CHANGED, "the unit of this number is another, though something of the old one is left"),
    ChangeKind(MOVED, "the unit is the same, and has another number"),
    ChangeKind(LOST, "no unit of the second atlas is like it, and the one of its number is alive"),
    ChangeKind(DEAD, "no unit of the second atlas is like it, and the one of its number never fires"),
    ChangeKind(NEW, "only the second atlas has the unit: the first has none like it, or none that is left over"),
)
NAMES = tuple(change.name for change in CHANGES)
# In which order units are told: what an engineer has to look at comes first.
WORST_FIRST = (DEAD, LOST, NEW, CHANGED, MOVED, MATCHED)

# Two units are the same whose agreement, 0..1, is at least LEAST; from PARTLY on something of one is left in the other.
# Both were measured on trainings whose units were changed by hand: docs/how-to/diff.md tells how well they do.
LEAST, PARTLY = 0.52, 0.4
