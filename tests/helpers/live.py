"""A network for the live pages that only says what it was given, and messages as a browser sends them."""

import hashlib
import io
import json
import threading
from dataclasses import replace

import numpy as np
from PIL import Image

from layerscope.core.errors import ImageError
from layerscope.core.live import Firing, LayerFirings, LiveLayer, LiveRequest, Look, MadeTile, Portrait, ScanAgreement
from layerscope.core.methods import METHODS
from layerscope.viewer.frames import HEADER, LENGTH, Message, MessageFlag, MessageKind, pack, unpack, unpack_result

# As helpers.atlases has them.
LAYERS = (("features.1", 32), ("features.4", 16), ("classifier.1", 1))
MAGIC = (b"\xff\xd8\xff", b"\x89PNG")


def picture(shade: int, side: int = 16) -> bytes:
    """A plain PNG; another shade is another picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (shade % 256, shade // 256 % 256, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def mark(encoded: bytes) -> str:
    """What FakeEngine takes a picture for."""
    return hashlib.sha256(encoded).hexdigest()[:8]


class FakeEngine:
    """Takes each picture for its own hash. looks: the marks in order. gate: look waits until it is set."""

    def __init__(self, units: int = 6) -> None:
        self.name, self.classes, self.methods = "fake", ("one",), METHODS.names
        self.units = units
        self.layers = tuple(LiveLayer(name=n, kind="relu", units=units, rows=s, cols=s) for n, s in LAYERS)
        self.looks: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def look(self, picture: bytes, request: LiveRequest, *, frame: bool = False) -> Look:
        self.gate.wait(10)
        self._check(picture)
        self.looks.append(mark(picture))
        chosen = request.unit is not None
        return Look(
            top=((mark(picture), 1.0),),
            maxima=[float(unit) for unit in range(self.units)],
            strongest=tuple(range(self.units - 1, 0, -1)),
            mosaic=b"jpeg" if request.mosaic else None,
            mosaic_shape=(2, 3, 4, 4, 0) if request.mosaic else None,
            unit_map=np.full((4, 4), request.unit, np.uint8) if chosen else None,
            unit_scale=2.0 if chosen else None,
            value=1.5 if chosen else None,
            row=1 if chosen else None,
            col=2 if chosen else None,
            box=(0, 0, 8, 8) if chosen else None,
            prepared=b"prepared" if request.prepared else None,
            projection=request.method.encode() if chosen and request.project else None,
            tile_box=(1, 1, 7, 7) if chosen and request.project else None,
            seen=(0.0, 0.0, 16.0, 16.0),
            picture_size=(16, 16),
            milliseconds={"forward": 1.0},
        )

    def look_at_image(self, image: int, request: LiveRequest) -> Look:
        found = self.look(picture(image), request)
        return replace(found, original=False, agreement=ScanAgreement(peaks=4, back=1, ratio=0.5))

    def whole(self, picture: bytes, *, strongest: int = 9) -> Portrait:
        self._check(picture)
        self.looks.append(mark(picture))
        layers = tuple(LayerFirings(layer=name, firings=self._firings(strongest)) for name, _ in LAYERS)
        return Portrait(
            picture=picture,
            size=(64, 64),
            top=((mark(picture), 1.0),),
            layers=layers,
            seen=(0.0, 0.0, 64.0, 64.0),
            picture_size=(16, 16),
            milliseconds={"forward": 1.0},
        )

    def whole_image(self, image: int, *, strongest: int = 9) -> Portrait:
        """The picture of this shade; of images with even numbers the original."""
        found = self.whole(picture(image), strongest=strongest)
        layers = tuple(replace(layer, agreement=ScanAgreement(peaks=2, back=1, ratio=0.5)) for layer in found.layers)
        with_scan = ScanAgreement(peaks=6, back=3, ratio=0.5)
        return replace(found, layers=layers, original=image % 2 == 0, agreement=with_scan)

    def unit_tiles(self, layer: str, unit: int) -> tuple[MadeTile, ...]:
        """Two tiles, the first of an original: patches of the unit's own shade, projections as in a portrait."""
        return tuple(
            MadeTile(
                rank=rank, image=rank, original=not rank, scanned=2.0, value=2.0 - rank, row=1, col=2,
                patch=picture(unit),
                tiles={method: picture_of(method, unit) for method in METHODS.names},
            )
            for rank in range(2)
        )  # fmt: skip

    def _firings(self, strongest: int) -> tuple[Firing, ...]:
        return tuple(
            Firing(
                unit=unit, value=3.0 - unit, relative=0.5, row=1, col=2, box=(0, 0, 20, 20), tile_box=(4, 4, 20, 20),
                tiles={method: picture_of(method, unit) for method in METHODS.names},
            )
            for unit in range(min(strongest, 3))
        )  # fmt: skip

    def _check(self, picture: bytes) -> None:
        if picture == b"bug":
            raise ZeroDivisionError("a bug")
        if not picture.startswith(MAGIC):
            raise ImageError("the picture is neither a JPEG nor a PNG file, and no other kind is taken")


def picture_of(method: str, unit: int) -> bytes:
    """The tile that FakeEngine gives."""
    return picture(1000 * METHODS.names.index(method) + unit)


def frame(number: int, body: bytes, *, whole: bool = False) -> bytes:
    """A picture on its way to the server."""
    flags = MessageFlag.PICTURE if whole else MessageFlag.NONE
    return pack(Message(kind=MessageKind.FRAME, flags=flags, number=number, clock=number / 2, body=body))


def of_atlas(number: int, image: int) -> bytes:
    """The number of an image of the atlas on its way to the server."""
    return pack(Message(kind=MessageKind.IMAGE, number=number, clock=number / 2, body=LENGTH.pack(image)))


def again(number: int) -> bytes:
    """The last picture once more."""
    return pack(Message(kind=MessageKind.AGAIN, number=number, clock=number / 2))


def answer(message: dict) -> tuple[int, dict, list[bytes]]:
    """What came back: number, JSON, pictures; a sorrow has no pictures."""
    if message.get("text") is not None:
        response = json.loads(message["text"])
        return response["number"], response, []
    # A result may be longer than what a client may send.
    found = unpack(message["bytes"][: HEADER.size])
    response, pictures = unpack_result(message["bytes"][HEADER.size :])
    assert found.kind == MessageKind.RESULT and found.clock == found.number / 2
    return found.number, response, pictures
