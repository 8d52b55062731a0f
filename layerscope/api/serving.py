"""An atlas in the browser from a notebook, a program or the command line: a server in a thread, and the link to it."""

import os
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from layerscope.api import before
from layerscope.api.atlas import Atlas
from layerscope.api.checked import checked
from layerscope.atlas.read import AtlasFile
from layerscope.core import settings as s
from layerscope.core.networks import How
from layerscope.core.verbs import VERBS
from layerscope.viewer.engine import LiveEngine
from layerscope.viewer.guard import is_loopback
from layerscope.viewer.serving import Running, has_display, open_browser, shelf_below
from layerscope.viewer.shelf import Shelf

if TYPE_CHECKING:
    from layerscope.api.network import Network
    from layerscope.models.types import Model
    from layerscope.sources.types import Images


class Served:
    """A server in the background: as text its address, in a notebook a link.

    remarks: what a user should know of it, a sentence each.
    """

    def __init__(self, running: Running, remarks: Sequence[str] = ()) -> None:
        self._running, self.remarks = running, tuple(remarks)

    @property
    def address(self) -> str:
        """What to open in a browser of this machine."""
        return self._running.address

    def stop(self) -> None:
        """End the server; a second call does nothing. It ends with the process too."""
        self._running.stop()

    def wait(self) -> None:
        """Wait until Ctrl-C, then end the server."""
        self._running.wait()

    def __str__(self) -> str:
        return self.address

    def __repr__(self) -> str:
        return f"<Served {self.address}>"

    def _repr_html_(self) -> str:
        address = escape(self.address)
        return f'<a href="{address}" target="_blank" rel="noopener noreferrer">{address}</a>'


@checked(VERBS["serve"])
def serve(
    atlas: "str | os.PathLike[str] | Atlas | Sequence[str | os.PathLike[str] | Atlas]",
    *,
    host: str = s.HOST.default,
    port: int = s.PORT.default,
    base: str = s.BASE.default,
    names: Sequence[str] = s.HOST_NAMES.default,
    browser: bool = s.BROWSER.default,
) -> Served:
    """Show one or more atlases in the browser: a server in a thread, which ends with the process.

    atlas: one, or a list. host: the address to listen at; one that others can reach gets a token. port: the first that
    is tried; the next free one is taken, 0 is any. base, names: the path below which, and the host names under which, a
    proxy shows the pages. browser: open it where there is a display. Raises AtlasError, and UsageError where no port
    is free.
    """
    several = [atlas] if isinstance(atlas, (str, os.PathLike, Atlas)) else list(atlas)
    paths = [one.file.path if isinstance(one, Atlas) else one for one in several]
    return _served(shelf_below(paths, base), host, port, base, names, browser)


@checked(VERBS["live"])
def live(
    atlas: Atlas | str | os.PathLike[str],
    net: "Network | Model",
    *,
    images: "Images | None" = None,
    weights: str | os.PathLike[str] | None = s.WEIGHTS.default,
    trust: bool = s.TRUST.default,
    bind: Mapping[str, Any] | None = s.BIND.default,
    host: str = s.HOST.default,
    port: int = s.PORT.default,
    base: str = s.BASE.default,
    names: Sequence[str] = s.HOST_NAMES.default,
    browser: bool = s.BROWSER.default,
) -> Served:
    """Show an atlas in the browser with its network, which watches a camera or pictures; otherwise as `serve`.

    net: the network that made the atlas: a Network, or what `trace` takes. images: where the atlas's images lie, as
    `images` takes them; without it they are looked for by their names near the atlas. weights: as for `trace`. Raises
    AtlasError, WrongModel for another network, ImageError, UsageError.
    """
    before.require_weights(weights)
    shelf = shelf_below([atlas.file.path if isinstance(atlas, Atlas) else atlas], base)
    from layerscope.api.looking import engine_of
    from layerscope.sources import open_source

    source = None if images is None else open_source(images)
    engine = engine_of(AtlasFile(shelf.path(shelf.slugs[0])), net, How.of(weights, trust, bind), images=source)
    return _served(shelf, host, port, base, names, browser, engine)


def _served(
    shelf: Shelf, host: str, port: int, base: str, names: Sequence[str], browser: bool, engine: LiveEngine | None = None
) -> Served:
    """Start the server; what a user should know comes along."""
    running = Running(shelf, host=host, port=port, base=base, public=names, engine=engine)
    remarks = [
        f"{book.file.path.name} is unfinished: its pages show what is there so far"
        for book in shelf
        if not book.finished
    ]
    if port not in (0, running.door.port):
        remarks.append(f"port {port} is in use: another one was taken")
    if not is_loopback(host):
        remarks.append("other machines can reach this server; whoever has the address with its token sees everything")
    running.start()
    if browser and has_display():
        open_browser(running.address)
    return Served(running, remarks)
