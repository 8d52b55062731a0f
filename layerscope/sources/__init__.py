"""Images, wherever they lie, as batches in one fixed order.

``open_source`` turns a folder, a glob, a list of files, .tar files or a torch Dataset into a ``Source``. Its images
are numbered in an order that depends on nothing but the source: paths sorted as plain strings for folders and globs,
as given for lists and Datasets, as stored for archives. An image is known by its identity (path, member name or
index) and by the sha256 of its encoded bytes (of a Dataset's pixels), and its record names the first image with the
same bytes. Every listed file keeps its number, whether or not it turns out to be an image: what cannot be decoded is
left out of the batches, and its record says why.

What is done to a picture: first frame; upright by its EXIF orientation; alpha dropped, not composited, as by Pillow's
``convert("RGB")``; 16-bit gray scaled to 8; then exactly torchvision's resize, centre crop and normalisation.
``Placement`` leads back from input px to the upright source picture. Refused, with a reason: floating-point or 32-bit
gray of unknown range, files above 1 GiB, pictures above Pillow's limit for decompression bombs, and formats other than
JPEG, PNG, WebP, GIF, BMP, TIFF, PPM, JPEG 2000 and AVIF. No truncated picture is completed.

Batches do not depend on the number of threads, on how far they are read ahead, or on where a run began, provided that
``remember`` was given the records of what went before. That no file changes meanwhile is not watched here; the hash in
each record lets others check it.
"""

from layerscope.sources.kept import Kept
from layerscope.sources.opening import open_source
from layerscope.sources.prepare import placement_of, prepare, show
from layerscope.sources.source import Source

__all__ = ["Kept", "Source", "open_source", "placement_of", "prepare", "show"]
