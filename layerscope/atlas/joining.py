"""Writing one atlas from the rows of several: the images of each follow those of the one before, numbered anew.

Rows go from file to file as they are read. What must not be in two of them is looked for by SQLite, which sorts in
files of its own where a table is larger than its cache.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from layerscope.atlas import rows
from layerscope.atlas.parts import KINDS, PICTURE, PartFile
from layerscope.atlas.words import WordWriting

# A transaction's rows lie in SQLite's log until it ends: so many images are put in one.
_AT_ONCE = 50_000
_IMAGE = rows.IMAGE.split()
_SHIFTED = [place for place, name in enumerate(_IMAGE) if name in ("id", "duplicate_of")]
# Images are in two parts by their names, or by what they hold: those that count, of each part the first.
_BY_NAME = "SELECT min(id), max(id) FROM image GROUP BY source HAVING count(*) > 1"
_BY_CONTENT = (
    "SELECT min(id), max(id) FROM image WHERE skipped IS NULL AND duplicate_of IS NULL AND sha256 IS NOT NULL "
    "GROUP BY sha256, height, width HAVING count(*) > 1"
)


class JoinedWriting(WordWriting):
    """How an atlas's writer puts what others hold, beside words."""

    def put_rows_of(self, part: PartFile, *tables: str) -> None:
        """All rows of tables that depend on no image (KINDS)."""
        with self.transaction():
            for table in tables:
                self._put(rows.insert(table, KINDS[table]), part.each(table, KINDS[table]))

    def put_images_of(self, part: PartFile, first: int) -> int:
        """All images of a part, of which the first gets the number `first`; how many they are."""
        coming = (_shifted(row, first) for row in part.each("image", rows.IMAGE))
        statement, count = rows.insert("image", rows.IMAGE), 0
        while some := list(islice(coming, _AT_ONCE)):
            self._put(statement, some)
            count += len(some)
        return count

    def put_pictures_of(self, part: PartFile, first: int, images: Iterable[int]) -> None:
        """The small whole pictures of these images of a part, told by their new numbers."""
        found = part.pictures(image - first for image in images)
        self._put(rows.insert("picture", PICTURE), ((row[0] + first, *row[1:]) for row in found))

    def in_two_parts(self, firsts: Sequence[int], *, content: bool) -> Iterator[tuple[int, int]]:
        """Two images that have the same name, or the same content, in different parts; firsts: of each part the first
        image."""
        for one, other in self._connection.execute(_BY_CONTENT if content else _BY_NAME):
            if bisect_right(firsts, one) != bisect_right(firsts, other):
                yield one, other


def _shifted(row: rows.SqlRow, first: int) -> rows.SqlRow:
    moved = list(row)
    for place in _SHIFTED:
        moved[place] = None if row[place] is None else row[place] + first
    return tuple(moved)
