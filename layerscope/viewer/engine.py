"""What the viewer asks of a network that looks at pictures now; `live/` answers, and the viewer stays without torch."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from layerscope.core.live import LiveRequest, Look, MadeTile, Portrait


@runtime_checkable
class WatchableLayer(Protocol):
    """A layer that can be watched. rows, cols: of its map; 1 and 1 for a dense layer."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def units(self) -> int: ...

    @property
    def rows(self) -> int: ...

    @property
    def cols(self) -> int: ...


@runtime_checkable
class LiveEngine(Protocol):
    """A network over one atlas; calls from several threads do not mix. See core/live.py for what is given."""

    name: str

    @property
    def classes(self) -> Sequence[str]: ...

    @property
    def methods(self) -> Sequence[str]: ...

    @property
    def layers(self) -> Sequence[WatchableLayer]: ...

    def look(self, picture: bytes, request: LiveRequest, *, frame: bool = False) -> Look:
        """One picture, as far as the request goes; frame: one of a stream, with narrower limits. ImageError."""
        ...

    def look_at_image(self, image: int, request: LiveRequest) -> Look:
        """An image of the atlas, as far as the request goes. UsageError where the atlas keeps no picture of it."""
        ...

    def whole(self, picture: bytes, *, strongest: int = 9) -> Portrait:
        """A picture at every layer. Raises ImageError."""
        ...

    def whole_image(self, image: int, *, strongest: int = 9) -> Portrait:
        """An image of the atlas at every layer. Raises as `look_at_image`."""
        ...

    def unit_tiles(self, layer: str, unit: int) -> tuple[MadeTile, ...]:
        """The tiles of a unit's peaks, made now. Raises UsageError for a layer or unit that does not exist."""
        ...
