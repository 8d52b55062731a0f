"""A data set's split gives the rows that the same files in a folder give, wherever a part of it is read."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pytest

import layerscope as ls
from layerscope.atlas.compare import content_digest
from layerscope.core.choice import EVERY, ChosenImages
from layerscope.core.columns import Columns
from layerscope.core.errors import ImageError, UsageError
from layerscope.core.images import IMAGES
from layerscope.core.records import Input
from layerscope.sources import Source, open_source
from layerscope.sources.rows import LARGEST_GROUP, RowFiles
from layerscope.testing import sources as laws
from layerscope.testing.atlases import same_rows
from tests.helpers.building import LAYERS, small_network
from tests.remote.tables import IMAGES_AND_CLASSES, rows_of, table, write


@pytest.fixture(params=["parquet", "splits", "alone"])
def text(request: pytest.FixtureRequest, parquet: Path, saved: Path) -> str:
    """The same fourteen images in each form of a data set."""
    return {"parquet": f"hf:{parquet}:train", "splits": f"hf:{saved}/splits:train", "alone": f"hf:{saved}/alone"}[
        request.param
    ]


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_laws_of_kinds(text: str, law) -> None:
    law(IMAGES["rows"], text)


def everything(source: Source) -> list[tuple[object, bytes]]:
    """Each record, and the input of each image that can be used."""
    batch = source.load(range(len(source)), Input(height=24, width=20))
    rows = dict(zip(batch.ids.tolist(), batch.pixels, strict=True))
    return [(record, rows[record.id].tobytes() if record.id in rows else b"") for record in batch.records]


def named_as_in(text: str, pictures: Path, choice: ChosenImages = EVERY) -> Source:
    """The folder's images, by the names that the data set has: `save_to_disk` cuts folders off."""
    source = open_source(pictures, choice=choice)
    if "save" in text:
        cut = [replace(entry, identity=entry.identity.rpartition("/")[2]) for entry in source.entries]
        return source.listing_only(cut, name=source.name, said=source.said)
    return source


def test_records_and_pixels_are_those_of_a_folder(text: str, pictures: Path) -> None:
    """Names, sizes, hashes, classes, copies, reasons and pixels: rows hold the files' own bytes."""
    assert everything(open_source(text)) == everything(named_as_in(text, pictures))
    assert open_source(text).label_names == ("ants", "bees", "cats")


@pytest.mark.parametrize("choice", (ChosenImages(sample=5), ChosenImages(sample=9, begin=2, limit=4)), ids=str)
def test_a_sample_is_that_of_a_folder_of_the_same_names(parquet: Path, pictures: Path, choice: ChosenImages) -> None:
    assert everything(open_source(f"hf:{parquet}:train", choice=choice)) == everything(
        open_source(pictures, choice=choice)
    )


def test_a_part_is_that_of_a_folder(text: str, pictures: Path) -> None:
    choice = ChosenImages(begin=3, end=11)
    assert everything(open_source(text, choice=choice)) == everything(named_as_in(text, pictures, choice))


def test_in_another_process_a_piece_alone_is_named(text: str) -> None:
    """What travels is plain: without the names of others, and without what was read."""
    source = open_source(text)
    expected = everything(source)
    away, luggage = pickle.loads(pickle.dumps((source.hollow(), source.named([3, 9]))))
    away.know(luggage)
    batch = away.load([3, 9], Input(height=24, width=20))
    assert [row.tobytes() for row in batch.pixels] == [expected[3][1], expected[9][1]]
    assert len(pickle.dumps(source.hollow())) < 3000
    with pytest.raises(RuntimeError, match="was not named"):
        away.load([0], Input(height=24, width=20))


def test_an_atlas_is_that_of_a_folder(parquet: Path, pictures: Path, tmp_path: Path) -> None:
    """All rows are equal, of images, peaks and pictures."""
    how: dict[str, Any] = {"layers": LAYERS[:2], "k": 3, "methods": ("deconvnet",), "workers": 1, "progress": False}
    net = small_network()
    ls.build(net, pictures, tmp_path / "folder.atlas", **how).close()
    ls.build(net, f"hf:{parquet}:train", tmp_path / "rows.atlas", **how).close()
    same_rows(tmp_path / "rows.atlas", content_digest(tmp_path / "folder.atlas"))


def test_another_revision_is_another_identity(pictures: Path, tmp_path: Path) -> None:
    """The same names with other bytes, and the same rows saved anew with one class changed, are told apart."""
    rows = rows_of(pictures)
    first = open_source(f"hf:{write(tmp_path / 'a.parquet', table(rows))}")
    other = [*rows[:-1], {**rows[-1], "image": {**rows[-1]["image"], "bytes": rows[0]["image"]["bytes"]}}]
    second = open_source(f"hf:{write(tmp_path / 'b.parquet', table(other))}")
    assert first.listing() == second.listing() and list(first.identity()) != list(second.identity())
    third = open_source(f"hf:{write(tmp_path / 'c.parquet', table(rows))}")
    assert list(first.identity()) == list(third.identity())  # wherever it lies


