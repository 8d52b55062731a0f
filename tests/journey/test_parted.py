"""Work that travels: without the names of the images, which each piece takes along, the same atlas comes out."""

import pickle
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

import layerscope as ls
from layerscope.core.engines import ENGINES, Engine, Made, one
from layerscope.core.parted import delivered, parted, unpacked
from layerscope.pipeline.scan_work import ScanWork, shards
from layerscope.testing import engines
from layerscope.testing.atlases import Subject
from tests.helpers.building import LAYERS, K, pictures_as_files

LUGGAGE: list[tuple[str, list[str]]] = []


def away(work, pieces) -> Iterator[Made]:
    """Each piece by work that was unpacked once, and knows the images of that piece alone."""
    packed = parted(work, "away")
    there = unpacked(packed.common)
    for piece in pieces:
        luggage = pickle.loads(pickle.dumps(packed.luggage(piece)))
        LUGGAGE.append((type(work).__name__, [entry.identity for entry in luggage.values()]))
        yield pickle.loads(pickle.dumps(delivered(there, piece, luggage)))


@pytest.mark.wide
def test_only_the_names_of_a_piece_travel_with_it(net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES.own, "away", Engine(name="away", sentence="away", open=lambda _: nullcontext(away)))
    LUGGAGE.clear()
    folder = pictures_as_files(tmp_path / "drawn", 140)
    (tmp_path / "atlases").mkdir()
    subject = Subject(net, str(folder), tuple(LAYERS), {"k": K, "codec": "png"})
    engines.same_rows_as_local(ENGINES["away"], subject, tmp_path / "atlases")
    assert {work for work, _ in LUGGAGE} == {"ScanWork", "SampleWork", "ProjectWork", "StrataWork", "UseWork"}
    scanned = [names for work, names in LUGGAGE if work == "ScanWork"]
    assert [len(names) for names in scanned[:2]] == [128, 12]
    assert sorted(name for names in scanned[:2] for name in names) == sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*.png")
    )


def test_the_hollow_work_holds_no_name(net, pictures) -> None:
    """However many images there are, what travels once is as large."""

    def packed_of(limit: int) -> bytes:
        source = ls.images(pictures, limit=limit)
        source.relabel(lambda identity: None)
        work = ScanWork(net.program, [net["relu1"]], source, net.input, k=1, sample=None)
        return parted(work, "away").common

    few, many = packed_of(100), packed_of(140)
    assert abs(len(few) - len(many)) < 16  # numbers of other lengths
    source = ls.images(pictures, limit=140)
    assert not any(entry.identity.encode() in many for entry in source.entries)
    work = unpacked(many)
    with pytest.raises(RuntimeError, match="was not named to this process"):
        one(work, shards(140)[0])
