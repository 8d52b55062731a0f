"""The lesson that an atlas gives: chapters, one picture followed through them, a thing taken apart down to lines."""

from dataclasses import dataclass

from layerscope.facts.run import images_of_run
from layerscope.facts.wrapping import Reader
from layerscope.lesson.chapters import Chapter, chapters
from layerscope.lesson.followed import FollowedPicture, followed_picture
from layerscope.lesson.made_of_tree import PartNode, part_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """All of it. images: how many were scanned. peaks: kept of each unit. picture: None where none can be shown. tree:
    of the last chapter's first unit of whose parts patches are kept, None where none are. named: whether any unit of it
    has a name, and is not only told by its patches or classes."""

    network: str
    images: int
    peaks: int
    chapters: tuple[Chapter, ...]
    picture: FollowedPicture | None
    tree: PartNode | None
    named: bool


def lesson_of(file: Reader) -> Lesson:
    """The lesson of an atlas, whatever it knows: without names, pictures or tiles there is less of it."""
    told = chapters(file)
    chosen = {chapter.layer.id: [one.unit for one in chapter.units] for chapter in told}
    grown = (part_tree(file, chapter.layer, one.unit) for chapter in told[:0:-1] for one in chapter.units)
    return Lesson(
        network=file.run.network,
        images=images_of_run(file),
        peaks=file.run.k,
        chapters=told,
        picture=followed_picture(file, [chapter.layer for chapter in told], chosen),
        tree=next((tree for tree in grown if tree is not None and _seen(file, tree)), None),
        named=any(one.shows.by in ("concept", "peaks", "label", "word") for chapter in told for one in chapter.units),
    )


def _seen(file: Reader, tree: PartNode) -> bool:
    """Whether there is anything to look at: a part with patches."""
    return any(one.unit in file.units_with_sheets(one.layer.id, "patches") or _seen(file, one) for one in tree.parts)
