"""Names in an export: which layers a word means, and images without what could tell them."""

from fnmatch import fnmatchcase

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.records import ImageRecord

# Why an image was skipped, where the reason may repeat its path.
UNNAMED = "could not be used"


def means(name: str, layer: AtlasLayerRecord) -> bool:
    """Whether a layer bears this name, path or alias, or one that fits the pattern."""
    names = (layer.name, layer.record.path, *layer.record.aliases)
    return name in names or any(fnmatchcase(known, name) for known in names)


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
