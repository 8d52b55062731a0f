"""An atlas in the browser from a notebook or a program: a server in a thread, and the link to it."""

import os
from collections.abc import Sequence
from html import escape

from layerscope.viewer.serving import HOST, PORT, Running, shelf_below


class Served:
    """A server in the background: as text its address, in a notebook a link."""

    def __init__(self, running: Running) -> None:
        self._running = running

    @property
    def address(self) -> str:
        """What to open in a browser of this machine."""
        return self._running.address

    def stop(self) -> None:
        """End the server; a second call does nothing. It ends with the process too."""
        self._running.stop()

    def __str__(self) -> str:
        return self.address

    def __repr__(self) -> str:
        return f"<Served {self.address}>"

    def _repr_html_(self) -> str:
        address = escape(self.address)
        return f'<a href="{address}" target="_blank" rel="noopener noreferrer">{address}</a>'


def served(
    *paths: str | os.PathLike[str], host: str = HOST, port: int = PORT, base: str = "", names: Sequence[str] = ()
) -> Served:
    """Serve atlases from a thread. Raises AtlasError, or UsageError where no port is free."""
    running = Running(shelf_below(paths, base), host=host, port=port, base=base, public=names)
    running.start()
    return Served(running)
