import pytest

from layerscope.core.errors import UsageError
from layerscope.core.records import Input
from layerscope.sources import open_source


def classes(folder, text):
    file = folder.parent / "labels.csv"
    file.write_text(text, encoding="utf-8-sig", newline="")
    source = open_source(folder, labels=file)
    return {identity: source.label(id) for id, (identity, _) in enumerate(source.listing()) if source.label(id)}


@pytest.mark.parametrize(
    "text",
    [
        "a/1.jpg, cat\nz.gif, dog\n",
        "file\tclass\n./a/1.jpg\tcat\n\nz.gif\tdog",
        'filename,label\n"1.jpg","cat"\nz,dog\n',
        "a\\1.jpg,cat\na/1.jpg,cat\nz.gif,dog",
    ],
)
def test_files_are_named_by_path_by_name_or_by_key(folder, text):
    """Commas or tabs, with a header or without; the folders' classes are replaced, unnamed images have none."""
    assert classes(folder, text) == {"a/1.jpg": "cat", "z.gif": "dog"}


@pytest.mark.parametrize(
    "text, message",
    [
        ("a/1.jpg\n", "line 1: expected two fields"),
        ("z.gif,dog\na/1.jpg,big,cat\n", "line 2: expected two fields, file and class, got 3"),
        ("file,class\nb/2.pngg,dog\n", 'line 2: there is no image "b/2.pngg"; did you mean b/2.png'),
        ("1.jpg,cat\na/1.jpg,dog", 'line 2: "a/1.jpg" has two classes, "cat" and "dog"'),
        ("file,class\n", "labels no image"),
    ],
)
def test_a_wrong_line_is_named(folder, text, message):
    """Each mistake is one sentence with the file and the line."""
    with pytest.raises(UsageError, match=message):
        classes(folder, text)


TABLES = {
    "fastai": "filenames,cats\na/1.jpg,cat\nz.gif,dog\n",
    "Kaggle, keys": "id,breed\n1,cat\nz,dog\n",
    "image_id,label": "image_id,label\n1.jpg,cat\nz.gif,dog\n",
    "pandas with its index": ",file,class\n0,1.jpg,cat\n1,z.gif,dog\n",
    "pandas, read and written": "Unnamed: 0,file,class\n0,1.jpg,cat\n1,z.gif,dog\n",
    "semicolons": "file;class\n1.jpg;cat\nz.gif;dog\n",
    "semicolons and commas": "file;class;note\n1.jpg;cat;a, b\nz.gif;dog;c\n",
    "Windows paths": "file,class\nphotos\\a\\1.jpg,cat\n.\\photos\\z.gif,dog\n",
    "the folder in front": "file,class\nphotos/a/1.jpg,cat\nphotos/z.gif,dog\n",
    "elsewhere on another machine": "file,class\nC:\\data\\pets\\a\\1.jpg,cat\nC:\\data\\pets\\z.gif,dog\n",
    "class first": "class,file\ncat,1.jpg\ndog,z.gif\n",
    "class first, no heading": "cat,a/1.jpg\ndog,z.gif\n",
    "more columns": "file,class,split\n1.jpg,cat,train\nz.gif,dog,train\n",
    "a class among numbers": "width,file,height,label\n32,1.jpg,24,cat\n32,z.gif,24,dog\n",
    "more rows": "file,class\n1.jpg,cat\nz.gif,dog\n9.jpg,cow\n",
    "a table of very many others": "file,class\n"
    + "".join(f"{n}.png,cow\n" for n in range(10, 3000))
    + "1,cat\nz,dog\n",
    "another set's rows": "file,class\nphotos/a/1.jpg,cat\nphotos/z.gif,dog\ntest/z.gif,cow\n",
    "blanks (Caffe)": "a/1.jpg cat\nz.gif  dog\n",
    "bars": "a/1.jpg|cat\nz.gif|dog\n",
    "quotes": '"file","class"\n"1.jpg","cat"\n"z.gif","dog"\n',
    "empty class": "file,class\n1.jpg,cat\nz.gif,dog\n2.png,\n",
    "a later row labels it": "file,class\n1.jpg,\n1.jpg,cat\nz.gif,dog\n",
    "partial path": "deep/3.webp,\na/1.jpg,cat\nz.gif,dog\n",
}