def test_only_the_group_that_holds_a_row_is_read(parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any order of rows; neighbours come of one reading; no column but that of images is read."""
    import pyarrow.parquet as pq

    asked: list[tuple[int, list[str]]] = []
    plain = pq.ParquetFile.read_row_group

    def read(self: Any, group: int, columns: list[str], **options: Any) -> Any:
        asked.append((group, columns))
        return plain(self, group, columns=columns, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", read)
    path = str(parquet / "data" / "train-00000-of-00002.parquet")
    files = RowFiles("image")
    for row in (8, 5, 4, 7, 0):
        assert files.image(path, row)["bytes"]
    assert asked == [(2, ["image"]), (1, ["image"]), (0, ["image"])]


NAMELESS = ([None] * 4, ["a.png", "b.png", "a.png", "c.png"], ["/home/me/a.png", "b", "c", "d"], ["a\n", "b", "c", "d"])


@pytest.mark.parametrize("names", NAMELESS)
def test_rows_without_names_of_their_own_have_numbers(names: list[str | None], pictures: Path, tmp_path: Path) -> None:
    """A name that two rows share, that is none, or that only one machine knows tells nothing: then numbers do."""
    pairs = zip(rows_of(pictures), names, strict=False)
    rows = [{**row, "image": {**row["image"], "path": name}} for row, name in pairs]
    source = open_source(f"hf:{write(tmp_path / 'a.parquet', table(rows))}")
    assert [name for name, _ in source.listing()] == ["0", "1", "2", "3"]


def test_a_row_without_an_image_is_skipped_with_its_reason(pictures: Path, tmp_path: Path) -> None:
    rows = rows_of(pictures)[:3]
    rows[1]["image"], rows[2]["image"] = None, {"bytes": b"no picture", "path": "x"}
    source = open_source(f"hf:{write(tmp_path / 'a.parquet', table(rows))}")
    skipped = [(one.id, one.skipped) for one in source.check()]
    assert skipped == [(1, "the row holds no image"), (2, "not an image")]


def hashes(source: Source) -> list[str | None]:
    """Of the first three images."""
    return [source.read(id)[0].sha256 for id in range(3)]


def test_images_beside_the_table_are_read_there(pictures: Path, tmp_path: Path) -> None:
    """A row may hold the path of a file of this machine in place of bytes, as `save_to_disk` leaves it."""
    files = sorted(path for path in pictures.rglob("*") if path.is_file())
    rows = [{"image": {"bytes": None, "path": str(path)}, "label": None} for path in files]
    table(rows).save_to_disk(tmp_path / "saved")
    source = open_source(f"hf:{tmp_path / 'saved'}")
    assert hashes(source) == hashes(open_source(pictures))
    assert source.labelling() == [None] * len(files)


OTHER_LABELS = {
    "text": (datasets.Value("string"), ["ant", "bee", ""], ["ant", "bee", None]),
    "number": (datasets.Value("int16"), [3, 0, None], ["3", "0", None]),
    "held back": (datasets.ClassLabel(names=["x", "y"]), [1, -1, 0], ["y", None, "x"]),
}


@pytest.mark.parametrize("kind", OTHER_LABELS)
def test_classes_of_a_column_that_is_named(kind: str, pictures: Path, tmp_path: Path) -> None:
    feature, held, expected = OTHER_LABELS[kind]
    rows = [{"image": row["image"], "of": one} for row, one in zip(rows_of(pictures), held, strict=False)]
    path = write(tmp_path / "a.parquet", table(rows, {"image": datasets.Image(), "of": feature}))
    assert open_source(f"hf:{path}", columns=Columns(label="of")).labelling() == expected


def test_bytes_that_are_not_stated_to_be_images_are_taken_where_they_are_named(pictures: Path, tmp_path: Path) -> None:
    """Files that others than `datasets` wrote: a column of bytes, or of bytes and a name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = rows_of(pictures)[:3]
    pq.write_table(pa.table({"jpg": [row["image"]["bytes"] for row in rows]}), tmp_path / "bytes.parquet")
    pq.write_table(pa.table({"jpg": [row["image"] for row in rows]}), tmp_path / "pairs.parquet")
    for name in ("bytes", "pairs"):
        with pytest.raises(UsageError, match=r'states no column of images; its columns are "jpg" \((binary|fields)'):
            open_source(f"hf:{tmp_path}/{name}.parquet")
        source = open_source(f"hf:{tmp_path}/{name}.parquet", columns=Columns(image="jpg"))
        assert hashes(source) == hashes(open_source(pictures))


WITH = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["a"]), "score": datasets.Value("float32")}
REFUSED = {
    "no images": ({"score": WITH["score"]}, {}, r'no column of images; its columns are "score" \(float32\)'),
    "several": ({**WITH, "mask": WITH["image"]}, {}, r'several columns of images, "image" and "mask": name one \(--im'),
    "unknown": (WITH, {"image": "x"}, r'no column "x"; its columns are "image" \(images\), "label" \(classes\), "sco'),
    "wrong": (WITH, {"image": "score"}, r'column "score" of .* holds float32, no encoded images; its columns are "im'),
    "no label": (WITH, {"label": "score"}, r'column "score" of .* holds float32, no classes: they are classes, texts'),
    "unknown label": (WITH, {"label": "y"}, r'has no column "y"; its columns are "image"'),
    "the images": (WITH, {"label": "image"}, r'the column "image" of .* holds images, no classes'),
}


