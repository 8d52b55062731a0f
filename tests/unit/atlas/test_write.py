"""One writer, whole transactions: whatever happens to it, the file holds the old state or the new."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest

from layerscope.atlas.compare import content_digest
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.write import AtlasWriter
from layerscope.core.errors import AtlasError
from layerscope.core.geometry import Box
from layerscope.core.records import ImageRecord
from tests.helpers.atlases import layer_records, small_atlas


def image(number: int) -> ImageRecord:
    return ImageRecord(id=number, source=f"{number}.jpg")


def names_in(folder) -> list[str]:
    return sorted(os.listdir(folder))


def test_a_finished_atlas_is_one_file(finished):
    """Nothing is left beside it, and it is in no write-ahead mode."""
    assert names_in(finished.parent) == [finished.name]
    with closing(sqlite3.connect(finished)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_the_same_values_make_the_same_rows(tmp_path, finished):
    """Content digests are equal for equal values, differ in just the table that differs, and ignore the run."""
    again = small_atlas(tmp_path / "again.atlas", units=6, images=24)
    assert content_digest(again) == content_digest(finished)
    with AtlasWriter.resume(again) as writer:
        assert writer.run is not None
        writer.start_run(writer.run)
        writer.mark("scan", 7, b"state")
        assert content_digest(again) == content_digest(finished)
        writer.put_statistic("classes", ["other"])
    changed = content_digest(again)
    assert [name for name, digest in content_digest(finished).items() if changed[name] != digest] == ["statistic"]


def test_the_same_file_bytes_come_out_of_one_process(tmp_path):
    """Two atlases of the same values have the same digests in every table, sheets and packed arrays included."""
    first, second = (content_digest(small_atlas(tmp_path / name, units=3, images=16)) for name in ("a", "b"))
    assert first == second
    assert {"edge", "filter", "image", "layer", "node", "peak", "picture", "sheet", "statistic", "unit"} < set(first)
    assert not {"run", "shard"} & set(first)


def test_an_error_undoes_its_transaction(tmp_path):
    """All of a transaction is kept or nothing, also where it contains others; Ctrl-C counts as an error."""
    with AtlasWriter.create(tmp_path / "a.atlas") as writer:
        writer.put_images([image(0)])
        for error in (ValueError, KeyboardInterrupt):
            with pytest.raises(error), writer.transaction():
                writer.put_images([image(1)])
                with writer.transaction():
                    writer.mark("scan", 0)
                raise error
        assert list(writer.images()) == [image(0)]
        assert writer.done("scan") == set()


def test_a_put_that_fails_halfway_leaves_nothing(tmp_path):
    """Rows that an iterator yielded before it failed are not kept."""

    def images():
        yield image(0)
        raise ValueError

    with AtlasWriter.create(tmp_path / "a.atlas") as writer:
        with pytest.raises(ValueError):
            writer.put_images(images())
        assert list(writer.images()) == []


def test_what_no_transaction_finished_is_undone_at_the_end(tmp_path):
    """A writer that is closed within a transaction keeps what stood before it."""
    writer = AtlasWriter.create(tmp_path / "a.atlas")
    writer.mark("scan", 0, b"zero")
    with pytest.raises(sqlite3.ProgrammingError), writer.transaction():
        writer.mark("scan", 1)
        writer.close()
        writer.mark("scan", 2)
    with AtlasWriter.resume(tmp_path / "a.atlas") as again:
        assert again.done("scan") == {0}
        assert again.payload("scan", 0) == b"zero"


def test_marks_are_replaced_cleared_and_missed(tmp_path):
    """The payload of a piece is its last one; a piece that is not done is a KeyError; stages do not mix."""
    with AtlasWriter.create(tmp_path / "a.atlas") as writer:
        writer.mark("scan", 3, b"old")
        writer.mark("scan", 3, b"new")
        writer.mark("project", 5)
        assert (writer.payload("scan", 3), writer.payload("project", 5)) == (b"new", b"")
        writer.clear("scan")
        assert (writer.done("scan"), writer.done("project")) == (set(), {5})
        with pytest.raises(KeyError):
            writer.payload("scan", 3)


def test_replacing_keeps_the_rows_ids(tmp_path, finished):
    """Writing everything again over an atlas changes nothing: what is done twice is as if done once."""
    path = tmp_path / "a.atlas"
    path.write_bytes(finished.read_bytes())
    before = content_digest(path)
    with AtlasFile(finished) as file, AtlasWriter.resume(path) as writer:
        writer.put_images(file.images())
        writer.put_nodes(file.nodes())
        writer.put_edges(file.edges())
        for layer in file.layers:
            writer.put_layer(layer.id, layer.record)
            writer.put_units(layer.id, file.unit_statistics(layer.id))
        stored, sheet = file.encoded_sheet(0, 1, "patches"), file.sheet(0, 1, "patches")
        writer.put_sheet(0, 1, "patches", "", "", sheet.scales, stored.codec, stored.pixels)
        writer.put_statistic("classes", file.statistic("classes"))
        writer.put_filters(0, file.filters(0))
    assert content_digest(path) == before


def test_peaks_are_replaced_as_a_whole(tmp_path, finished):
    """New peaks of a layer leave none of the old ones, and boxes wait to be set again."""
    path = tmp_path / "a.atlas"
    path.write_bytes(finished.read_bytes())
    with AtlasWriter.resume(path) as writer, AtlasFile(path) as file:
        peaks = file.all_peaks(0)
        peaks.image[:, 1:] = -1
        writer.put_peaks(0, peaks, layer_records(6)[0].field)
        (peak,) = file.peaks(0, 0)
        assert (peak.tile_box, peak.source_box) == (None, None)
        tile, source = Box(top=-1, left=2, bottom=3, right=4), Box(top=5, left=6, bottom=7, right=8)
        writer.set_boxes(0, [(0, 0, tile, source)])
        (peak,) = file.peaks(0, 0)
        assert (peak.tile_box, peak.source_box) == (tile, source)


def test_a_second_writer_is_told_who_holds_the_file(tmp_path):
    """Two builds into one file: the second one stops and names the first one's process; afterwards it may go on."""
    path = tmp_path / "a.atlas"
    with AtlasWriter.create(path):
        for second in (AtlasWriter.create, AtlasWriter.resume):
            with pytest.raises(AtlasError, match=rf"being written by another build \(process {os.getpid()}\); wait"):
                second(path)
        code = f"from layerscope.atlas.write import AtlasWriter; AtlasWriter.resume({str(path)!r})"
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert f"being written by another build (process {os.getpid()})" in child.stderr
    AtlasWriter.resume(path).close()
    assert names_in(tmp_path) == ["a.atlas"]


