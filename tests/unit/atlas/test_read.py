"""What was written is read back, and whatever is not a whole atlas of this version is refused in a sentence."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from layerscope.atlas.codecs import decode, encode
from layerscope.atlas.frames import FRAMES
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import EdgeRecord, NodeRecord, RunRecord
from layerscope.atlas.schema import VERSION
from layerscope.atlas.write import AtlasWriter
from layerscope.core.errors import AtlasError, NotAnAtlas, UnknownVersion, UsageError
from layerscope.core.geometry import Box, Field, Window
from layerscope.core.records import Input, LayerRecord, Peaks, UnitStatistics
from tests.helpers.atlases import CLASSES, INPUT, image_records, layer_records, picture, small_atlas

NAMES = st.text(max_size=12).filter(lambda text: text.isprintable())
FLOATS = arrays.from_dtype(np.dtype(np.float32), allow_nan=False, min_value=-(2.0**99), max_value=2.0**99)
PER_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)


@pytest.fixture
def empty(tmp_path):
    """A new atlas with one image and one node, open for writing, and the same for reading."""
    with AtlasWriter.create(tmp_path / "a.atlas") as writer, AtlasFile(tmp_path / "a.atlas") as file:
        writer.put_images(image_records(30))
        writer.put_nodes([NodeRecord(id=0, name="input", op="input", module="", shape=(3, 8, 8))])
        writer.start_run(RunRecord(network="n", images="i", k=3, input=INPUT))
        yield writer, file


@given(
    network=NAMES,
    settings_=st.dictionaries(NAMES, st.none() | st.booleans() | st.integers() | NAMES | st.lists(NAMES)),
    show=st.none() | st.just((3, 1, 0)),
)
@PER_FILE
def test_a_run_comes_back(empty, network, settings_, show):
    """The latest run is read as it was started, unfinished until it is finished, and its times are set by the clock."""
    writer, file = empty
    channels = 4 if show else 3
    expected = Input(channels=channels, height=5, width=7, resize=9, order="BGR", show=show)
    run = RunRecord(network=network, images="i", k=2, methods=("guided",), input=expected, settings=settings_)
    writer.start_run(run)
    read = file.run
    assert (read.network, read.input, read.settings, read.methods) == (network, expected, settings_, ("guided",))
    assert (read.finished, file.finished) == (None, False)
    writer.finish_run()
    assert file.finished and file.run.finished >= read.started > "2020"


@given(
    name=NAMES,
    units=st.integers(1, 9),
    size=st.none() | st.tuples(st.integers(1, 9), st.integers(1, 9)),
    step=st.fractions(0, 8, max_denominator=8),
    aliases=st.lists(NAMES, max_size=3).map(tuple),
    flags=st.tuples(st.booleans(), st.booleans()),
)
@PER_FILE
def test_a_layer_comes_back(empty, name, units, size, step, aliases, flags):
    """Every part of a layer is kept, steps that are fractions included; it shows no plate before it has one."""
    writer, file = empty
    field = Field(rows=Window(size=5, step=step, start=Fraction(-1, 2)), cols=Window.whole(8), note="why")
    auto, rectified = flags
    record = LayerRecord(
        name=name, path="p", node=0, kind="relu", units=units, map=size, field=field,
        auto=auto, aliases=aliases, rectified=rectified,
    )  # fmt: skip
    writer.put_layer(3, record)
    writer.set_layer_plate(3, tile=None, method=None, why=None)
    (layer,) = file.layers
    assert (layer.id, layer.record, layer.tile, layer.method) == (3, record, None, None)
    writer.set_layer_plate(3, tile=24, method="guided", why="sums")
    writer.put_layer(3, record)
    assert [(layer.tile, layer.method, layer.method_why) for layer in file.layers] == [(24, "guided", "sums")]


def test_arguments_that_are_not_finite_are_told_in_words(empty):
    """Max pooling is padded with minus infinity, which JSON has no number for."""
    writer, file = empty
    args = {"value": float("-inf"), "pad": [0, 1, 0, 1], "of": {"bounds": (0.5, float("inf"))}}
    writer.put_nodes([NodeRecord(id=0, name="pad", op="pad", module="", shape=(3, 8, 8), args=args)])
    (node,) = file.nodes()
    assert node.args == {"value": "-inf", "pad": [0, 1, 0, 1], "of": {"bounds": [0.5, "inf"]}}


def test_nodes_and_edges_come_back(empty):
    """The graph is read in execution order, with shapes and arguments."""
    writer, file = empty
    nodes = (
        NodeRecord(id=0, name="input", op="input", module="", shape=(3, 8, 8)),
        NodeRecord(id=1, name="conv", op="convolution", module="conv", shape=(4, 8, 8), args={"stride": [1, 2]}),
        NodeRecord(id=2, name="cat_1", op="cat", module="", shape=(8, 8, 8)),
    )
    edges = tuple(EdgeRecord(node=n, position=p, source=s) for n, p, s in ((1, 0, 0), (2, 0, 1), (2, 1, 1)))
    writer.put_nodes(nodes)
    writer.put_edges(edges)
    assert (file.nodes(), file.edges()) == (nodes, edges)


@given(value=arrays.arrays(np.float32, (4, 3), elements=FLOATS), kept=arrays.arrays(bool, (4, 3)))
@PER_FILE
def test_peaks_come_back(empty, value, kept):
    """Values to the last bit, empty places as -inf and -1, and the field's box for each."""
    writer, file = empty
    layer = layer_records(4)[0]
    places = np.arange(12).reshape(4, 3)
    peaks = Peaks(
        value=np.where(kept, value, -np.inf).astype(np.float32),
        image=np.where(kept, places, -1),
        row=np.where(kept, places, 0).astype(np.int32),
        col=np.where(kept, 12 - places, 0).astype(np.int32),
    )
    writer.put_nodes([NodeRecord(id=layer.node, name="n", op="relu", module="", shape=())])
    writer.put_layer(0, layer)
    writer.put_peaks(0, peaks, layer.field)
    read = file.all_peaks(0)
    for name in ("value", "image", "row", "col"):
        np.testing.assert_array_equal(getattr(read, name), getattr(peaks, name))
    for unit in range(4):
        found = file.peaks(0, unit)
        assert [peak.rank for peak in found] == np.flatnonzero(kept[unit]).tolist()
        assert all(peak.box == layer.field.box(peak.row, peak.col) for peak in found)


