import gzip
import io
import tarfile

import numpy as np
import pytest

from layerscope.core.errors import ImageError, UsageError
from layerscope.core.records import Input
from layerscope.sources import open_source
from layerscope.sources.tars import label_in

INPUT = Input(height=16, width=16)
LISTED = ["a/1.jpg", "a/broken.png", "b/2.png", "b/again.jpg", "b/deep/3.webp", "empty.jpg", "z.gif"]


def test_a_folder_and_tars_of_it_are_one_source(folder, pack, tmp_path):
    """The same images in the same order give the same listing, records and pixels, however they are cut into tars."""
    contents = {f"./{name}": (folder / name).read_bytes() for name in LISTED}
    names = list(contents)
    whole = pack(tmp_path / "all.tar", contents)
    parts = [
        pack(tmp_path / f"part-{n}.tar", {name: contents[name] for name in part})
        for n, part in enumerate([names[:1], names[1:6], names[6:]])
    ]
    expected = open_source(folder)
    batch = expected.load(range(7), INPUT)
    for source in (open_source(whole), open_source(parts), open_source(f"{tmp_path}/part-*.tar")):
        assert source.listing() == expected.listing() and source.label_names == expected.label_names
        found = source.load(range(7), INPUT)
        assert found.records == batch.records and found.placements == batch.placements
        assert np.array_equal(found.pixels, batch.pixels)


def test_webdataset_members_belong_to_their_image(pack, tmp_path, draw, encode):
    """KEY.cls is the class of KEY's image; what else belongs to it is no image; the order is the archive's."""
    picture = encode(draw(0))
    members = {
        "n/0002.png": picture,
        "n/0002.cls": b"7\n",
        "n/0002.json": b"{}",
        "n/0002.txt": b"a caption",
        "n/0001.txt": b"another",
        "n/0001.png": encode(draw(1)),
        "n/._0001.png": b"resource fork",
        "orphan.cls": b"3",
    }
    source = open_source(pack(tmp_path / "shard.tar", members))
    assert source.listing() == [("n/0002.png", len(picture)), ("n/0001.png", len(members["n/0001.png"]))]
    assert [source.label(0), source.label(1)] == ["7", "n"]
    assert source.name == "shard.tar (2 images)"


def test_names_that_two_archives_share_are_told_apart(pack, tmp_path, draw, encode):
    """Then, and only then, an identity begins with the archive's name."""
    tars = [pack(tmp_path / f"{n}.tar", {"0.png": encode(draw(n))}) for n in range(2)]
    assert [identity for identity, _ in open_source(tars).listing()] == ["0.tar/0.png", "1.tar/0.png"]


def test_hard_links_and_rewritten_members_are_as_unpacked(tmp_path, draw, encode):
    """A hard link shows the bytes of its target; a member stored twice is the later one."""
    old, new = encode(draw(0)), encode(draw(1))
    with tarfile.open(tmp_path / "links.tar", "w") as archive:
        for content in (old, new):
            header = tarfile.TarInfo("a.png")
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
        link = tarfile.TarInfo("b.png")
        link.type, link.linkname = tarfile.LNKTYPE, "a.png"
        archive.addfile(link)
    source = open_source(tmp_path / "links.tar")
    records = source.load([0, 1], INPUT).records
    assert [record.source for record in records] == ["a.png", "b.png"]
    assert records[0].size == len(new) and records[1].duplicate_of == 0


def test_compressed_archives_are_those_that_were_compressed(pack, tmp_path, draw, encode):
    """The same listing and pixels, in any order, under both names that gzip's archives have; nothing is unpacked."""
    plain = pack(tmp_path / "x.tar", {f"{n % 2}/{n}.png": encode(draw(n, 90, 120)) for n in range(12)})
    expected = open_source(plain)
    for name in ("x.tgz", "X.TAR.GZ"):
        (tmp_path / name).write_bytes(gzip.compress(plain.read_bytes(), 1))
        source = open_source(tmp_path / name)
        assert source.listing() == expected.listing() and source.labelling() == expected.labelling()
        ids = [11, 0, 5, 5, 2]
        found, wanted = source.load(ids, INPUT), expected.load(ids, INPUT)
        assert [one.sha256 for one in found.records] == [one.sha256 for one in wanted.records]
        assert np.array_equal(found.pixels, wanted.pixels)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["X.TAR.GZ", "x.tar", "x.tgz"]


@pytest.mark.parametrize("keep", [5, 700, 2500])
def test_a_truncated_compressed_archive_is_refused(archive, tmp_path, keep):
    """One sentence that names it, wherever it ends."""
    (tmp_path / "y.tar.gz").write_bytes(gzip.compress(archive.read_bytes())[:keep])
    with pytest.raises(ImageError, match=r"y\.tar\.gz\" is broken or truncated"):
        open_source(tmp_path / "y.tar.gz")


