"""A world on disk: what its folder or its shards hold, written so that a stopped run goes on where it was.

A folder holds images/CLASS/000123.png, masks/000123.npz and concepts.json. Shards hold the same as plain tar files of
1,000 pictures, world-0000.tar and on, with the members KEY.png, KEY.cls and KEY.masks.npz, beside concepts.json.
A file is written under another name and renamed, so what has its name is whole. The same world makes the same bytes.
"""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool
from PIL import Image

from layerscope.core.errors import UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.files import PART, whole_file, write_whole
from layerscope.world.concepts import CLASSES
from layerscope.world.scene import Scene, label_of
from layerscope.world.world import World

ABOUT = "concepts.json"
FORMAT = 1
SHARD = 1000  # pictures of a tar file
SHARDS = "world-*.tar"


@plain_failures("the world", kind=UsageError)
def write_world(
    out: Path,
    count: int,
    seed: int = 0,
    size: int = 64,
    shards: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Write a world with its masks, or the rest of one; how many pictures were there already.

    progress: is told how many pictures are done, first of those that were there. Raises UsageError where `out` holds
    anything else, and where it cannot be written (a full disk); what was written stays, and the same call goes on.
    """
    world = World(count, seed, size)
    try:
        _begin(out, _about(world, shards))
        todo = _missing_shards(out, world) if shards else _missing_pictures(out, world)
        there = count - sum(len(piece) for piece in todo)
        progress(there)
        done = there
        for piece in todo:
            _write_shard(out, world, piece) if shards else _write_picture(out, world, piece[0])
            done += len(piece)
            progress(done)
    except OSError as failure:
        reason = failure.strerror or failure
        raise UsageError(f'the world cannot be written to "{out}": {reason}; the same command goes on') from failure
    return there


def key_of(index: int) -> str:
    """The name of a picture's files, without their endings."""
    return f"{index:06d}"


def packed(masks: Bool[np.ndarray, "concepts h w"]) -> bytes:
    """Masks as a compressed .npz: `bits`, eight flags a byte, and `shape`."""
    file = io.BytesIO()
    np.savez_compressed(file, bits=np.packbits(masks), shape=np.array(masks.shape, np.int32))
    return file.getvalue()


def _about(world: World, shards: bool) -> dict[str, Any]:
    """What concepts.json says of a world: everything that its files follow from."""
    return {
        "format": FORMAT,
        "count": world.count,
        "seed": world.seed,
        "size": world.size,
        "shards": shards,
        "classes": list(world.classes),
        "concepts": [{"name": concept.name, "level": concept.level} for concept in world.concepts],
    }


def _begin(out: Path, about: dict[str, Any]) -> None:
    """Make the folder, or find the same world in it. Raises UsageError for anything else."""
    file = out / ABOUT
    if out.exists() and not out.is_dir():
        raise UsageError(f'"{out}" is a file; choose a folder for the world with --out')
    if not file.exists():
        if out.exists() and any(path.suffix != PART for path in out.iterdir()):
            raise UsageError(f'"{out}" is not empty and holds no world; choose another folder with --out')
        out.mkdir(parents=True, exist_ok=True)
        write_whole(file, json.dumps(about, indent=1).encode() + b"\n")
        return
    try:
        held = json.loads(file.read_bytes())
    except ValueError:
        held = None
    if not isinstance(held, dict):
        raise UsageError(f'"{file}" is not what describes a world; choose another folder with --out')
    for name, value in about.items():
        if held.get(name) != value:
            shown = f": its {name} is {json.dumps(held.get(name))}" if not isinstance(value, list) else ""
            raise UsageError(f'"{out}" holds another world{shown}; choose another folder with --out')


def _missing_pictures(out: Path, world: World) -> list[range]:
    """The pictures that are not there, one by one. A power failure may leave empty files under whole ones' names."""
    names = [world.classes[label] for label in world.targets]
    for name in sorted(set(names)):
        (out / "images" / name).mkdir(parents=True, exist_ok=True)
    (out / "masks").mkdir(exist_ok=True)
    return [range(index, index + 1) for index in range(world.count) if not all(map(_held, _files(out, world, index)))]


def _files(out: Path, world: World, index: int) -> tuple[Path, Path]:
    """Where a picture's masks and the picture itself lie."""
    key = key_of(index)
    return out / "masks" / f"{key}.npz", out / "images" / CLASSES[label_of(world.seed, index)] / f"{key}.png"


def _held(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0


def _missing_shards(out: Path, world: World) -> list[range]:
    """The pictures of each tar file that is not there."""
    pieces = [range(first, min(first + SHARD, world.count)) for first in range(0, world.count, SHARD)]
    return [piece for piece in pieces if not _shard(out, piece).exists()]


def _write_picture(out: Path, world: World, index: int) -> None:
    scene = world.scene(index)
    masks, picture = _files(out, world, index)
    write_whole(masks, packed(scene.masks), synced=False)
    write_whole(picture, _png(scene), synced=False)


def _write_shard(out: Path, world: World, piece: range) -> None:
    with (
        whole_file(_shard(out, piece)) as file,
        tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for index in piece:
            for name, data in _members(world, index):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


def _members(world: World, index: int) -> Iterator[tuple[str, bytes]]:
    scene, key = world.scene(index), key_of(index)
    yield f"{key}.png", _png(scene)
    yield f"{key}.cls", CLASSES[scene.label].encode()
    yield f"{key}.masks.npz", packed(scene.masks)


def _shard(out: Path, piece: range) -> Path:
    return out / f"world-{piece.start // SHARD:04d}.tar"


def _png(scene: Scene) -> bytes:
    file = io.BytesIO()
    Image.fromarray(scene.pixels).save(file, "PNG")
    return file.getvalue()
