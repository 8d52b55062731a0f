"""The live protocol's messages: 16 bytes of header before every binary one, JSON and pictures behind it.

Header, little-endian: u8 version, u8 type, u16 flags, u32 number, f64 the client's clock in ms. The client sends FRAME
(a picture follows), IMAGE (the number of one of the atlas's, u32) or AGAIN (the last picture once more, under the
request of now); the server answers each that it looks at with one RESULT of the same number and clock: u32 length, so
many bytes of JSON, then the pictures that it counts. Requests and errors are JSON texts.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

VERSION = 1
HEADER = struct.Struct("<BBHId")
LENGTH = struct.Struct("<I")
# A frame is a small JPEG of a moving picture; a picture is a file as its owner has it.
FRAME_BYTES, FRAME_SIDE = 256 * 1024, 1024
PICTURE_BYTES, PICTURE_PIXELS = 8 * 1024 * 1024, 16_000_000
REQUEST_BYTES = 4 * 1024


class MessageKind(IntEnum):
    """A binary message's type."""

    FRAME = 1
    AGAIN = 2
    RESULT = 3
    IMAGE = 4


# So many bytes may follow the header; a FRAME that is a PICTURE has the wider limit.
LIMITS = {
    MessageKind.FRAME: FRAME_BYTES,
    MessageKind.AGAIN: 0,
    MessageKind.RESULT: PICTURE_BYTES,
    MessageKind.IMAGE: LENGTH.size,
}


class MessageFlag(IntFlag):
    """PICTURE: a file as it is, for which the wider limits hold."""

    NONE = 0
    PICTURE = 1


class Refused(Exception):
    """A message that is not understood. code: with which the connection is closed (1003 senseless, 1009 too long)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A binary message. number: wraps at 2^32. clock: ms, as the client says; it is only sent back."""

    kind: MessageKind
    flags: MessageFlag = MessageFlag.NONE
    number: int = 0
    clock: float = 0.0
    body: bytes = b""


def pack(message: Message) -> bytes:
    """A message as bytes."""
    return HEADER.pack(VERSION, message.kind, message.flags, message.number, message.clock) + message.body


def unpack(data: bytes) -> Message:
    """Bytes as a message. Raises Refused for another version, type or flag, and for a body beyond its limit."""
    if len(data) < HEADER.size:
        raise Refused(1003, f"a message has a header of {HEADER.size} bytes, this one has {len(data)} bytes in all")
    version, kind, flags, number, clock = HEADER.unpack_from(data)
    if version != VERSION:
        raise Refused(1003, f"this server speaks version {VERSION} of the protocol, not {version}")
    if kind not in MessageKind.__members__.values() or flags not in (MessageFlag.NONE, MessageFlag.PICTURE):
        raise Refused(1003, f"there is no message of type {kind} with flags {flags}")
    limit = LIMITS[MessageKind(kind)]
    limit = PICTURE_BYTES if kind == MessageKind.FRAME and flags & MessageFlag.PICTURE else limit
    if len(data) - HEADER.size > limit:
        raise Refused(1009, f"at most {limit} bytes may follow, not {len(data) - HEADER.size}")
    if kind == MessageKind.IMAGE and len(data) - HEADER.size != LENGTH.size:
        raise Refused(1003, "an image of the atlas is told by its number, of 4 bytes")
    return Message(
        kind=MessageKind(kind), flags=MessageFlag(flags), number=number, clock=clock, body=data[HEADER.size :]
    )


def image_number(body: bytes) -> int:
    """The number of an image of the atlas, from the body of an IMAGE."""
    (number,) = LENGTH.unpack(body)
    return number


def pack_result(values: dict[str, Any], pictures: Sequence[bytes]) -> bytes:
    """The body of a RESULT. values: JSON values; the lengths of the pictures are added to it as "pictures"."""
    text = json.dumps({**values, "pictures": [len(one) for one in pictures]}, allow_nan=False).encode()
    return b"".join((LENGTH.pack(len(text)), text, *pictures))


def unpack_result(body: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """What pack_result was given. Raises ValueError for bytes that it did not make."""
    if len(body) < LENGTH.size:
        raise ValueError("a result has a length, JSON and pictures")
    (length,) = LENGTH.unpack_from(body)
    values = json.loads(body[LENGTH.size : LENGTH.size + length])
    lengths, rest = values.pop("pictures"), body[LENGTH.size + length :]
    if sum(lengths) != len(rest):
        raise ValueError(f"the pictures have {len(rest)} bytes, not {sum(lengths)}")
    ends = [sum(lengths[: place + 1]) for place in range(len(lengths))]
    return values, [rest[end - size : end] for size, end in zip(lengths, ends, strict=True)]
