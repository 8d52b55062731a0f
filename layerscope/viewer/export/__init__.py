"""An atlas as a folder of files, or as a .zip file of them: the viewer's own pages, for any static host or a stick."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from layerscope.core.errors import UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.methods import recovering
from layerscope.core.numbers import megabytes
from layerscope.core.progress import Progress
from layerscope.viewer.export.edition import Edition, EditionBook, ExportChoice
from layerscope.viewer.export.folder import place_for, written_whole
from layerscope.viewer.export.plan import MARKER, Plan, tops
from layerscope.viewer.export.several import contents
from layerscope.viewer.export.zipped import zip_for, zipped_whole
from layerscope.viewer.shelf import slugs_of

__all__ = ["ExportChoice", "Exported", "Plan", "Progress", "export", "export_place", "planned"]

# Smaller tiles that a budget may ask for, px.
SIDES = (64, 48, 32)
# What is only estimated may be so much larger in truth.
SLACK = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """An export. folder: where it is, or the .zip file. files, bytes: how many; of a .zip file its own."""

    folder: Path
    files: int
    bytes: int


@plain_failures("the export", kind=UsageError)
def export(
    atlas: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    choice: ExportChoice | None = None,
    *,
    budget: int | None = None,
    overwrite: bool = False,
    zipped: bool = False,
    progress: Progress | None = None,
    processes: int | None = None,
) -> Exported:
    """Write an atlas as a site. choice: what of it (default: all). budget: bytes that the files must not exceed.

    The folder is written whole or not at all, and must be empty or not there; overwrite replaces an earlier export.
    zipped: folder is a .zip file, which holds it. processes: how many make the files; None for as many as pay.
    The same atlas and choice give the same bytes. Raises UsageError, and AtlasError for a file that is no atlas.
    """
    place = export_place(folder, overwrite=overwrite, zipped=zipped)
    with planned(atlas, choice or ExportChoice(), budget=budget) as plan:
        if progress is not None:
            for sentence in remarks_on(plan, asked=choice or ExportChoice()):
                progress.say(sentence)
            progress.start("export", len(plan.pieces), 0)
        written = 0
        whole = zipped_whole(place, top=plan.book.slug) if zipped else written_whole(place, marker=MARKER)
        with whole as put, contents(plan, processes) as made:
            for piece, content in zip(plan.pieces, made, strict=True):
                written += len(content)
                if budget is not None and written > budget:
                    raise UsageError(f"the pages became larger than estimated: {_no_room(budget, plan)}")
                put(piece.path, content)
                if progress is not None:
                    progress.step()
        size = place.stat().st_size if zipped else written
        return Exported(folder=Path(folder), files=len(plan.pieces), bytes=size)


def export_place(folder: str | os.PathLike[str], *, overwrite: bool, zipped: bool) -> Path:
    """The full path of an export. Raises UsageError where it must not be written."""
    return (zip_for if zipped else place_for)(folder, marker=MARKER, ours=tops(), overwrite=overwrite)


@contextmanager
def planned(atlas: str | os.PathLike[str], choice: ExportChoice, *, budget: int | None = None) -> Iterator[Plan]:
    """What an export would write: with a budget, the first that fits of ever smaller choices.

    All; without the pages' values as JSON; projections by each layer's own method in the natural view alone; tiles of
    64, 48, 32 px. Raises as `export`.
    """
    plan = None
    for candidate in _candidates(choice) if budget is not None else (choice,):
        with Edition(atlas, candidate) as edition:
            plan = Plan(EditionBook(slugs_of([edition.path])[0], edition))
            if budget is None or plan.estimate.known + SLACK * plan.estimate.guessed <= budget:
                yield plan
                return
    assert plan is not None and budget is not None
    raise UsageError(_no_room(budget, plan))


def _candidates(choice: ExportChoice) -> Iterator[ExportChoice]:
    yield choice
    bare = replace(choice, values=False)
    if bare != choice:
        yield bare
    least = replace(bare, plates=choice.projections)
    if least != bare:
        yield least
    for side in SIDES:
        if choice.tile is None or side < choice.tile:
            yield replace(least, tile=side)


def _no_room(budget: int, plan: Plan) -> str:
    needed = plan.estimate.known + SLACK * plan.estimate.guessed
    return (
        f"{megabytes(budget)} are too few: the smallest export of this choice takes about {megabytes(needed)}; choose "
        "fewer layers with --layers, leave out with --no-photographs, or raise --budget"
    )


def remarks_on(plan: Plan, *, asked: ExportChoice) -> Sequence[str]:
    """What a user should know before the export is written."""
    choice, run = plan.book.edition.choice, plan.book.run
    said = [f"about {megabytes(plan.estimate.bytes)} in {plan.estimate.files:,} files"]
    if choice != asked:
        parts = ["no values as JSON"] if not choice.values else []
        parts += ["projections by each layer's own method in the natural view only"] if choice.plates else []
        parts += [f"tiles of {choice.tile} px"] if choice.tile != asked.tile else []
        said.append(f"to stay within the budget: {', '.join(parts)}")
    if not plan.book.finished:
        said.append("the build of this atlas has not ended: the export holds what is there now, and says so")
    telling = recovering(run.methods)
    if choice.network is not None:
        loaded = megabytes(sum(choice.network.loaded().values()))
        said.append(
            "the network is in it, with its weights, for whoever opens it; a page loads "
            f"{loaded} before its first answer"
        )
    if not choice.photographs and telling:
        said.append(
            f"no photographs are in it, but {' and '.join(telling)} projections partly recover the images: "
            "--no-projections leaves them out too"
        )
    return said