@pytest.mark.parametrize("table", TABLES)
def test_tables_as_people_have_them_are_read(folder, table):
    """Whatever the columns are called, and whatever parts them, a/1.jpg is a cat and z.gif a dog."""
    assert classes(folder, TABLES[table]) == {"a/1.jpg": "cat", "z.gif": "dog"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_text_of_spreadsheets_is_read(folder, encoding):
    """UTF-8 with a mark and without, UTF-16 with one, and the line ends of Windows."""
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    file = folder.parent / "labels.csv"
    file.write_bytes(mark + "file\tclass\r\nz.gif\tZebra ü\r\n".encode(encoding))
    assert open_source(folder, labels=file).label_names == ("Zebra ü",)


def test_lines_and_images_that_do_not_meet_are_counted(folder):
    """Rows of other images, and images without a row."""
    file = folder.parent / "labels.csv"
    file.write_text("file,class\nz.gif,dog\nnine.jpg,cat\nten.jpg,cat\n")
    remarks = open_source(folder, labels=file).remarks(Input(height=8, width=8))
    assert "6 of the 7 images have no class in labels.csv" in remarks
    assert '2 lines of labels.csv name no image here, "nine.jpg" (line 3) first' in remarks


def test_the_index_that_pandas_writes_is_not_taken_for_the_images(tmp_path, draw):
    """Even where the images are called 0 and 1."""
    for number in range(2):
        draw(number).save(tmp_path / f"{number}.png")
    (tmp_path / "labels.csv").write_text(",file,class\n0,1.png,one\n1,0.png,zero\n")
    source = open_source(tmp_path, labels=tmp_path / "labels.csv")
    assert source.labelling() == ["zero", "one"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("file,a,b\n1.jpg,1,0\nz.gif,0,1\n", 'which column holds the class. a, b stand beside "file"'),
        ('{"1.jpg": "cat"}', "is JSON; write it as a table"),
        ("x/1.jpg,cat\ny/z.gif,dog\n", 'there is no image "x/1.jpg"|there is no image "y/z.gif"'),
    ],
)
def test_what_leaves_a_choice_open_is_refused(folder, text, message):
    """One-hot columns, another form, paths through folders that are not there."""
    with pytest.raises(UsageError, match=message):
        classes(folder, text)


def test_a_workbook_is_named(folder):
    """An .xlsx file is a ZIP archive."""
    (folder.parent / "labels.xlsx").write_bytes(b"PK\x03\x04" + b"\0" * 40)
    with pytest.raises(UsageError, match="is an Excel workbook; save it as CSV"):
        open_source(folder, labels=folder.parent / "labels.xlsx")


def test_a_name_that_several_images_have_is_not_guessed(folder):
    """A bare name must be unique."""
    (folder / "b/1.jpg").write_bytes((folder / "a/1.jpg").read_bytes())
    with pytest.raises(UsageError, match="several images are called"):
        classes(folder, "1.jpg,cat\n")
    assert classes(folder, "a/1.jpg,cat\n") == {"a/1.jpg": "cat"}


def test_labels_may_name_more_than_the_limit(folder):
    """The file is for all images; the classes are those of the images taken."""
    labels = folder.parent / "labels.tsv"
    labels.write_text("a/1.jpg\tcat\nz.gif\tdog\n")
    assert open_source(folder, labels=labels, limit=2).label_names == ("cat",)


def test_a_labels_file_that_cannot_be_read_is_said(folder):
    """Missing, or no text."""
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        open_source(folder, labels=folder / "none.csv")
    with pytest.raises(UsageError, match="is a JPEG; save it as CSV"):
        open_source(folder, labels=folder / "a/1.jpg")
    (folder / "latin.csv").write_bytes("z.gif,caf\u00e9".encode("latin-1"))
    with pytest.raises(UsageError, match="not UTF-8"):
        open_source(folder, labels=folder / "latin.csv")


def test_a_folder_that_lay_elsewhere_is_told(folder):
    """Paths through another folder are taken for the images' own only where all are, and that is said."""
    file = folder.parent / "labels.csv"
    file.write_text("file,class\n/home/bob/pets/a/1.jpg,cat\n/home/bob/pets/z.gif,dog\n")
    source = open_source(folder, labels=file)
    assert source.label_names == ("cat", "dog")
    assert 'labels.csv: paths through "home/bob/pets" are taken for those of the images here' in source.remarks(
        Input(height=8, width=8)
    )
