"""The class of an image is told from the folders that it lies in, by what these are in the whole source.

It is the name of the last folder, unless that tells nothing apart: a name at the end of every path (``CLASS/images``)
is dropped, and one that lies below an index of letters (``l/library/outdoor``), or beside classes of other depths as
the only folder of most that hold it, is taken with what stands before it. Folders that only part the images into sets
(``train``, ``val``) are looked through. Where one class still joins images of several folders, a remark says so.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

SETS = frozenset({"train", "training", "val", "valid", "validation", "dev", "eval", "test", "testing"})
SHOWN = 3

Folders = tuple[str, ...]
FolderClasses = dict[Folders, str | None]


def classes_of(places: Sequence[Folders]) -> tuple[list[str | None], list[str]]:
    """The class of every image, and remarks. places: the folders of each below the source, outermost first.

    An image without a folder has no class.
    """
    distinct = [folders for folders in dict.fromkeys(places) if folders]
    bare = _without_sets(distinct)
    by_path, said = _classes_of_paths(set(bare.values()))
    classes: FolderClasses = {folders: by_path[bare[folders]] for folders in distinct}
    if len(distinct) > 1 and len(set(classes.values())) == 1:
        said.append(f'all images get one class, "{distinct[0][-1]}", though they lie in {len(distinct):,} folders')
    return [classes.get(folders) for folders in places], said


def _classes_of_paths(paths: Collection[Folders]) -> tuple[FolderClasses, list[str]]:
    """The class of each path of folders, and remarks."""
    holders = _shared(paths)
    children = _children(paths)
    if not holders:
        return {path: path[-1] if path else None for path in paths}, []
    if _indexed(paths):
        start = len(_common(paths)) + 1
        classes: FolderClasses = {path: "/".join(path[start:]) for path in paths}
        return classes, [_taken_whole(classes, holders)]
    if len({path[-1] for path in paths if path}) == 1:
        above, said = _classes_of_paths({path[:-1] for path in paths})
        (name,) = holders
        shown = listed(sorted({label for label in above.values() if label is not None}))
        remark = f'classes are told from the folders above "{name}", the last of every path: {shown}'
        return {path: above[path[:-1]] for path in paths}, [remark, *said]
    # Classes with names of several folders lie at several depths; in a grid (patient/class) all lie at one.
    deep = len({len(path) for path in paths}) > 1
    alone = {name for name, above in holders.items() if deep and _mostly_only(above, children)}
    classes = {path: "/".join(path[-2 if path[-1] in alone else -1 :]) if path else None for path in paths}
    said = [_taken_whole(classes, {name: holders[name] for name in alone})] if alone else []
    joined = {name: above for name, above in holders.items() if name not in alone}
    return classes, [*said, *([_joined(joined)] if joined else [])]


def _mostly_only(above: Sequence[Folders], children: Mapping[Folders, set[str]]) -> bool:
    """True where most of these folders hold one folder only."""
    return 2 * sum(len(children[path]) == 1 for path in above) > len(above)


def _without_sets(distinct: Collection[Folders]) -> dict[Folders, Folders]:
    """Each path without the folders that only part the images into sets; as it is where nothing would be left apart.

    A last folder is a set only where all beside it are: "train" may be a class among others.
    """
    children = _children(distinct)
    bare = {}
    for folders in distinct:
        *above, last = folders
        kept = tuple(name for name in above if name.lower() not in SETS)
        is_set = bool(kept) and all(name.lower() in SETS for name in children[folders[:-1]])
        bare[folders] = kept if is_set else (*kept, last)
    apart = len(set(bare.values())) > 1 or len({folders[-1] for folders in distinct}) == 1
    return bare if apart else {folders: folders for folders in distinct}


def _children(paths: Collection[Folders]) -> dict[Folders, set[str]]:
    """The last folders, by what lies above them."""
    children: dict[Folders, set[str]] = defaultdict(set)
    for path in paths:
        if path:
            children[path[:-1]].add(path[-1])
    return children


def _shared(paths: Collection[Folders]) -> dict[str, list[Folders]]:
    """The names that end paths of several folders, each with what lies above it."""
    above: dict[str, set[Folders]] = defaultdict(set)
    for path in paths:
        if path:
            above[path[-1]].add(path[:-1])
    return {name: sorted(found) for name, found in above.items() if len(found) > 1}


def _common(paths: Collection[Folders]) -> Folders:
    """The folders that all paths begin with."""
    low, high = min(paths), max(paths)
    same = next((place for place, pair in enumerate(zip(low, high, strict=False)) if pair[0] != pair[1]), len(low))
    return low[:same]


def _indexed(paths: Collection[Folders]) -> bool:
    """True where every path begins, behind what all share, with the first letter of the folder below."""
    start = len(_common(paths))
    rest = [path[start:] for path in paths]
    return all(len(path) > 1 and path[0].lower() == path[1][:1].lower() for path in rest)


def _taken_whole(classes: FolderClasses, holders: Mapping[str, list[Folders]]) -> str:
    ends = tuple(holders)
    shown = sorted({label for path, label in classes.items() if label is not None and path[-1] in ends})
    return f"classes that share their last folder are told by more of their path: {listed(shown)}"


def _joined(holders: Mapping[str, list[Folders]]) -> str:
    name = max(holders, key=lambda name: (len(holders[name]), name))
    several = f", and {len(holders) - 1:,} more do so" if len(holders) > 1 else ""
    places = listed(["/".join((*above, name)) for above in holders[name]])
    joins = f'class "{name}" joins {len(holders[name]):,} folders ({places}){several}'
    return f"{joins}; where these are several classes, give a labels file"


def listed(names: Sequence[str]) -> str:
    """A few of the names, in words."""
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
