"""The laws of kinds of images: ours keep them, and what breaks one is found."""

import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

import layerscope as ls
from layerscope.core.errors import ImageError, UsageError
from layerscope.core.images import IMAGES, ImageKind, forms, kind_of, scheme_of
from layerscope.sources import Entry, Source, Unusable, of_bytes, of_pixels, open_source
from layerscope.testing import sources as laws


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (30 + seed, 40, 3), np.uint8)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Images of each kind of ours; one picture of five cannot be read."""
    folder = tmp_path_factory.mktemp("images") / "pictures"
    folder.mkdir()
    for seed in range(4):
        Image.fromarray(picture(seed)).save(folder / f"{seed}.png")
    (folder / "9.png").write_bytes((folder / "0.png").read_bytes()[:200])
    with tarfile.open(folder.parent / "some.tar", "w") as archive:
        archive.add(folder, "pictures")
    with ZipFile(folder.parent / "some.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"pictures/{path.name}")
    return {
        "folder": str(folder),
        "glob": f"{folder}/*.png",
        "files": sorted(folder.iterdir()),
        "tar": folder.parent / "some.tar",
        "source": open_source(folder),
        "dataset": [Image.fromarray(picture(seed)) for seed in range(3)],
        "zip": f"zip://pictures::{folder.parent}/some.zip",
    }


# Those that need what is not installed everywhere, or a server, are tried in tests/remote.
HERE = [name for name, row in IMAGES.own.items() if name == "zip" or not row.needs]


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", HERE)
def test_our_kinds_keep_the_laws(samples: dict[str, Any], name: str, law) -> None:
    """Every law, for every kind of the house that needs neither a server nor a package."""
    if (name, law) == ("source", laws.order_is_fixed):  # an open source is one object
        samples = {"source": open_source(samples["folder"])}
    law(IMAGES[name], samples[name])


class Numbers(Source):
    """Pictures of as many seeds as are asked for."""

    def __init__(self, count: int) -> None:
        super().__init__([Entry(identity=f"number {n}") for n in range(count)], name=f"{count} numbers")

    def read(self, id: int):
        return of_pixels(self.record(id), picture(id))


def numbers(images: str) -> Any:
    count = images.partition(":")[2]
    if not count.isdecimal() or not int(count):
        raise ImageError(f'"{images}": write how many numbers')
    return Numbers(int(count))


ROW = ImageKind(
    name="numbers", sentence="numbered pictures", form="numbers:COUNT", prefix="numbers:", open=numbers,
    samples=("numbers:5",),
)  # fmt: skip


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch):
    """Puts a row among the kinds, as an installed package would."""

    def put(row: ImageKind) -> ImageKind:
        monkeypatch.setitem(IMAGES.own, row.name, row)
        return row

    return put


def test_a_source_of_somebody_elses_keeps_the_laws(there) -> None:
    """A class with a listing and a ``read`` is enough."""
    laws.laws(there(ROW))


def test_a_kind_may_give_a_dataset(there) -> None:
    """A list of pictures, pairs or dicts, as hub data sets hold: labels, limit and batches come of themselves."""

    def items(images: str) -> list[dict[str, Any]]:
        return [{"image": picture(n), "label": "odd" if n % 2 else "even"} for n in range(len(numbers(images)))]

    laws.laws(there(replace(ROW, open=items)))


def broken(**methods: Any) -> ImageKind:
    """The row with a class in which some methods are others."""
    kind = type("Broken", (Numbers,), methods)
    return replace(ROW, open=lambda images: kind(len(numbers(images))))


def drawn(self: Source, id: int):
    return of_pixels(self.record(id), np.random.default_rng().integers(0, 256, (30, 30, 3), np.uint8))


def unhashed(self: Source, id: int):
    return replace(Numbers.read(self, id)[0], sha256=None), Image.fromarray(picture(id))  # type: ignore[arg-type]


def by_chance(self: Source, id: int):
    record, pixels = of_pixels(self.record(id), picture(id))
    return replace(record, sha256=np.random.bytes(32).hex()), pixels


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (broken(read=drawn), "differs? from reading to reading"),
        (broken(read=by_chance), "record of image 0 .* differs from reading to reading"),
        (broken(read=lambda self, id: (self.record(id), Image.fromarray(picture(id)))), "tell its height and width"),
        (broken(read=unhashed), "has no SHA-256"),
        (broken(listing=lambda self: [("one", None)] * len(self)), "names several images alike"),
        (replace(ROW, open=lambda images: Numbers(5)), "is opened"),
        (replace(ROW, open=lambda images: Numbers(1)), "fewer than two images"),
        (replace(ROW, form="COUNT numbers"), "does not begin with"),
        (replace(ROW, samples=()), "has no samples"),
    ],
)  # fmt: skip
def test_what_breaks_a_law_is_found(there, row: ImageKind, said: str) -> None:
    """One fault in a row, and some law does not hold."""
    with pytest.raises(AssertionError, match=said):
        laws.laws(there(row))


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        (Unusable("not today"), "not today"),
        (OSError("no route to host"), "the Broken failed: no route to host"),
        (ZeroDivisionError("a\nb"), "the Broken failed: a"),
    ],
)
def test_an_image_that_fails_is_left_out_and_the_others_go_on(there, fails, said: str) -> None:
    """Whatever somebody else's ``read`` raises is the reason of this image alone."""

    def read(self: Source, id: int):
        if id == 1:
            raise fails
        return Numbers.read(self, id)  # type: ignore[arg-type]

    there(broken(read=read))
    source = ls.images("numbers:3")
    assert [record.skipped for record in source.check()] == [said]
    assert [record.id for record in source.skipped] == [1]


