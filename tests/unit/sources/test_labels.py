import pytest

from layerscope.core.errors import UsageError
from layerscope.sources import open_source


def classes(folder, text):
    file = folder.parent / "labels.csv"
    file.write_text(text, encoding="utf-8-sig")
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