def test_a_forked_child_does_not_hold_the_lock(tmp_path):
    """A worker that outlives its build keeps nobody from resuming."""
    path = tmp_path / "a.atlas"
    writer = AtlasWriter.create(path)
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.write(ready[1], b".")
        os.read(done[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    try:
        writer.close()
        AtlasWriter.resume(path).close()
    finally:
        os.write(done[1], b".")
        os.waitpid(child, 0)


def test_an_existing_file_is_safe(tmp_path, finished):
    """Creating refuses a file that exists; overwriting replaces an atlas, and never anything else."""
    path = tmp_path / "a.atlas"
    path.write_bytes(finished.read_bytes())
    with pytest.raises(AtlasError, match="exists already; choose another file, or overwrite it"):
        AtlasWriter.create(path)
    assert content_digest(path) == content_digest(finished)
    with AtlasWriter.create(path, overwrite=True) as writer:
        assert (writer.run, writer.layers()) == (None, ())
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"\xff\xd8 a photograph" * 20)
    with pytest.raises(AtlasError, match="is not an atlas and will not be overwritten"):
        AtlasWriter.create(photo, overwrite=True)
    assert photo.read_bytes() == b"\xff\xd8 a photograph" * 20
    assert names_in(tmp_path) == ["a.atlas", "photo.jpg"]


def test_overwriting_leaves_nothing_of_an_interrupted_build(tmp_path):
    """The log beside an unfinished atlas does not reach into its successor."""
    path = tmp_path / "a.atlas"
    killed_while(path, "writer.put_images([image(0)])")
    assert "a.atlas-wal" in names_in(tmp_path)
    with AtlasWriter.create(path, overwrite=True) as writer:
        assert list(writer.images()) == []
    assert names_in(tmp_path) == ["a.atlas"]


@pytest.mark.parametrize(("place", "sentence"), [("", "is a folder"), ("no/a.atlas", "does not exist; make it first")])
def test_a_place_that_cannot_hold_an_atlas_is_named(tmp_path, place, sentence):
    """A folder, or a file in a folder that is not there."""
    with pytest.raises(AtlasError, match=sentence):
        AtlasWriter.create(tmp_path / place, overwrite=True)


def killed_while(path, work: str) -> None:
    """Run `work` on a new atlas (or an existing one) in a process that is then killed by SIGKILL."""
    code = f"""
import os, signal
from pathlib import Path
from layerscope.atlas.write import AtlasWriter
from layerscope.core.records import ImageRecord
def image(number):
    return ImageRecord(id=number, source=f"{{number}}.jpg")
path = Path({str(path)!r})
writer = AtlasWriter.resume(path) if path.exists() else AtlasWriter.create(path)
{work}
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL


def test_a_killed_build_leaves_the_old_state(tmp_path):
    """SIGKILL within a transaction, however large: what was finished is there, nothing else, readable and resumable."""
    path = tmp_path / "a.atlas"
    work = """
writer.put_images([image(0)])
writer.mark("scan", 0, b"kept")
context = writer.transaction()
context.__enter__()
writer.put_images(map(image, range(1, 3000)))
writer.mark("scan", 1, bytes(20_000_000))
"""
    killed_while(path, work)
    with AtlasFile(path) as file:
        assert [record.id for record in file.images()] == [0]
    killed_while(path, 'assert writer.done("scan") == {0}; writer.mark("scan", 2)')
    with AtlasWriter.resume(path) as writer:
        assert writer.done("scan") == {0, 2}
        assert writer.payload("scan", 0) == b"kept"
    assert names_in(tmp_path) == ["a.atlas"]


def test_a_full_disk_loses_nothing_that_was_finished(tmp_path):
    """The error says what to do; the transaction is undone; with space again the writer goes on."""
    with AtlasWriter.create(tmp_path / "a.atlas") as writer:
        writer.mark("scan", 0, b"kept")
        (pages,) = writer._connection.execute("PRAGMA page_count").fetchone()
        writer._connection.execute(f"PRAGMA max_page_count={pages + 4}")
        full = r"the disk is full: .* free space and run the same command again"
        with pytest.raises(AtlasError, match=full), writer.transaction():
            writer.mark("scan", 1, bytes(1000))
            writer.mark("scan", 2, bytes(1_000_000))
        assert writer.done("scan") == {0}
        writer._connection.execute("PRAGMA max_page_count=1000000")
        writer.mark("scan", 2, bytes(1_000_000))
        assert writer.done("scan") == {0, 2}


def test_readers_see_finished_work_while_a_build_writes(tmp_path):
    """An open transaction is invisible, a finished one visible, and neither waits for the other."""
    path = tmp_path / "a.atlas"
    with AtlasWriter.create(path) as writer, AtlasFile(path) as file:
        with writer.transaction():
            writer.put_images([image(0)])
            assert file.images() == []
        assert file.images() == [image(0)]
    with AtlasFile(path) as file:
        assert file.images() == [image(0)]


def test_statistics_are_told_apart_by_layer_and_method(tmp_path, finished):
    """The same name for another layer or method is another statistic; the same key is replaced."""
    path = tmp_path / "a.atlas"
    path.write_bytes(finished.read_bytes())
    with AtlasWriter.resume(path) as writer, AtlasFile(path) as file:
        writer.put_statistic("x", 1)
        writer.put_statistic("x", np.float32(0.5), layer=0)
        writer.put_statistic("x", np.eye(2), layer=0, method="guided")
        writer.put_statistic("x", 2)
        found = [file.statistic("x"), file.statistic("x", 0), file.statistic("x", 0, "guided"), file.statistic("x", 1)]
        assert found == [2, 0.5, [[1, 0], [0, 1]], None]
        with pytest.raises(ValueError):
            writer.put_statistic("x", float("nan"))