@pytest.mark.parametrize("fails", [ValueError("odd"), OSError("x\ny"), KeyError()])
def test_a_kind_that_fails_is_told_in_one_sentence(there, fails) -> None:
    """Whatever its ``open`` raises; and where it gives nothing."""

    def opened(images: str):
        raise fails

    there(replace(ROW, open=opened))
    with pytest.raises(ImageError, match=r'"numbers:3" cannot be opened: the image kind "numbers" fails: ') as raised:
        ls.images("numbers:3")
    assert "\n" not in str(raised.value)
    there(replace(ROW, open=lambda images: Numbers(0)))
    with pytest.raises(ImageError, match='the images "numbers:3" are none'):
        ls.images("numbers:3")


def test_files_that_exist_come_before_a_prefix(there, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is called like another package's images is the folder still."""
    there(ROW)
    monkeypatch.chdir(tmp_path)
    kinds = [kind_of("numbers:3")]
    (tmp_path / "numbers:3").mkdir()
    kinds.append(kind_of("numbers:3"))
    assert [kind.name for kind in kinds if kind] == ["numbers", "folder"]


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("az://bucket/photos", "az:"), ("abc:cifar10", "abc:"), ("ftp://x/*.jpg", "ftp:"), ("S3://b/?.png", "s3:"),
        ("photos", ""), ("a/b:c", ""), ("C:photos", ""), ("", ""), ("2024:photos", ""),
        ("~nobody/photos", ""),
    ],
)  # fmt: skip
def test_a_scheme_that_nothing_opens_is_said(text: str, scheme: str) -> None:
    """One sentence with the scheme and with what can be given; of a path it says that it does not exist."""
    assert scheme_of(text) == scheme
    with pytest.raises(ImageError) as raised:
        open_source(text)
    said = f'; nothing installed opens what begins with "{scheme}"' if scheme else ""
    assert str(raised.value) == f'the images "{text}" do not exist{said}; expected {forms()}'


def test_a_package_that_a_kind_needs_is_named(there) -> None:
    """Before anything is opened: what to install."""
    there(replace(ROW, needs=("nobody_has_this",), install="layerscope[numbers]"))
    with pytest.raises(UsageError, match=r"needs nobody_has_this: pip install 'layerscope\[numbers\]'"):
        ls.images("numbers:3")


def test_a_picture_file_from_anywhere_is_read_like_a_file(tmp_path: Path) -> None:
    """Bytes that a source fetched are decoded, and known by their hash, as those of a folder are."""
    Image.fromarray(picture(1)).save(tmp_path / "1.png")
    (record, _), content = open_source(tmp_path).read(0), (tmp_path / "1.png").read_bytes()
    found, decoded = of_bytes(replace(record, sha256=None, size=None), content)
    assert found == record and np.array_equal(np.asarray(decoded), picture(1))
    assert of_bytes(record, content[:99])[0].skipped


@pytest.mark.parametrize("value", [None, "picture", np.zeros((4, 4)), np.zeros((4, 4, 2), np.uint8), [[1, 2]]])
def test_what_is_no_picture_is_unusable(value: Any) -> None:
    """Of pixels there are Pillow images, gray and colours of 8 bits."""
    with pytest.raises(Unusable, match="is no picture"):
        of_pixels(Numbers(1).record(0), value)


def test_a_kind_that_nothing_tells_is_refused() -> None:
    """A prefix, or a function that claims images."""
    with pytest.raises(ValueError, match='the image kind "odd" needs a prefix or claims'):
        ImageKind(name="odd", sentence="odd", form="odd", open=numbers)