def test_an_archive_that_changed_meanwhile_is_gone_through_anew(pack, tmp_path, draw, encode):
    """Marks of what lay there before are of no use: an image that is not there any more is left out."""
    one, other = (pack(tmp_path / f"{n}.tar", {"0.png": encode(draw(n))}).read_bytes() for n in range(2))
    path = tmp_path / "x.tgz"
    path.write_bytes(gzip.compress(one))
    source = open_source(path)
    first = source.load([0], INPUT).records[0].sha256
    path.write_bytes(gzip.compress(other) + b"\0")
    assert first != source.load([0], INPUT).records[0].sha256
    path.write_bytes(b"no gzip")
    assert "archive is broken" in (source.load([0], INPUT).records[0].skipped or "")


def test_brace_patterns_stand_for_archives_and_pictures(pack, tmp_path, draw, encode):
    """In the order of the pattern; one that is missing is said; a file of such a name is itself."""
    for n in range(3):
        pack(tmp_path / f"s-{n:02d}.tar", {f"{n}.png": encode(draw(n))})
        (tmp_path / f"{n}.png").write_bytes(encode(draw(n)))
    names = [f"{n}.png" for n in range(3)]
    assert [name for name, _ in open_source(f"{tmp_path}/s-{{02..00}}.tar").listing()] == names[::-1]
    assert [name for name, _ in open_source([f"{tmp_path}/s-{{00..01}}.tar", tmp_path / "s-02.tar"]).listing()] == names
    assert [name for name, _ in open_source(f"{tmp_path}/{{2,0}}.png").listing()] == ["2.png", "0.png"]
    with pytest.raises(ImageError, match=r"s-03\.tar. does not exist"):
        open_source(f"{tmp_path}/s-{{00..03}}.tar")
    (tmp_path / "{a,b}.png").write_bytes(encode(draw(4)))
    assert open_source(f"{tmp_path}/{{a,b}}.png").listing()[0][0] == "{a,b}.png"


@pytest.mark.parametrize(
    ("content", "label"),
    [
        (b'{"label": "cat"}', "cat"), (b'{"class": 7}', "7"), (b'{"cls": 0, "label": "x"}', "x"),
        (b'{"label": true}', None),        (b'{"label": ""}', None), (b'{"label": 1.5}', None), (b'["label"]', None),
        (b"{", None), (b"\xff", None),
        (b"{}", None),
    ],
)  # fmt: skip
def test_what_a_json_member_tells(content, label):
    """A text or a whole number under a key that means a class, and nothing else."""
    assert label_in(content) == label


@pytest.fixture
def archive(pack, tmp_path, draw, encode):
    return pack(tmp_path / "x.tar", {f"{n}.png": encode(draw(n)) for n in range(3)})


@pytest.mark.parametrize("keep", [1, 511, 700, 2500, 3000, 6000])
def test_a_truncated_archive_is_refused(archive, keep):
    """Wherever it ends early, images would be lost: it is one sentence instead."""
    archive.write_bytes(archive.read_bytes()[:keep])
    with pytest.raises(ImageError, match=r"x.tar.*(broken or truncated|not a plain .tar)"):
        open_source(archive)


def test_an_archive_cut_between_members_is_refused(archive):
    """Even where no member is damaged, the end mark is missing."""
    with tarfile.open(archive) as opened:
        end = opened.getmembers()[2].offset
    archive.write_bytes(archive.read_bytes()[:end])
    with pytest.raises(ImageError, match="broken or truncated at byte"):
        open_source(archive)


def test_a_damaged_header_is_not_taken_for_the_end(archive):
    """The members behind it would be lost without a word."""
    with tarfile.open(archive) as opened:
        start = opened.getmembers()[1].offset
    content = bytearray(archive.read_bytes())
    content[start : start + 8] = b"\xff" * 8
    archive.write_bytes(content)
    with pytest.raises(ImageError, match="broken or truncated"):
        open_source(archive)


def test_compressed_foreign_empty_and_missing_archives_are_said(archive, pack, tmp_path):
    """Each gives one sentence that names the file."""
    compressed = tmp_path / "c.tar"
    compressed.write_bytes(gzip.compress(archive.read_bytes()))
    with pytest.raises(ImageError, match=r"c.tar.*not a plain .tar"):
        open_source(compressed)
    with pytest.raises(ImageError, match=r"no images in .*e.tar"):
        open_source(pack(tmp_path / "e.tar", {}))
    with pytest.raises(ImageError, match=r"gone.tar.*does not exist"):
        open_source([archive, tmp_path / "gone.tar"])
    with pytest.raises(UsageError, match=r"either .tar files only"):
        open_source([archive, tmp_path / "photo.jpg"])
