"""What an atlas says each unit's marked pixels keep, beside whole pictures changed by hand."""

import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import layerscope as ls
from layerscope.core.errors import UsageError
from tests.helpers import kept
from tests.helpers.building import INPUT, Small
from tests.helpers.reference import Reference
from tests.helpers.viewing import viewing
from tests.journey.test_build import build
from tests.journey.test_causes import module as module

LAYERS = ["relu1", "relu3"]


def test_every_unit_has_what_its_own_marks_keep(module: Small, pictures, built) -> None:
    """Of its first peak, by each method, beside random px; a unit without a peak says why it has none."""
    source = ls.images(pictures)
    with ls.open(built.path) as atlas:
        frame, told = atlas.to_frame("kept"), 0
        for layer in (atlas[name] for name in LAYERS):
            for unit in layer:
                if not unit.peaks:
                    with pytest.raises(UsageError, match="never above zero"):
                        unit.kept_by()
                    continue
                peak, node = unit.peaks[0], layer.stored.record.node
                picture, box = source.load([peak.image], INPUT).pixels[0], layer.field.box(peak.row, peak.col)
                reference = Reference(module, picture.astype(np.float64), [layer.name])
                box, place = box.clipped(*picture.shape[1:]), (unit.number, peak.row, peak.col)
                field = range(box.top, box.bottom), range(box.left, box.right)
                noise = np.random.default_rng([0, node, 2, unit.number]).random(picture.shape[1:])
                random = kept.share_kept(module, picture, layer.name, place, noise, *field)
                for method in atlas.run.methods:
                    marks = kept.marks(reference, layer.name, place, method)
                    if not marks.any():
                        with pytest.raises(UsageError, match="the method marks nothing there"):
                            unit.kept_by(method)
                        continue
                    found, told = unit.kept_by(method), told + 1
                    own = kept.share_kept(module, picture, layer.name, place, marks, *field)
                    assert (found.own, found.random) == pytest.approx((own, random), abs=1e-4)
                    row = frame[(frame.layer == layer.name) & (frame.unit == unit.number) & (frame.method == method)]
                    assert (row.own.item(), row.random.item()) == (found.own, found.random)
        assert told > 10
        shown = ls.show(atlas, "relu3", next(unit.number for unit in atlas["relu3"] if unit.peaks))
        assert "% of the field keep" in shown.said and shown.data()["kept"][0]["method"] in atlas.run.methods


def test_the_units_page_tells_it(built) -> None:
    """In a section of its own, and in its JSON; a unit that has no peak has no such section."""
    with ls.open(built.path) as atlas, viewing(built.path) as client:
        for unit in atlas["relu3"]:
            address = f"/{built.path.stem}/l/relu3/u/{unit.number}"
            page, kept_by = client.get(address), atlas.file.kept_by(unit.layer.stored.id, unit.number)
            assert page.status_code == 200
            assert ("What the marked pixels keep" in page.text) == bool(kept_by)
            told = client.get(f"{address}?format=json").json()["kept"]
            assert told == [asdict(one) for one in kept_by]


def test_an_atlas_from_before_says_so(net, pictures, built, tmp_path: Path) -> None:
    """What it lacks is told, with what to do; what the same command makes anew it fills."""
    out = tmp_path / "old.atlas"
    out.write_bytes(built.path.read_bytes())
    with closing(sqlite3.connect(out)) as connection, connection:
        connection.execute("DROP TABLE kept")
    with ls.open(out) as atlas:
        assert atlas.to_frame("kept").empty
        unit = next(unit for unit in atlas["relu3"] if unit.peaks)
        with pytest.raises(UsageError, match="before this was measured: `--overwrite` measures it"):
            unit.kept_by()
        with pytest.raises(UsageError, match='holds no projections by "gradient"'):
            unit.kept_by("gradient")
    build(net, pictures, out, methods=("deconvnet", "guided", "gradient"))
    with ls.open(out) as atlas:
        assert atlas[unit.layer.name][unit.number].kept_by("gradient").own >= 0
        with pytest.raises(UsageError, match="`--overwrite`"):
            atlas[unit.layer.name][unit.number].kept_by("guided")
