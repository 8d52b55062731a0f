"""Images in a store are those of the same files in a folder, however they are named and packed."""

import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from layerscope.core.choice import ChosenImages
from layerscope.core.errors import ImageError, UsageError
from layerscope.core.images import IMAGES
from layerscope.core.records import Input
from layerscope.sources import Source, open_source
from layerscope.testing import sources as laws
from tests.remote.stores import CONTENTS, SECRET, Proxied, Put, packed, picture

INPUT = Input(height=16, width=16)


def same(found: Source, expected: Source) -> None:
    """The same listing, classes, records and pixels."""
    assert found.listing() == expected.listing() and found.labelling() == expected.labelling()
    one, other = (source.load(range(len(source)), INPUT) for source in (found, expected))
    assert one.records == other.records and np.array_equal(one.pixels, other.pixels)


@pytest.fixture
def filled(bucket: Put, photos: Path, tmp_path: Path) -> Put:
    """The bucket with the folder's files, plain and packed; the folder's archive and ZIP beside it."""
    for name, content in CONTENTS.items():
        bucket(f"p/{name}", content)
    archive = packed(CONTENTS)
    (tmp_path / "all.tar").write_bytes(archive)
    bucket("all.tar", archive)
    bucket("all.tgz", packed(CONTENTS, "w:gz"))
    halves = [dict(list(CONTENTS.items())[:4]), dict(list(CONTENTS.items())[4:])]
    for number, half in enumerate(halves):
        bucket(f"shards/part-{number:03d}.tar", packed(half))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as zipped:
        for name, content in CONTENTS.items():
            zipped.writestr(f"p/{name}", content)
    bucket("all.zip", (tmp_path / "all.zip").read_bytes())
    return bucket


@pytest.mark.parametrize("where", ["s3://photos/p", "s3://photos/p/", "zip://p::s3://photos/all.zip", "zip", "web"])
def test_a_folder_in_a_store_is_the_folder(filled: Put, photos: Path, web: str, tmp_path: Path, where: str) -> None:
    """With its classes, its broken picture, and without what is hidden or no picture."""
    where = {"web": f"{web}/photos/", "zip": f"zip://p::{tmp_path}/all.zip"}.get(where, where)
    same(open_source(where), open_source(photos))


@pytest.mark.parametrize(
    "where",
    [
        "s3://photos/all.tar",
        "s3://photos/all.tgz",
        "s3://photos/shards/part-{000..001}.tar",
        "s3://photos/shards/*.tar",
    ],
)
def test_an_archive_in_a_bucket_is_the_archive(filled: Put, tmp_path: Path, where: str) -> None:
    """Plain, compressed, in parts by a brace pattern or a glob: the same images, read in parts."""
    same(open_source(where), open_source(tmp_path / "all.tar"))


def test_globs_single_files_and_lists(filled: Put, photos: Path) -> None:
    """A glob is sorted, a list is as it was given; classes come from the folders that are named."""
    same(open_source("s3://photos/p/*/*.jpg"), open_source(f"{photos}/*/*.jpg"))
    same(open_source("s3://photos/p/{bee,ant}/*.jpg"), open_source("s3://photos/p/{bee,ant}/*.jpg"))
    assert open_source("s3://photos/p/ant/1.jpg").listing() == open_source(photos / "ant/1.jpg").listing()
    names = ["bee/3.jpg", "ant/0.jpg"]
    same(open_source([f"s3://photos/p/{name}" for name in names]), open_source([photos / name for name in names]))


@pytest.mark.parametrize("choice", (ChosenImages(sample=3), ChosenImages(sample=4, begin=1, limit=2)), ids=str)
def test_a_sample_is_that_of_the_folder(filled: Put, photos: Path, choice: ChosenImages) -> None:
    """It is drawn by the names below the folder, which are the same."""
    taken, here = open_source("s3://photos/p", choice=choice), open_source(photos, choice=choice)
    same(taken, here)
    assert taken.name.partition(" ")[2] == here.name.partition(" ")[2]