@pytest.mark.parametrize("case", REFUSED)
def test_columns_that_cannot_be_meant_are_refused(case: str, tmp_path: Path) -> None:
    features, named, sentence = REFUSED[case]
    path = write(tmp_path / "a.parquet", table([dict.fromkeys(features)], features))
    with pytest.raises(UsageError, match=sentence):
        open_source(f"hf:{path}", columns=Columns(**named))


def test_several_columns_of_classes_are_left_until_one_is_named(pictures: Path, tmp_path: Path) -> None:
    features = {**IMAGES_AND_CLASSES, "fine": datasets.ClassLabel(names=["a", "b"])}
    rows = [{**row, "fine": 1} for row in rows_of(pictures)[:3]]
    path = write(tmp_path / "a.parquet", table(rows, features))
    source = open_source(f"hf:{path}")
    assert source.labelling() == [None] * 3 and 'several columns of classes, "label" and "fine"' in source.said[0]
    assert open_source(f"hf:{path}", columns=Columns(label="fine")).labelling() == ["b"] * 3


def test_a_split_that_is_not_there_is_refused_with_those_that_are(parquet: Path, saved: Path) -> None:
    for place in (parquet, saved / "splits"):
        with pytest.raises(UsageError, match='has no split "tran"; there are train, test; did you mean train'):
            open_source(f"hf:{place}:tran")
        with pytest.raises(UsageError, match="names no split; there are train, test"):
            open_source(f"hf:{place}")
    with pytest.raises(UsageError, match="names a split, and a data set of one split has none"):
        open_source(f"hf:{saved}/alone:train")
    with pytest.raises(UsageError, match="names none of the configurations, default"):
        open_source(f"hf:{parquet}:small:train")


def test_a_configuration_has_splits_of_its_own(parquet: Path, tmp_path: Path) -> None:
    """As a data set's card names them."""
    lines = ["---", "configs:", "- config_name: few", "  data_files:", "  - split: held", "    path: data/test-*",
             "- config_name: all", "  data_files: data/train-*", "---"]  # fmt: skip
    (tmp_path / "set" / "data").mkdir(parents=True)
    (tmp_path / "set" / "README.md").write_text("\n".join(lines))
    for path in (parquet / "data").iterdir():
        (tmp_path / "set" / "data" / path.name).write_bytes(path.read_bytes())
    assert len(open_source(f"hf:{tmp_path}/set:few:held")) == 3
    assert len(open_source(f"hf:{tmp_path}/set:all:train")) == 14
    with pytest.raises(UsageError, match=r"none of the configurations, few, all: write hf:.*:CONFIGURATION:SPLIT"):
        open_source(f"hf:{tmp_path}/set:held")


def test_what_is_empty_or_broken_is_refused(parquet: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"empty\.parquet holds no rows"):
        open_source(f"hf:{write(tmp_path / 'empty.parquet', table([]))}")
    whole = (parquet / "data" / "train-00000-of-00002.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-100])
    with pytest.raises(ImageError, match=r"cut\.parquet.* cannot be read"):
        open_source(f"hf:{tmp_path / 'cut.parquet'}")
    (tmp_path / "none").mkdir()
    with pytest.raises(ImageError, match="holds neither Parquet files nor a data set that save_to_disk wrote"):
        open_source(f"hf:{tmp_path / 'none'}")


def test_a_group_of_rows_that_is_broken_leaves_out_its_images_alone(pictures: Path, tmp_path: Path) -> None:
    """Its rows are skipped with a reason, those of the other groups are read."""
    import pyarrow.parquet as pq

    path = write(tmp_path / "a.parquet", table(rows_of(pictures)))
    about = pq.ParquetFile(path).metadata.row_group(1)
    of_bytes = next(one for one in map(about.column, range(3)) if one.path_in_schema == "image.bytes")
    held, place = bytearray(path.read_bytes()), of_bytes.dictionary_page_offset or of_bytes.data_page_offset
    source = open_source(f"hf:{path}")
    held[place : place + 16] = b"\xff" * 16
    path.write_bytes(held)
    left = {one.id: one.skipped or "" for one in source.check()}
    broken = {one.id for one in open_source(pictures).check()}
    assert left.keys() == {4, 5, 6, 7} | broken and left[5].startswith("unreadable: ")


def test_a_group_of_rows_that_is_too_large_is_refused(parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything of it is read."""
    assert LARGEST_GROUP >= 2**30
    monkeypatch.setattr("layerscope.sources.rows.LARGEST_GROUP", 5000)
    with pytest.raises(ImageError, match="GiB of images in one group of rows, which would be read at once"):
        open_source(f"hf:{parquet}:train")