@given(
    scalars=arrays.arrays(np.float32, (5, 4), elements=FLOATS),
    counts=arrays.arrays(np.int64, (4, 11), elements=st.integers(0, 2**60)),
    means=st.integers(0, 3).flatmap(lambda n: arrays.arrays(np.float32, (4, n), elements=FLOATS)),
)
@PER_FILE
def test_unit_statistics_come_back(empty, scalars, counts, means):
    """Every number of every unit, with classes and without."""
    writer, file = empty
    writer.put_nodes([NodeRecord(id=2, name="n", op="relu", module="", shape=())])
    writer.put_layer(0, layer_records(4)[0])
    names = ("mean", "std", "maximum", "images_above", "positions_above")
    put = UnitStatistics(**dict(zip(names, scalars, strict=True)), histogram=counts, class_means=means)
    writer.put_units(0, put)
    read = file.unit_statistics(0)
    for name in (*names, "histogram", "class_means"):
        np.testing.assert_array_equal(getattr(read, name), getattr(put, name))


@given(shape=st.tuples(*[st.integers(1, 6)] * 3), power=st.integers(-30, 30))
@PER_FILE
def test_signals_come_back_to_half_precision(empty, shape, power):
    """A signal of any magnitude within 2^-11 of its largest value; one of zeros exactly."""
    writer, file = empty
    writer.put_nodes([NodeRecord(id=2, name="n", op="relu", module="", shape=())])
    writer.put_layer(0, layer_records(4)[0])
    signal = np.random.default_rng(0).normal(0, 10.0**power, shape).astype(np.float32)
    box = Box(top=-3, left=2, bottom=-3 + shape[1], right=2 + shape[2])
    writer.put_signal(0, 1, 2, "guided", signal, box)
    read, where = file.signal(0, 1, 2, "guided")
    assert where == box
    assert np.abs(read - signal).max() <= np.abs(signal).max() * 2**-11
    writer.put_signal(0, 1, 2, "guided", signal * 0, box)
    assert not file.signal(0, 1, 2, "guided")[0].any()


def test_images_come_back(empty):
    """Used, skipped and repeated images alike; an unknown one is refused."""
    _, file = empty
    assert file.images() == image_records(30)
    assert file.image(29).skipped == "the file is empty"
    assert file.image(28).duplicate_of == 0
    with pytest.raises(UsageError, match="has no image 30"):
        file.image(30)


