"""What lies among pictures and is none of the images: what systems, NAS boxes and layerscope itself leave in folders.

Files whose suffix is one of pictures are images, sound or broken, and are not opened for it; of all others the first
bytes tell. Only a PNG is looked into as well, because a figure of layerscope's looks like a picture of one's own.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

from layerscope.core.errors import ImageError
from layerscope.core.failures import of_the_machine, unread
from layerscope.sources.signatures import HEAD, format_of_bytes, named_as_image

# In any letters; hidden names, which begin with a dot, are left out as well.
SYSTEM_FOLDERS = frozenset(
    {
        "@eadir", "#recycle", "@recycle", "#snapshot", "@recently-snapshot", "@tmp", "@sharebin",  # NAS boxes
        "$recycle.bin", "recycler", "system volume information", "found.000",  # Windows
        "__macosx", "network trash folder", "temporary items",  # Macs
        "lost+found", "__pycache__",
    }
)  # fmt: skip
SYSTEM_FILES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"})
SITE = "layerscope-site.json"  # in every folder that layerscope export wrote

OUR_FILES = re.compile(r".*\.atlas(-wal|-shm|-journal|\.lock|\.manifest|\.[0-9a-f]{8}\.tiles)?", re.DOTALL)
OUR_DATABASE = re.compile(rb"SQLite format 3\0.{52}LSCP", re.DOTALL)
OUR_FIGURE = re.compile(rb"\x89PNG\r\n\x1a\n.{25,160}tEXtSoftware\0layerscope", re.DOTALL)

IMAGE, OTHER, OURS = "image", "other", "ours"
SHOWN = 4  # kinds of other files named in a remark


def is_clutter(parts: Iterable[str]) -> bool:
    """True for a path (below the place that the user named) of which a part is hidden, or made by a system."""
    *folders, name = parts
    return (
        name.lower() in SYSTEM_FILES
        or any(part.startswith(".") for part in (*folders, name))
        or any(folder.lower() in SYSTEM_FOLDERS for folder in folders)
    )


def is_clutter_folder(name: str) -> bool:
    """True for a folder that is hidden or made by a system."""
    return name.startswith(".") or name.lower() in SYSTEM_FOLDERS


def role(name: str, head: Callable[[], bytes]) -> str:
    """IMAGE, OTHER or OURS (written by layerscope). head: reads the file's first bytes; called only where needed."""
    base = PurePosixPath(name).name
    if OUR_FILES.fullmatch(base):
        return OURS
    if named_as_image(base):
        return OURS if base.lower().endswith(".png") and OUR_FIGURE.match(head()) else IMAGE
    begin = head()
    if OUR_DATABASE.match(begin) or OUR_FIGURE.match(begin):
        return OURS
    kind = format_of_bytes(begin)
    return IMAGE if kind is not None and kind.image else OTHER


def head_of(path: str | os.PathLike[str]) -> bytes:
    """The first bytes of a file; none where it cannot be read. Raises ImageError where the disk fails."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(HEAD)
    except OSError as failure:
        if of_the_machine(failure):
            raise ImageError(unread(path, failure)) from failure
        return b""


def others_sentence(others: Sequence[str], head: Callable[[str], bytes]) -> str:
    """A sentence on files that are no images: how many, of which suffixes, and what to do with those that hold any."""
    counts = Counter(PurePosixPath(name).suffix.lower() or "without suffix" for name in others)
    common = sorted(counts, key=lambda suffix: (-counts[suffix], suffix))
    kinds = ", ".join(f"{counts[suffix]:,} {suffix}" for suffix in common[:SHOWN]) + (", ..." * (len(common) > SHOWN))
    said = f"{len(others):,} other file{' is no image' if len(others) == 1 else 's are no images'} ({kinds})"
    one_of_each = {PurePosixPath(name).suffix.lower(): name for name in reversed(others)}
    for name in sorted(one_of_each.values()):
        kind = format_of_bytes(head(name))
        if kind is not None and kind.holds_images:
            return f'{said}; "{name}" is {kind.name}: {kind.advice}'
    return said
