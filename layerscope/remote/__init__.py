"""Images in stores elsewhere, through fsspec: buckets, data sets of a hub, web servers, ZIP archives.

``open_remote`` lists a place once, keeps the listing in a manifest, and gives a source like any other; `RemoteFiles` is
the storage that its images are read from, again where that helps, and by whichever machine is asked to. Nothing that is
told or kept holds a credential: `core/addresses.py`.
"""

from layerscope.remote.opening import open_remote
from layerscope.remote.storage import RemoteFiles

__all__ = ["RemoteFiles", "open_remote"]