def test_pictures_tiles_and_filters_come_back(finished):
    """Pixels as their codec keeps them; tiles are cut at the layer's side; what is not there is None."""
    with AtlasFile(finished) as file:
        peak = file.peaks(1, 0)[0]
        np.testing.assert_array_equal(file.picture(peak.image), decode(encode(picture(peak.image)), "jpeg"))
        sheet = file.sheet(1, 0, "patches")
        tiles = file.tiles(sheet)
        box = peak.tile_box
        assert tiles.shape == (9, 24, 24, 3)
        cut = picture(peak.image)[box.top : box.bottom, box.left : box.right]
        assert np.abs(tiles[0].astype(int) - cut).mean() < 12
        assert file.filters(0).shape == (6, 3, 7, 7)
        absent = [file.picture(23), file.filters(1), file.sheet(1, 5, "patches"), file.signal(0, 0, 0, "guided")]
        assert absent == [None] * 4
        assert file.encoded_sheet(2, 0, "projections", "guided", "natural") is None
        assert file.encoded_picture(peak.image).pixels == encode(picture(peak.image), "jpeg")
        assert [image for image in range(24) if file.has_picture(image) != (file.picture(image) is not None)] == []
        held = frozenset(unit for unit in range(6) if file.sheet(1, unit, "patches") is not None)
        assert file.units_with_sheets(1, "patches") == held != frozenset()
        assert file.units_with_sheets(1, "patches", "guided") == frozenset()


def test_layers_are_found_by_name_path_and_alias(finished):
    """Any name that means a layer finds it; a mistyped one is answered with the nearest, a strange one with all."""
    with AtlasFile(finished) as file:
        assert [file.layer(name).id for name in ("features.4", "features", "features.0")] == [1, 1, 0]
        with pytest.raises(UsageError, match=r'has no layer "feature.4"; did you mean features.4'):
            file.layer("feature.4")
        with pytest.raises(UsageError, match=r"it has features.1, features.4, classifier.1"):
            file.layer("@@")


def test_a_name_beats_another_layers_alias(empty):
    """A layer's own name means that layer, even where an earlier one has it as an alias."""
    writer, file = empty
    field = Field(rows=Window.whole(8), cols=Window.whole(8))
    for number, (name, aliases) in enumerate((("a", ("b",)), ("b", ()))):
        record = LayerRecord(name=name, path=name, node=0, kind="relu", units=1, map=None, field=field, aliases=aliases)
        writer.put_layer(number, record)
    assert file.layer("b").id == 1


def test_tables_are_flat_and_complete(finished):
    """Each table has a row per thing and its columns have names of their own."""
    with AtlasFile(finished) as file:
        sizes = {}
        for name in FRAMES:
            columns, rows = file.table(name)
            assert len(set(columns)) == len(columns)
            sizes[name] = len(rows)
        assert sizes == {
            "layers": 3,
            "units": 18,
            "peaks": 3 * (4 * 9 + 2),
            "images": 24,
            "shares": 0,
            "kept": 0,
            "uses": 0,
            "concepts": 0,
            "labels": 0,
            "words": 0,
            "misfits": 0,
        }
        with pytest.raises(UsageError, match='no table "peak": choose one of layers, units, peaks, images, shar'):
            file.table("peak")


def test_threads_may_share_a_file(finished):
    """Questions from several threads at once are all answered right."""
    with AtlasFile(finished) as file:
        expected = [file.peaks(0, unit) for unit in range(6)]
        answers = []

        def ask():
            answers.append([file.peaks(0, unit) for unit in range(6)])

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [expected] * 8


def test_nothing_can_be_written_through_a_reader(finished):
    """The connection refuses changes, whatever is asked of it."""
    with AtlasFile(finished) as file, pytest.raises(sqlite3.OperationalError, match="readonly"):
        file._connection.execute("DELETE FROM image")


def test_a_closed_file_says_so(finished):
    """A question after close is the user's mistake; a second close is none."""
    file = AtlasFile(finished)
    file.close()
    file.close()
    with pytest.raises(AtlasError, match="was closed; open it again"):
        file.images()


def test_an_atlas_without_a_run_says_so(tmp_path):
    """A build that has only just created its file is unfinished, and its run is missing in words."""
    AtlasWriter.create(tmp_path / "a.atlas").close()
    with AtlasFile(tmp_path / "a.atlas") as file:
        assert not file.finished
        with pytest.raises(AtlasError, match="holds nothing yet"):
            _ = file.run


