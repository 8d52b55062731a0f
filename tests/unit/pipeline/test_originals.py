"""Copies drop out of batches; what they leave is joined in full batches, and nothing else moves."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from layerscope.atlas.write import AtlasWriter
from layerscope.core.records import Batch, ImageRecord, Placement
from layerscope.pipeline.originals import copies_in_words, originals

SIZE = 4


def placement(id: int) -> Placement:
    return Placement(row_scale=1.0, col_scale=1.0, top=float(id), left=0.0, height=2, width=3)


def batch(ids: list[int], copies: set[int], skipped: set[int]) -> Batch:
    """A batch whose pixels tell the image."""
    used = [id for id in ids if id not in skipped]
    rows = np.broadcast_to(np.array(used, np.float32)[:, None, None, None], (len(used), 2, 3, 1)).copy()
    reasons, firsts = dict.fromkeys(skipped, "broken"), dict.fromkeys(copies, 0)
    records = tuple(
        ImageRecord(id=id, source=str(id), skipped=reasons.get(id), duplicate_of=firsts.get(id)) for id in ids
    )
    return Batch(
        ids=np.array(used, np.int64),
        pixels=rows.transpose(0, 3, 1, 2),
        placements=tuple(map(placement, used)),
        records=records,
    )


@given(count=st.integers(0, 30), copies=st.sets(st.integers(1, 29)), skipped=st.sets(st.integers(0, 29), max_size=4))
def test_what_is_left_is_joined_in_order(count: int, copies: set[int], skipped: set[int]) -> None:
    """Every original once and in order, with its own pixels and placement; no batch is smaller than it must be."""
    copies = copies - skipped
    given_batches = [batch(list(range(f, min(f + SIZE, count))), copies, skipped) for f in range(0, count, SIZE)]
    found = list(originals(iter(given_batches), SIZE))
    left = [id for id in range(count) if id not in copies | skipped]
    assert [id for one in found for id in one.ids.tolist()] == left
    for one in found:
        assert len(one.ids) <= SIZE and one.pixels.shape == (len(one.ids), 1, 2, 3)
        assert one.pixels.transpose(0, 2, 3, 1).flags.c_contiguous
        assert one.pixels[:, 0, 1, 2].tolist() == one.ids.tolist() == [place.top for place in one.placements]
    first = min(
        (number for number, one in enumerate(given_batches) if any(r.id in copies for r in one.records)), default=None
    )
    if first is None:
        assert all(a is b for a, b in zip(found, given_batches, strict=True))
    else:
        # One without copies that follows on a full one stays as it is, also where skipped images have made it smaller.
        as_they_were = {id(one) for one in given_batches}
        assert all(len(one.ids) == SIZE or id(one) in as_they_were for one in found[first:-1])


def test_copies_are_counted_and_other_classes_said(tmp_path: Path) -> None:
    """How many were left out; and of those whose first lies in another class, one by name. Nothing without copies."""
    first = ImageRecord(id=0, source="a/0.png", label="a")
    same = ImageRecord(id=1, source="a/1.png", label="a", duplicate_of=0)
    other = ImageRecord(id=2, source="b/2.png", label="b", duplicate_of=0)
    assert said_of(tmp_path, first) == []
    (said,) = said_of(tmp_path, first, same)
    assert said.startswith("1 of 2 images is a copy of another (the same bytes) and was left out")
    counted, classes = said_of(tmp_path, first, same, other)
    assert counted.startswith("2 of 3 images are copies of others (the same bytes) and were left out")
    assert "1 of the copies lies in another class" in classes and '"b/2.png" is in "b", its first in "a"' in classes


def said_of(folder: Path, *records: ImageRecord) -> list[str]:
    """What is said of an atlas with these images."""
    with AtlasWriter.create(folder / "a.atlas", overwrite=True) as writer:
        with writer.transaction():
            writer.put_images(records)
        return copies_in_words(writer.copies())
