"""The live protocol's bytes: what was packed comes out, and nothing else passes."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.viewer.frames import (
    FRAME_BYTES,
    HEADER,
    PICTURE_BYTES,
    Message,
    MessageFlag,
    MessageKind,
    Refused,
    image_number,
    pack,
    pack_result,
    unpack,
    unpack_result,
)

HEADERS = st.builds(
    dict,
    number=st.integers(0, 2**32 - 1),
    clock=st.floats(allow_nan=False),
    flags=st.sampled_from([MessageFlag.NONE, MessageFlag.PICTURE]),
)


@given(st.sampled_from([MessageKind.FRAME, MessageKind.RESULT]), HEADERS, st.binary(max_size=200))
def test_a_message_comes_out_as_it_went_in(kind, header, body):
    """unpack(pack(m)) == m, behind a header of 16 bytes."""
    message = Message(kind=kind, body=body, **header)
    assert unpack(pack(message)) == message
    assert len(pack(message)) == 16 + len(body) and HEADER.size == 16


@given(st.binary(max_size=64))
def test_any_bytes_are_a_message_or_refused(data):
    """Whatever comes in, it is understood or refused with a code that WebSocket has for it."""
    try:
        message = unpack(data)
    except Refused as refused:
        assert refused.code in (1003, 1009) and refused.reason
    else:
        assert pack(message)[:8] == data[:8]


@pytest.mark.parametrize(
    ("kind", "flags", "length"),
    [
        (MessageKind.FRAME, MessageFlag.NONE, FRAME_BYTES),
        (MessageKind.FRAME, MessageFlag.PICTURE, PICTURE_BYTES),
        (MessageKind.AGAIN, MessageFlag.NONE, 0),
        (MessageKind.IMAGE, MessageFlag.NONE, 4),
    ],
)
def test_a_body_has_its_limit(kind, flags, length):
    """So many bytes pass, one more is too long (1009)."""
    assert len(unpack(pack(Message(kind=kind, flags=flags, body=bytes(length)))).body) == length
    with pytest.raises(Refused, match="at most") as refused:
        unpack(pack(Message(kind=kind, flags=flags, body=bytes(length + 1))))
    assert refused.value.code == 1009


@given(st.integers(0, 2**32 - 1), st.binary(max_size=3))
def test_an_image_of_the_atlas_is_told_by_its_number(image, short):
    """The number that was packed comes out; fewer bytes are no number (1003)."""
    message = unpack(pack(Message(kind=MessageKind.IMAGE, body=image.to_bytes(4, "little"))))
    assert image_number(message.body) == image
    with pytest.raises(Refused, match="by its number") as refused:
        unpack(pack(Message(kind=MessageKind.IMAGE, body=short)))
    assert refused.value.code == 1003


@given(
    st.dictionaries(st.text(max_size=5).filter(lambda key: key != "pictures"), st.integers(), max_size=3),
    st.lists(st.binary(max_size=40), max_size=4),
)
def test_a_result_comes_out_as_it_went_in(values, pictures):
    """JSON and pictures, in order, whatever their bytes."""
    assert unpack_result(pack_result(values, pictures)) == (values, pictures)


def test_a_result_holds_plain_json_only():
    """A number that JSON does not have is a bug of the server, not something for a browser to stumble over."""
    with pytest.raises(ValueError, match="JSON"):
        pack_result({"value": math.nan}, [])


def test_a_cut_result_is_noticed():
    """Bytes that are missing at the end are not taken for a shorter picture."""
    whole = pack_result({"a": 1}, [b"12345"])
    with pytest.raises(ValueError, match="have 4 bytes, not 5"):
        unpack_result(whole[:-1])
    with pytest.raises((ValueError, json.JSONDecodeError)):
        unpack_result(b"")
