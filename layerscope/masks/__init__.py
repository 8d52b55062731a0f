"""Photographs with masks that people have, in the forms in which they lie on disk.

Whatever the form, masks come picture by picture, as planes of numbers over it (`planes.py`), so that no more than one
picture's are held; which concepts they can show, and which pictures there are, is known from the start. The forms are
rows of `core/mask_forms.py`.
"""

from layerscope.masks.pictures import MaskedPictures
from layerscope.masks.planes import MaskConcept, Plane

__all__ = ["MaskConcept", "MaskedPictures", "Plane"]
