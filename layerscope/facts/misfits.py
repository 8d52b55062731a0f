"""Images that do not fit their labels, among the images that an atlas holds."""

from collections.abc import Iterable
from dataclasses import dataclass

from layerscope.core.labels import Misfit
from layerscope.facts.wrapping import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMisfit:
    """An image that does not fit its label. rank: 1 fits least. image: the atlas's of the same bytes, None where it
    holds none; kept: it has a small picture of it."""

    rank: int
    misfit: Misfit
    image: int | None
    kept: bool


def seen_misfits(file: Reader, most: int) -> tuple[SeenMisfit, ...]:
    """The first of the list, the least fitting first; none where nobody looked."""
    found = file.misfits()
    every = zip(found.images[:most], file.misfit_images(), strict=False) if found is not None else ()
    return tuple(
        SeenMisfit(rank=rank, misfit=one, image=image, kept=image is not None and file.has_picture(image))
        for rank, (one, image) in enumerate(every, start=1)
    )


def misfits_among(file: Reader, images: Iterable[int]) -> tuple[SeenMisfit, ...]:
    """Those of the atlas's images that are listed, the least fitting first."""
    wanted, found = set(images), file.misfits()
    every = zip(found.images, file.misfit_images(), strict=True) if found is not None and wanted else ()
    return tuple(
        SeenMisfit(rank=rank, misfit=one, image=image, kept=file.has_picture(image))
        for rank, (one, image) in enumerate(every, start=1)
        if image is not None and image in wanted
    )
