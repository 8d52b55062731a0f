"""The masks of a world that was written as a folder or as shards, read back by the name of a picture."""

import io
import json
import tarfile
import zipfile
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from layerscope.core.errors import ImageError
from layerscope.core.failures import require_machine
from layerscope.world.concepts import Concept
from layerscope.world.files import ABOUT, SHARDS

ENDING = ".masks.npz"


class MaskFolder:
    """The masks that layerscope world wrote to a folder. concepts: what they show, in order.

    Raises ImageError where the folder is not a world's.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        about = _about(self.path / ABOUT)
        try:
            self.concepts = tuple(Concept(name=str(c["name"]), level=int(c["level"])) for c in about["concepts"])
            self._size, self._in_shards = int(about["size"]), bool(about["shards"])
        except (KeyError, TypeError, ValueError):
            raise ImageError(f'"{self.path / ABOUT}" is not what layerscope world wrote') from None

    def masks(self, key: str) -> Bool[np.ndarray, "concepts h w"]:
        """Where each concept is seen in a picture. key: the picture's file name without its ending.

        Raises ImageError where there are none, or broken ones.
        """
        data = self._from_shard(key) if self._in_shards else self._from_file(key)
        shape = (len(self.concepts), self._size, self._size)
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                bits, held = file["bits"], tuple(map(int, file["shape"]))
            flags = np.unpackbits(bits, count=int(np.prod(held)))
        except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile, zipfile.error):
            raise ImageError(f'the masks of "{key}" in "{self.path}" are broken; write the world anew') from None
        if held != shape or bits.size != -(-flags.size // 8):
            raise ImageError(f'the masks of "{key}" in "{self.path}" are {list(held)}; expected {list(shape)}')
        return flags.reshape(shape).astype(bool)

    def _from_file(self, key: str) -> bytes:
        file = self.path / "masks" / f"{key}.npz"
        try:
            return file.read_bytes()
        except OSError as failure:
            raise ImageError(f'the masks of "{key}" cannot be read from "{file}": {failure.strerror}') from None

    def _from_shard(self, key: str) -> bytes:
        if key not in self._places:
            raise ImageError(f'the shards in "{self.path}" hold no masks of "{key}"')
        shard, offset, count = self._places[key]
        try:
            with shard.open("rb") as file:
                file.seek(offset)
                return file.read(count)
        except OSError as failure:
            raise ImageError(f'"{shard}" cannot be read: {failure.strerror}') from None

    @cached_property
    def _places(self) -> dict[str, tuple[Path, int, int]]:
        """Where the masks of each picture lie: shard, first byte, bytes."""
        places = {}
        for shard in sorted(self.path.glob(SHARDS)):
            try:
                with tarfile.open(shard, "r:") as archive:
                    for member in archive:
                        if member.name.endswith(ENDING):
                            places[member.name.removesuffix(ENDING)] = (shard, member.offset_data, member.size)
            except (tarfile.TarError, OSError, EOFError) as failure:
                require_machine(failure, shard, kind=ImageError)
                raise ImageError(f'the shard "{shard}" is broken or truncated: {failure}') from None
        return places


def _about(file: Path) -> dict:
    try:
        about = json.loads(file.read_bytes())
    except OSError as failure:
        require_machine(failure, file, kind=ImageError)
        raise ImageError(f'"{file.parent}" holds no {ABOUT}; expected a folder that layerscope world wrote') from None
    except ValueError:
        about = None
    if not isinstance(about, dict):
        raise ImageError(f'"{file}" is not what layerscope world wrote')
    return about
