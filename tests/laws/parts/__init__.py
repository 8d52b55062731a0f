"""The table of what random networks are drawn from beside convolutions, sums and pools: a line for each way of calling
a row of the operation table.

A line names the rows that it is there for; that each row of the table stands in one of them, and is called by it, is a
test's matter (tests/laws/test_rows.py).
"""

from tests.laws.parts.joined import GATES, STATISTICS
from tests.laws.parts.making import Part
from tests.laws.parts.numbers import NUMBERS, RECTIFIERS, SMOOTH
from tests.laws.parts.places import CHANNELS, PADS, PLAIN, RESAMPLING

__all__ = ["LINES", "PARTS", "RECTIFIERS", "RESAMPLING", "SMOOTH", "Part"]

PARTS: tuple[Part, ...] = (*RECTIFIERS, *SMOOTH, *NUMBERS, *GATES, *STATISTICS, *CHANNELS, *RESAMPLING, *PADS)
LINES: tuple[Part, ...] = (*PARTS, *PLAIN)
