"""What of an atlas somebody wants to publish."""

from dataclasses import dataclass

from layerscope.core.records import ImageRecord

# Why an image was skipped, where the reason may repeat its path.
UNNAMED = "could not be used"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportChoice:
    """What is published.

    layers: names or globs; () is all. tile: largest side of a tile, px; None leaves all as stored.
    photographs: patches, strata and whole pictures. projections: carried-back activations. plates: of them only those
    by each layer's own method, in the natural view.
    """

    layers: tuple[str, ...] = ()
    tile: int | None = None
    photographs: bool = True
    projections: bool = True
    plates: bool = False


def nameless(image: ImageRecord) -> ImageRecord:
    """An image without what could tell it: its path, its size in bytes, its hash."""
    return ImageRecord(
        id=image.id,
        source=f"image {image.id}",
        height=image.height,
        width=image.width,
        label=image.label,
        skipped=UNNAMED if image.skipped else None,
        duplicate_of=image.duplicate_of,
    )
