"""A JSON file in pieces says what the whole says, and where each piece stands."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.errors import UsageError
from layerscope.masks.members import element, members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text(min_size=1, max_size=5), st.lists(VALUES, max_size=4) | VALUES, max_size=4)


@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 1]), st.booleans())
def test_pieces_are_the_whole(document, plain, indent, marked):
    """Every element of every list at the top, in order; read again by its place it is the same. Any alphabet."""
    text = json.dumps(document, ensure_ascii=plain, indent=indent).encode("utf-8", "surrogatepass")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.json"
        file.write_bytes(b"\xef\xbb\xbf" * marked + text)
        found = list(members(file))
        lists = [(key, value) for key, value in json.loads(text).items() if isinstance(value, list)]
        assert [value for _, value in lists for value in value] == [one.value for one in found]
        assert [element(file, one.start, one.end) for one in found] == [one.value for one in found]


@pytest.mark.parametrize(
    "text",
    [b"", b"[1]", b"{", b'{"a"', b'{"a": [1,', b'{"a": [1 2]}', b'{"a": [1,]}', b'{"a": [],}', b"{a: [1]}", b"\xff\xfe",
     b'{"a" [1]}', b"[" * 5000],
)  # fmt: skip
def test_what_is_no_json_is_refused(tmp_path, text):
    """One sentence that names the file."""
    (tmp_path / "a.json").write_bytes(text)
    with pytest.raises(UsageError, match="is no JSON file"):
        list(members(tmp_path / "a.json"))
