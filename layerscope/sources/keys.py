"""Members of a WebDataset archive that share a key belong together, and one of them is the picture.

As in webdataset, a key ends at the first dot of a member's name, and what follows is its field: ``0000.jpg``,
``0000.seg.png`` and ``0000.cls`` are fields of ``0000``. A tar file of a plain folder has dots in names as
well (``cat.0.jpg``, ``cat.1.jpg``): a number is part of the key, and what few keys have beside another is no field.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

# What people call pictures that are computed from, or drawn over, the picture of their key.
DERIVED = frozenset(
    {
        "seg", "segmentation", "semantic", "panoptic", "instance", "instances", "mask", "masks", "label", "labels",
        "annotation", "annotations", "gt", "target", "depth", "disparity", "normal", "normals", "flow", "edge", "edges",
        "alpha", "matte", "trimap", "heatmap", "saliency",
    }
)  # fmt: skip
PHOTOGRAPHS = frozenset({"jpg", "jpeg"})  # a mask is never one
_NUMBER = re.compile(r"[\W\d_]*")


def key_and_field(name: str) -> tuple[str, str]:
    """The key of a member and the field that it is, in small letters; a name without a dot is a key alone."""
    folder, slash, base = name.rpartition("/")
    parts = base.split(".")
    end = 1 + max((place for place in range(1, len(parts)) if _NUMBER.fullmatch(parts[place])), default=0)
    return folder + slash + ".".join(parts[:end]), ".".join(parts[end:]).lower()


def beside_pictures(pictures: Iterable[str], *, companions: bool) -> tuple[set[str], list[str]]:
    """Of the members that are pictures those that only accompany the picture of their key, and remarks.

    companions: some keys hold members that are no pictures, as those of WebDataset archives do.
    """
    keys: dict[str, dict[str, str]] = defaultdict(dict)
    for name in pictures:
        key, field = key_and_field(name)
        keys[key][field] = name
    counts = Counter(field for fields in keys.values() if len(fields) > 1 for field in fields)
    repeated = {field for field, count in counts.items() if companions or count * 2 >= len(keys)}
    beside: set[str] = set()
    out, several = Counter[str](), Counter[str]()
    for fields in keys.values():
        seen = [field for field in fields if not _derived(field)] or list(fields)
        shared = [field for field in seen if field in repeated]
        kept = _pictures(shared)
        left = [field for field in fields if field not in seen or (field in shared and field not in kept)]
        out.update(left)
        beside.update(fields[field] for field in left)
        several.update(kept if len(kept) > 1 else ())
    return beside, _said(out, several)


def _derived(field: str) -> bool:
    return not DERIVED.isdisjoint(re.split(r"[._-]", field)[:-1])


def _pictures(fields: list[str]) -> list[str]:
    """The picture among the fields of a key; several where nothing tells them apart."""
    plain = [field for field in fields if "." not in field]
    photographs = [field for field in plain if field in PHOTOGRAPHS]
    return next((group for group in (photographs, plain) if len(group) == 1), plain or fields)


def _said(out: Counter[str], several: Counter[str]) -> list[str]:
    said = []
    if out:
        count = sum(out.values())
        said.append(f"{count:,} members ({', '.join(sorted(out))}) lie beside the picture of their key: left out")
    if several:
        names = ", ".join(sorted(several))
        said.append(f"keys hold several pictures ({names}): each counts as an image, with the class of its key")
    return said
