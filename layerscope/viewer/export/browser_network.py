"""A network beside the pages, and what runs it in the reader's browser: files of the export, in a folder of its own.

From a folder of files a browser reads scripts and pictures and nothing else. So the bytes lie in scripts, compressed,
which are smaller than the files themselves wherever a host does not compress.
"""

import base64
import gzip
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from layerscope.viewer.export.browser_runtime import BrowserRuntime

if TYPE_CHECKING:
    from layerscope.viewer.addresses import Links
    from layerscope.viewer.shelf import Book

FOLDER = "try"
LICENCE = "onnxruntime-web.LICENSE.txt"
# The names of the files, by what they hold.
FILES = {
    "runtime": "runtime.js",
    "glue": "glue.js",
    "binary": "binary.js",
    "network": "network.js",
    "facts": "facts.js",
    "pictures": "pictures.js",
    "licence": LICENCE,
}
# What is loaded before the first answer.
LOADED = ("runtime", "glue", "binary", "network")


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserNetwork:
    """A network as a browser gets it.

    name: of the network. onnx: its file (`graph/onnx_file.py`), which answers for the layers of an atlas by their ids.
    classes: the names of its outputs, empty where nobody says them. scored: whether it says classes. runtime: what runs
    it.
    """

    name: str
    onnx: bytes
    classes: tuple[str, ...] = ()
    scored: bool = False
    runtime: BrowserRuntime

    def loaded(self) -> dict[str, int]:
        """How many bytes a page loads before its first answer, by what is in them."""
        return {name: len(self.content(name)) for name in LOADED}

    def content(self, name: str) -> bytes:
        """A file's bytes, for what does not depend on the atlas."""
        if name == "runtime":
            return self.runtime.script
        if name == "licence":
            return (files("layerscope.viewer.export") / LICENCE).read_bytes()
        packed = {"glue": self.runtime.glue, "binary": self.runtime.binary, "network": self.onnx}[name]
        return _packed(name, packed)


def network_files(book: "Book") -> dict[str, int | None]:
    """The files beside the page, by what they hold, each with its size where that is known; none without a network."""
    from layerscope.viewer.pages.trying import offered

    if book.network is None:
        return {}
    sizes: dict[str, int | None] = dict(book.network.loaded())
    sizes |= {"licence": len(book.network.content("licence")), "facts": None}
    return sizes | ({"pictures": None} if offered(book) else {})


def network_file(book: "Book", link: "Links", name: str) -> bytes:
    """The bytes of a file that stands beside the page, of a book with a network."""
    from layerscope.viewer.pages import trying

    assert book.network is not None, "only of an export with a network such files are listed"
    if name == "facts":
        return put(name, trying.script_facts(book, link))
    if name == "pictures":
        return put(name, trying.script_pictures(book))
    return book.network.content(name)


def put(name: str, value: object) -> bytes:
    """A script that hands a value to the page's own: LS.put("try", NAME, value)."""
    # "<" is escaped although it is a script of its own: somebody may put it into a page.
    text = json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return f'LS.put("try", "{name}", {text});\n'.encode()


@lru_cache(maxsize=8)
def _packed(name: str, content: bytes) -> bytes:
    """The same bytes each time: no time stands in them."""
    return put(name, base64.b64encode(gzip.compress(content, 9, mtime=0)).decode())