def test_opening_needs_no_torch(finished):
    """A fresh process reads layers and tiles, and torch is not in it."""
    code = f"""
import sys
from layerscope.atlas.read import AtlasFile
with AtlasFile({str(finished)!r}) as file:
    assert file.tiles(file.sheet(0, 0, "patches")).shape == (9, 8, 8, 3)
assert not {{"torch", "pandas", "matplotlib"}} & set(sys.modules), "heavy"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


BAD_FILES = {
    "empty": (b"", "is empty, not an atlas"),
    "short": (b"SQLite format 3\0", "is not an atlas, or is truncated or damaged"),
    "text": (b"a text that is long enough to be a database header, and is none at all " * 20, "is not an atlas"),
    "binary": (bytes(range(256)) * 40, "is not an atlas"),
}


@pytest.mark.parametrize("bad", BAD_FILES)
def test_what_is_no_atlas_is_refused(tmp_path, bad):
    """Reading and resuming refuse the file in the same words, and leave it and its folder as they were."""
    data, sentence = BAD_FILES[bad]
    path = tmp_path / "bad.atlas"
    path.write_bytes(data)
    for opening in (AtlasFile, AtlasWriter.resume):
        with pytest.raises(NotAnAtlas, match=sentence):
            opening(path)
    assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    """A path that does not exist is no atlas to repair but one to build."""
    for opening in (AtlasFile, AtlasWriter.resume):
        with pytest.raises(AtlasError, match=r"missing.atlas does not exist; layerscope build makes an atlas"):
            opening(tmp_path / "missing.atlas")
        with pytest.raises(NotAnAtlas, match="is a folder"):
            opening(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("share", [0.0005, 0.001, 0.02, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_atlas_is_refused(tmp_path, finished, share):
    """Cut anywhere, it does not open: no page of it is shown as if it were whole."""
    data = finished.read_bytes()
    path = tmp_path / "cut.atlas"
    path.write_bytes(data[: max(int(len(data) * share), 1)])
    for opening in (AtlasFile, AtlasWriter.resume):
        with pytest.raises(NotAnAtlas, match="truncated or damaged"):
            opening(path)


def test_damage_in_the_middle_is_one_sentence(tmp_path, finished):
    """A page of rubbish is met while reading: an error of the tree, never wrong tiles or a traceback of SQLite's."""
    data = bytearray(finished.read_bytes())
    path = tmp_path / "damaged.atlas"
    for start in range(8192, len(data), 8192):
        data[start : start + 8192] = b"\xa7" * 8192
    path.write_bytes(bytes(data))
    with pytest.raises(NotAnAtlas, match="damaged"):
        AtlasFile(path).images()


def test_another_database_is_refused(tmp_path):
    """A SQLite file of another program is not an atlas, and stays untouched."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE layer (id)")
    for opening in (AtlasFile, AtlasWriter.resume):
        with pytest.raises(NotAnAtlas, match="is not an atlas: it is another SQLite database"):
            opening(path)


@pytest.mark.parametrize(("version", "advice"), [(VERSION - 1, "build it again"), (99, "update layerscope")])
def test_another_version_is_refused(tmp_path, finished, version, advice):
    """The sentence names both versions and what to do."""
    path = tmp_path / "version.atlas"
    path.write_bytes(finished.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version={version}")
    for opening in (AtlasFile, AtlasWriter.resume):
        with pytest.raises(UnknownVersion, match=rf"version {version}, .* reads version {VERSION}; {advice}"):
            opening(path)


@pytest.mark.parametrize("name", ["with space.atlas", "what?.atlas", "100%25#x.atlas", "größe.atlas", "a'b;c.atlas"])
def test_any_file_name_will_do(tmp_path, name):
    """Characters that mean something in an address are plain characters in a path."""
    small_atlas(tmp_path / name, units=3, images=6, k=2, methods=(), pictures=False)
    with AtlasFile(tmp_path / name) as file:
        assert file.statistic("classes") == list(CLASSES)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_log_that_is_still_in_use_is_read(tmp_path, finished):
    """A file in write-ahead mode without its log, as a copy in a folder for reading only, is read as it is."""
    path = tmp_path / "wal.atlas"
    path.write_bytes(finished.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    with AtlasFile(path) as file:
        assert len(file.layers) == 3


def test_a_stored_codec_of_tomorrow_is_named(tmp_path, finished):
    """A sheet in a codec that this version lacks is refused by the codec's name."""
    path = tmp_path / "a.atlas"
    path.write_bytes(finished.read_bytes())
    with AtlasWriter.resume(path) as writer:
        writer.put_picture(0, "jxl", b"...", 1, 1)
    with AtlasFile(path) as file, pytest.raises(NotAnAtlas, match='stored as "jxl", which nothing here reads: install'):
        file.picture(0)
