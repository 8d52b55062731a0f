"""A world is a Dataset as sources read it, its files hold the same, and a stopped run goes on."""

import json

import numpy as np
import pytest
from PIL import Image

from layerscope.core.errors import ImageError, UsageError
from layerscope.sources import opening
from layerscope.world import CLASSES, CONCEPTS, MaskFolder, World, files, write_world

COUNT, SEED = 16, 7


@pytest.fixture(scope="module", params=[False, True], ids=["folder", "shards"])
def written(request, tmp_path_factory):
    """A small world on disk: its folder, and whether in shards."""
    out = tmp_path_factory.mktemp("world") / "out"
    write_world(out, COUNT, SEED, 64, request.param)
    return out, request.param


def contents(folder):
    """All files by name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_world_is_a_dataset():
    """Pictures with class names, listed as targets too; masks on request."""
    world = World(COUNT, SEED)
    assert len(world) == COUNT and world.concepts is CONCEPTS
    for index in (0, 13, -1):
        picture, name = world[index]
        assert picture.mode == "RGB" and picture.size == (64, 64)
        assert name == CLASSES[world.targets[index]]
        assert world.masks(index).shape == (len(CONCEPTS), 64, 64)
    with pytest.raises(IndexError):
        world[COUNT]


def test_sources_read_a_world():
    """Each item with its class."""
    source = opening.open_source(World(COUNT, SEED))
    assert [source.label(id) for id in range(COUNT)] == [CLASSES[label] for label in World(COUNT, SEED).targets]


@pytest.mark.parametrize(("count", "seed", "size"), [(0, 0, 64), (3, -1, 64), (3, 0, 15), (3, 0, 5000)])
def test_a_world_that_cannot_be_is_refused(count, seed, size):
    """In a sentence."""
    with pytest.raises(UsageError, match="world"):
        World(count, seed, size)


def test_files_hold_the_world(written):
    """Pictures, classes and masks come back as they were, from a folder as from shards."""
    out, shards = written
    source = opening.open_source(sorted(out.glob("*.tar")) if shards else out / "images")
    held, world = MaskFolder(out), World(COUNT, SEED)
    assert held.concepts == CONCEPTS and len(source) == COUNT
    for id, (identity, _) in enumerate(source.listing()):
        index = int(identity.rpartition("/")[2].partition(".")[0])
        assert source.label(id) == world[index][1]
        assert np.array_equal(held.masks(f"{index:06d}"), world.masks(index))
    if not shards:
        picture = Image.open(next((out / "images").glob(f"*/{5:06d}.png")))
        assert np.array_equal(np.asarray(picture), np.asarray(world[5][0]))


def test_a_finished_world_is_left_as_it_is(written):
    """Writing it again writes nothing."""
    out, shards = written
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert write_world(out, COUNT, SEED, 64, shards) == COUNT
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_stopped_run_goes_on(tmp_path):
    """What was done stays, and the end is the same as without the stop."""

    def stop(done: int) -> None:
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_world(tmp_path / "stopped", COUNT, SEED, progress=stop)
    (tmp_path / "stopped" / "images" / f"{CLASSES[0]}" / "x.png.part").write_bytes(b"half a file")
    counts: list[int] = []
    assert write_world(tmp_path / "stopped", COUNT, SEED, progress=counts.append) == 8
    assert counts == list(range(8, COUNT + 1))
    (tmp_path / "stopped" / "images" / f"{CLASSES[0]}" / "x.png.part").unlink()
    write_world(tmp_path / "whole", COUNT, SEED)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


def test_shards_go_on_too(tmp_path, monkeypatch):
    """A shard that is there is kept; the others are written."""
    monkeypatch.setattr(files, "SHARD", 6)
    write_world(tmp_path / "w", COUNT, SEED, shards=True)
    whole = contents(tmp_path / "w")
    assert len(whole) == 4
    (tmp_path / "w" / "world-0001.tar").unlink()
    assert write_world(tmp_path / "w", COUNT, SEED, shards=True) == 10
    assert contents(tmp_path / "w") == whole


@pytest.mark.parametrize(
    ("change", "said"),
    [({"count": 3}, "its count is 2"), ({"seed": 8}, "its seed is 7"), ({"size": 32}, "its size is 64")],
)
def test_another_world_is_not_written_over(tmp_path, change, said):
    """The sentence says what differs."""
    write_world(tmp_path / "w", 2, SEED)
    with pytest.raises(UsageError, match=said):
        write_world(tmp_path / "w", **({"count": 2, "seed": SEED} | change))


def test_a_folder_of_other_things_is_not_written_into(tmp_path):
    """Nor is a file taken for a folder, nor a broken description for a world."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="is not empty and holds no world"):
        write_world(tmp_path / "mine", COUNT)
    with pytest.raises(UsageError, match="is a file"):
        write_world(tmp_path / "mine" / "letter.txt", COUNT)
    (tmp_path / "mine" / "concepts.json").write_text("{torn")
    with pytest.raises(UsageError, match="is not what describes a world"):
        write_world(tmp_path / "mine", COUNT)


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    """With the reason, and that the same command goes on."""

    def full(path, data, *, synced=True):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_whole", full)
    with pytest.raises(UsageError, match="No space left on device; the same command goes on"):
        write_world(tmp_path / "w", COUNT)


def test_broken_or_absent_masks_are_one_sentence(tmp_path):
    """Absent, torn, of another size; and a folder that is no world."""
    write_world(tmp_path / "w", 2, SEED)
    held = MaskFolder(tmp_path / "w")
    with pytest.raises(ImageError, match=r'the masks of "000009" cannot be read'):
        held.masks("000009")
    file = tmp_path / "w" / "masks" / "000001.npz"
    file.write_bytes(file.read_bytes()[:90])
    with pytest.raises(ImageError, match=r'the masks of "000001" .* are broken'):
        held.masks("000001")
    file.write_bytes(files.packed(np.zeros((3, 8, 8), bool)))
    with pytest.raises(ImageError, match="expected"):
        held.masks("000001")
    with pytest.raises(ImageError, match=r"holds no concepts\.json"):
        MaskFolder(tmp_path)
    (tmp_path / "concepts.json").write_text(json.dumps({"concepts": 3}))
    with pytest.raises(ImageError, match="is not what layerscope world wrote"):
        MaskFolder(tmp_path)


def test_a_broken_shard_is_one_sentence(tmp_path):
    """A truncated archive, and a key that no shard holds."""
    write_world(tmp_path / "w", 2, SEED, shards=True)
    with pytest.raises(ImageError, match=r'hold no masks of "7"'):
        MaskFolder(tmp_path / "w").masks("7")
    shard = tmp_path / "w" / "world-0000.tar"
    shard.write_bytes(shard.read_bytes()[:2000])
    with pytest.raises(ImageError, match="broken"):
        MaskFolder(tmp_path / "w").masks("000001")
