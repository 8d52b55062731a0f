"""An atlas that is to be merged with others, as it is read: row by row, so that no table of it ever lies in memory."""

from collections.abc import Iterable, Iterator

from layerscope.atlas import rows
from layerscope.atlas.read import AtlasFile

# What tracing and scan left that depends on no image, by table.
KINDS = {"node": rows.NODE, "edge": rows.EDGE, "filter": "layer unit shape weights"}
PICTURE = "image codec height width pixels"


class PartFile(AtlasFile):
    """An atlas, opened for being merged. Raises what AtlasFile raises."""

    def __enter__(self) -> "PartFile":
        return self

    def each(self, table: str, columns: str) -> Iterator[rows.SqlRow]:
        """These columns of all rows of a table, in the order in which they lie; one at a time."""
        return iter(self._connection.execute(rows.select(table, columns)))

    def pictures(self, images: Iterable[int]) -> Iterator[rows.SqlRow]:
        """The small whole pictures of these images, as far as there are any."""
        query = rows.select("picture", PICTURE, "WHERE image = ?")
        return (row for image in images for row in self._connection.execute(query, (image,)))

    def done(self, stage: str) -> set[int]:
        """The pieces of a stage that are marked."""
        return {number for (number,) in self._rows("SELECT id FROM shard WHERE stage = ?", stage)}

    def stages(self) -> tuple[str, ...]:
        """The stages of which some piece is marked."""
        return tuple(stage for (stage,) in self._rows("SELECT DISTINCT stage FROM shard ORDER BY stage"))

    def payload(self, stage: str, shard: int) -> bytes:
        """What was kept with a piece. Raises KeyError for one that is not marked."""
        row = self._row("SELECT payload FROM shard WHERE stage = ? AND id = ?", stage, shard)
        if row is None:
            raise KeyError((stage, shard))
        return row[0]
