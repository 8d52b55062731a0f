"""Labels in a tree: nested folders make one, and so do several columns of a labels file.

Of a labels file every column but the one that names the images holds labels. The one with the fewest different labels
stands highest; a label must then always stand below the same one. Of columns that part the images alike one is enough,
and a column in which every image has a label of its own (a number, a path) tells nothing. Folders above a class are
labels too, where the class is told by the folder; two folders of one name are told by more of their path.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from layerscope.core.errors import UsageError
from layerscope.core.labels import LabelTree
from layerscope.sources.classes import SETS
from layerscope.sources.labels import NUMBER_HEADINGS, ImageTable, table_of
from layerscope.sources.source import Source

# The labels of an image from the highest down; none without a label.
Branch = tuple[str, ...]


def tree_of(source: Source, file: Path | None) -> tuple[LabelTree | None, list[str]]:
    """The labels of a source's images, by a labels file or as the source itself tells them, and remarks.

    None where only reading the images would tell: `flat_tree` then takes what they told. Raises UsageError for a file
    as `with_labels` does, for a label that stands under two others, and for a hierarchy with loops.
    """
    if file is not None:
        table = table_of(source.entries, file)
        by_image, said = _branches(table)
        branches = [by_image.get(entry.identity, ()) for entry in source.entries]
        without = sum(not branch for branch in branches)
        if without:
            said.append(f"{without:,} of the {len(branches):,} images have no label in {file.name}")
        return _tree(branches), [*said, *table.remarks()]
    labels = source.labelling()
    if not any(labels):
        return None, []
    folders = [_folders(entry.identity) for entry in source.entries]
    nested = all(label is None or "/".join(way).endswith(label) for label, way in zip(labels, folders, strict=True))
    if not nested:
        return flat_tree(labels), []
    return _tree(_told_apart([way if label else () for label, way in zip(labels, folders, strict=True)])), []


def flat_tree(labels: Sequence[str | None]) -> LabelTree:
    """Labels that stand beside each other."""
    return _tree([() if label is None else (label,) for label in labels])


def require_labels(tree: LabelTree, name: str) -> None:
    """Raises UsageError where there is nothing to tell apart. name: of the images."""
    known = tree.deepest[tree.deepest >= 0]
    sizes = tree.below().astype(int) @ np.bincount(known, minlength=len(tree.names)) if len(known) else np.zeros(0)
    if not len(known):
        raise UsageError(f"no image of {name} has a label; give a table of files and labels")
    if (sizes == len(known)).all():
        raise UsageError(
            f'every labelled image of {name} has the label "{tree.names[0]}"; two labels at least can be told apart'
        )
    if not ((sizes >= 2) & (sizes < len(known))).any():
        raise UsageError(f"no label of {name} has two images; labels of one image say nothing of a unit")


def _folders(identity: str) -> Branch:
    return tuple(name for name in PurePosixPath(identity).parts[:-1] if name.lower() not in SETS)


def _told_apart(branches: Sequence[Branch]) -> list[Branch]:
    """Folders by their names, or, where several have one name, by as much of their path as tells them apart."""
    ways = {branch[: depth + 1] for branch in branches for depth in range(len(branch))}
    most = max((len(way) for way in ways), default=0)
    named: dict[Branch, str] = {}
    for length in range(1, most + 1):
        left = [way for way in ways if way not in named]
        names = Counter("/".join(way[-length:]) for way in ways)
        named |= {way: "/".join(way[-length:]) for way in left if names["/".join(way[-length:])] == 1}
    return [tuple(named[branch[: depth + 1]] for depth in range(len(branch))) for branch in branches]


def _branches(table: ImageTable) -> tuple[dict[str, Branch], list[str]]:
    """The labels of each image that a table names, the highest first, and remarks."""
    columns, said = _columns(table)
    above: dict[str, tuple[str | None, int]] = {}
    found: dict[str, Branch] = {}
    for line, identity in table.found():
        fields = [line.fields[column] for column in columns]
        # A label directly below itself is one label.
        branch = tuple(label for place, label in enumerate(fields) if label and label not in fields[:place][-1:])
        for place, label in enumerate(branch):
            # What stands above a label is not told where that field is empty.
            if not place and fields[0] != label:
                continue
            parent = branch[place - 1] if place else None
            first, number = above.setdefault(label, (parent, line.number))
            if first != parent:
                raise UsageError(_two_parents(table.file, line.number, label, (first, parent), number))
        if identity in found and found[identity] != branch:
            name = line.fields[table.column]
            raise UsageError(f'{table.file}, line {line.number}: "{name}" has other labels than in a line before')
        found[identity] = branch
    return {identity: _completed(branch, above, table.file) for identity, branch in found.items()}, said


def _two_parents(file: Path, line: int, label: str, parents: tuple[str | None, str | None], before: int) -> str:
    told = " and ".join("none" if parent is None else f'"{parent}"' for parent in parents)
    return (
        f'{file}, line {line}: "{label}" stands under two labels, {told} (line {before}); the columns of a hierarchy '
        "hold one tree: leave a column out, or give it names of its own"
    )


def _completed(branch: Branch, above: dict[str, tuple[str | None, int]], file: Path) -> Branch:
    """The branch with what other lines say of the labels above its first. Raises UsageError where that goes round."""
    while branch and (parent := above.get(branch[0], (None, 0))[0]) is not None:
        if parent in branch:
            raise UsageError(f'{file}: the hierarchy has a loop: "{parent}" stands above "{branch[0]}" and below it')
        branch = (parent, *branch)
    return branch


def _columns(table: ImageTable) -> tuple[list[int], list[str]]:
    """The columns that hold labels, the highest first, and remarks."""
    columns = [place for place in range(len(table.rows[0].fields)) if place != table.column]
    if table.heading is not None:
        heading = table.heading
        columns = [place for place in columns if heading[place].lower() not in NUMBER_HEADINGS] or columns
    fields = {place: [line.fields[place] for line, _ in table.found()] for place in columns}
    telling = [place for place in columns if max(Counter(fields[place]).values(), default=0) > 1]
    said = [f"column {place + 1} of {table.file.name} tells nothing: each of its labels has one image"
            for place in columns if telling and place not in telling]  # fmt: skip
    alike: dict[tuple[int, ...], int] = {}
    for place in telling or columns:
        order = dict.fromkeys(fields[place])
        numbers = {label: number for number, label in enumerate(order)}
        parted = tuple(numbers[label] for label in fields[place])
        before = fields[alike[parted]] if parted in alike else []
        # Columns that give the same labels to other images are no two names of one thing: they are refused later.
        crossed = before != fields[place] and bool(set(before) & order.keys())
        # The last of several that part the images alike: names stand behind the numbers that they explain.
        alike[(*parted, place) if crossed else parted] = place
    return sorted(alike.values(), key=lambda place: len(set(fields[place]))), said


def _tree(branches: Sequence[Branch]) -> LabelTree:
    names = sorted({label for branch in branches for label in branch})
    numbers = {name: number for number, name in enumerate(names)}
    parents, levels = np.full(len(names), -1), np.ones(len(names), np.int64)
    for branch in set(branches):
        for place, label in enumerate(branch):
            parents[numbers[label]] = numbers[branch[place - 1]] if place else -1
            levels[numbers[label]] = place + 1
    deepest = np.array([numbers[branch[-1]] if branch else -1 for branch in branches], np.int64)
    return LabelTree(names=tuple(names), parents=parents, levels=levels, deepest=deepest)
