"""Which members are pictures is worked out by hand for each way in which archives are written."""

import pytest

from layerscope.core.records import Input
from layerscope.sources import open_source
from layerscope.sources.keys import key_and_field

INPUT = Input(height=8, width=8)


@pytest.fixture
def opened(tmp_path, pack, draw, encode):
    """A source of an archive with these members; pictures where a name ends in a picture's suffix."""

    def open_members(*names):
        members = {}
        for number, name in enumerate(names):
            suffix = name.rpartition(".")[2].lower()
            formats = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP"}
            members[name] = encode(draw(number), formats[suffix]) if suffix in formats else b"7"
        return open_source(pack(tmp_path / "shard.tar", members))

    return open_members


def identities(source):
    return [identity for identity, _ in source.listing()]


@pytest.mark.parametrize(
    "name, key, field",
    [
        ("a/b.c/0000.seg.png", "a/b.c/0000", "seg.png"),
        ("a/i.v2.CLS", "a/i", "v2.cls"),
        ("cat.0.jpg", "cat.0", "jpg"),
        ("photo.jpg.1", "photo.jpg.1", ""),
        ("x", "x", ""),
    ],
)
def test_a_key_ends_at_the_first_dot_of_the_name(name, key, field):
    """As in webdataset; but a number behind a dot is part of the key, for so plain files are numbered."""
    assert key_and_field(name) == (key, field)


@pytest.mark.parametrize(
    "beside",
    ["seg.png", "mask.png", "depth.webp", "jpg_mask.png", "instance.gt.png"],
)
def test_masks_are_no_images(opened, beside):
    """The picture of a key is its photograph, its class that of the key, and what is left out is said."""
    names = [f"{n:04d}.{field}" for n in range(4) for field in ("jpg", beside, "cls")]
    source = opened(*names)
    assert identities(source) == [f"{n:04d}.jpg" for n in range(4)]
    assert source.labelling() == ["7"] * 4
    assert f"4 members ({beside}) lie beside the picture of their key: left out" in source.remarks(INPUT)


def test_masks_without_classes_and_of_some_pictures_only_are_no_images(opened):
    """The name of a mask tells it where nothing else does."""
    assert identities(opened("0.jpg", "0.seg.png", "1.jpg", "2.jpg")) == ["0.jpg", "1.jpg", "2.jpg"]


def test_a_photograph_goes_before_a_picture_of_its_key_that_may_be_a_mask(opened):
    """A mask is never a JPEG."""
    assert identities(opened("0.png", "0.jpg", "1.png", "1.jpg", "0.json")) == ["0.jpg", "1.jpg"]


def test_rgb_goes_before_depth(opened):
    """Even where no picture of the key has a plain name."""
    assert identities(opened("0.rgb.png", "0.depth.png", "0.cls")) == ["0.rgb.png"]


def test_pictures_that_nothing_tells_apart_are_all_images_of_their_keys_class(opened):
    """Left and right: both, and it is said."""
    source = opened("0.left.png", "0.right.png", "0.cls", "1.left.png", "1.right.png", "1.cls")
    assert identities(source) == ["0.left.png", "0.right.png", "1.left.png", "1.right.png"]
    assert source.labelling() == ["7"] * 4
    assert any("keys hold several pictures (left.png, right.png)" in said for said in source.remarks(INPUT))


@pytest.mark.parametrize(
    "names",
    [
        ["cat.0.jpg", "cat.1.jpg", "dog.0.jpg", "dog.1.jpg"],
        ["IMG.2020-01-01.jpg", "IMG.2020-01-02.jpg"],
        ["Dr. Smith.jpg", "Dr. Jones.jpg", "a.png", "b.png"],
        ["a.jpg", "a.png", "b.jpg", "c.jpg", "d.png"],
        ["a.jpg", "a.edited.jpg", "b.jpg", "c.jpg"],
    ],
    ids=["numbered", "dated", "titles", "a few of two formats", "a few edited"],
)
def test_a_tar_of_a_plain_folder_loses_nothing(opened, names):
    """Dots in names are no keys there."""
    source = opened(*names)
    assert identities(source) == names and source.remarks(INPUT) == ()


def test_equal_keys_of_two_archives_are_two_keys(tmp_path, pack, draw, encode):
    """Each archive holds its own 0000."""
    for name, members in {"a": ["0.jpg", "0.seg.png"], "b": ["0.jpg", "0.seg.png"]}.items():
        pack(tmp_path / f"{name}.tar", {m: encode(draw(0), "PNG" if m.endswith("png") else "JPEG") for m in members})
    assert identities(open_source(f"{tmp_path}/*.tar")) == ["a.tar/0.jpg", "b.tar/0.jpg"]
