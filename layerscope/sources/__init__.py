"""Images, wherever they lie, as batches in one fixed order.

``open_source`` turns what a kind of images claims (a row of `core/images.py`: a folder, a glob, a list of files, .tar
files, addresses, a torch Dataset, or what another package adds) into a ``Source``. Its images are numbered in an order
that depends on nothing but the source: paths sorted as plain strings for folders and globs, as given for lists and
Datasets, as stored for archives. An image is known by its identity (path, member name or index) and by the sha256 of
its encoded bytes (of a Dataset's pixels), and its record names the first image with the same bytes. Files that are no
pictures, by name and bytes, are passed over and told; every other keeps its number, sound or broken: what cannot be
decoded is left out of the batches, and its record says why.

What is done to a picture: first frame; upright by its EXIF orientation, unless it is wanted as stored; alpha dropped,
not composited, as by Pillow's ``convert("RGB")``; 16-bit gray scaled to 8; then exactly torchvision's resize, centre
crop and normalisation. ``Placement`` leads back from input px to the picture so turned. Refused, with a reason:
floating-point, signed or 32-bit gray of unknown range, files above 1 GiB, pictures above Pillow's limit for
decompression bombs unless more is allowed, and formats other than JPEG, PNG, WebP, GIF, BMP, TIFF, PPM, JPEG 2000 and
AVIF. No truncated picture is completed.

Batches do not depend on the number of threads, on how far they are read ahead, or on where a run began, provided that
``remember`` was given the records of what went before. That no file changes meanwhile is not watched here; the hash in
each record lets others check it.
"""

from layerscope.sources.cache import ImageCache
from layerscope.sources.decode import Unusable
from layerscope.sources.hierarchy import flat_tree, require_labels, tree_of
from layerscope.sources.image import of_bytes, of_pixels
from layerscope.sources.listing import Entry
from layerscope.sources.opening import open_source
from layerscope.sources.prepare import placement_of, prepare, show
from layerscope.sources.source import Source

__all__ = [
    "Entry",
    "ImageCache",
    "Source",
    "Unusable",
    "flat_tree",
    "of_bytes",
    "of_pixels",
    "open_source",
    "placement_of",
    "prepare",
    "require_labels",
    "show",
    "tree_of",
]
