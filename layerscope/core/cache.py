"""A folder of what can be worked out again: entries by key, each whole or not there, the oldest removed.

It may be deleted at any time, by anyone. Where no folder can be had, nothing is kept and nothing is said.
"""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

# What names another folder, or one of these words for none.
VARIABLE = "LAYERSCOPE_CACHE"
OFF = ("off", "0", "no", "false", "")
MOST_BYTES = 64 << 20
_HEAD = b"layerscope cache 1\n"
_ENDING = ".entry"


class Cache:
    """Entries in one folder. folder: None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    @classmethod
    def of_the_user(cls) -> "Cache":
        """The folder that LAYERSCOPE_CACHE names, else layerscope/ in XDG_CACHE_HOME or ~/.cache."""
        named = os.environ.get(VARIABLE)
        if named is not None:
            return cls(None if named.strip().lower() in OFF else Path(named).expanduser())
        base = os.environ.get("XDG_CACHE_HOME", "")
        if os.path.isabs(base):
            return cls(Path(base) / "layerscope")
        home = os.path.expanduser("~")
        return cls(Path(home) / ".cache" / "layerscope" if os.path.isabs(home) else None)

    def get(self, key: str) -> bytes | None:
        """What was put under this key; None where nothing was, or where it is damaged."""
        if self.folder is None:
            return None
        file = self._file(key)
        try:
            content = file.read_bytes()
            head, digest, payload = content[: len(_HEAD)], content[len(_HEAD) :][:32], content[len(_HEAD) + 32 :]
            if head != _HEAD or hashlib.sha256(payload).digest() != digest:
                file.unlink()
                return None
            os.utime(file)  # used last: removed last
        except OSError:
            return None
        return payload

    def put(self, key: str, payload: bytes) -> None:
        """Keep this under a key, in place of what stood there."""
        if self.folder is None or len(payload) > MOST_BYTES // 8:
            return
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".new", delete=False) as new:
                new.write(_HEAD + hashlib.sha256(payload).digest() + payload)
            os.replace(new.name, self._file(key))
            self._shrink()

    def drop(self, key: str) -> None:
        """Forget what was put under a key."""
        if self.folder is not None:
            with contextlib.suppress(OSError):
                self._file(key).unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}{_ENDING}"

    def _shrink(self) -> None:
        """Remove what was used longest ago until the rest is small enough, and what a stopped process left behind."""
        assert self.folder is not None
        files = [entry for entry in self.folder.iterdir() if entry.suffix in (_ENDING, ".new")]
        known = sorted(((entry.stat().st_mtime, entry.stat().st_size, entry) for entry in files), reverse=True)
        newest, total = known[0][0] if known else 0.0, 0
        for used, size, entry in known:
            total += size
            if total > MOST_BYTES or (entry.suffix == ".new" and newest - used > 3600):
                entry.unlink(missing_ok=True)