def test_a_source_is_called_as_its_folder_here(filled: Put, photos: Path) -> None:
    """An atlas tells neither the bucket nor the way to the folder."""
    names = {
        "s3://photos/p": "p/ (6 files)", "s3://photos/p/ant/": "ant/ (2 files)",
        "s3://photos/p/ant/0.jpg": "0.jpg (1 file)",
        "zip://::s3://photos/all.zip": "all.zip (6 files)", "s3://photos/shards/*.tar": "*.tar (6 images)",
    }  # fmt: skip
    assert {where: open_source(where).name for where in names} == names


def test_members_beside_an_image_tell_its_class(bucket: Put) -> None:
    """KEY.cls before KEY.json; of that the label, or the class; what tells none leaves the folder's."""
    members = {
        "a/0.jpg": picture(0), "a/0.cls": b"seven", "a/0.json": b'{"label": "eight"}', "a/1.jpg": picture(1),
        "a/1.json": json.dumps({"class": 9, "width": 48}).encode(), "a/2.jpg": picture(2), "a/2.json": b"[not json",
    }  # fmt: skip
    bucket("labelled.tgz", packed(members, "w:gz"))
    assert open_source("s3://photos/labelled.tgz").labelling() == ["seven", "9", "a"]


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", ["s3", "http"])
def test_kinds_that_need_a_server_keep_the_laws(filled: Put, photos: Path, web: str, name: str, law) -> None:
    """Every law of images, for the kinds of which a server can be started here."""
    law(IMAGES[name], {"s3": "s3://photos/p", "http": f"{web}/photos/"}[name])


READ = """
import json, pickle, sys
from layerscope.core.records import Input
found = []
for source, entries in pickle.load(sys.stdin.buffer):
    source.know(entries)
    found.append([record.sha256 for record in source.load(sorted(entries), Input(height=16, width=16)).records])
print(json.dumps(found))
"""


def test_another_process_reads_with_an_entry_and_its_own_credentials(filled: Put) -> None:
    """What travels holds neither the names of other images nor a credential."""
    sources = [open_source(f"s3://photos/{where}") for where in ("p", "all.tar", "all.tgz")]
    travels = pickle.dumps([(source.hollow(), source.named([1, 3])) for source in sources])
    assert SECRET.encode() not in travels and b"2.png" not in travels and len(travels) < 4000
    done = subprocess.run([sys.executable, "-c", READ], input=travels, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    expected = [[record.sha256 for record in source.load([1, 3], INPUT).records] for source in sources]
    assert json.loads(done.stdout) == expected


def test_what_is_nowhere_or_mixed_is_one_sentence(filled: Put, s3: Proxied, web: str, photos: Path) -> None:
    """What, where, what to do; and nothing that is no image is asked for five times."""
    for where in (
        "s3://photos/none",
        "s3://photos/p/*.gif",
        "s3://no-such-bucket/p",
        "zip://none::s3://photos/all.zip",
    ):
        before = len(s3.asked)
        with pytest.raises(ImageError) as raised:
            open_source(where)
        assert "do not exist" in str(raised.value) and "\n" not in str(raised.value)
        assert len(s3.asked) - before <= 8
    with pytest.raises(UsageError, match="lie in two"):
        open_source(["s3://photos/p/ant/0.jpg", f"{web}/photos/ant/0.jpg"])
    with pytest.raises(UsageError, match="not of this machine"):
        open_source([str(photos / "ant/0.jpg"), "s3://photos/p/ant/0.jpg"])
    with pytest.raises(ImageError, match=r"part-002\.tar"):
        open_source("s3://photos/shards/part-{000..002}.tar")
    with pytest.raises(ImageError, match="whole files only"):
        open_source(f"{web}/all.tar").load([1], INPUT)
