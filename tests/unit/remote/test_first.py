"""A store's first answer comes in time or is said not to come, and what has answered is not asked again."""

import threading
import time
from typing import Any

import pytest

pytest.importorskip("fsspec")

from layerscope.core.errors import ImageError
from layerscope.remote import answers, first, places
from layerscope.remote.places import files_named
from layerscope.remote.storage import RemoteFiles
from layerscope.sources.listing import Entry


class AskedStore:
    """A store whose library is silent, or fails, or answers. asked: how often for a folder."""

    def __init__(self, how: Any) -> None:
        self.how, self.asked = how, 0

    def isdir(self, path: str) -> bool:
        self.asked += 1
        self.how()
        return True

    def invalidate_cache(self) -> None:
        pass

    def find(self, path: str, *, detail: bool) -> dict[str, Any]:
        return {f"{path}/0.jpg": {"type": "file", "size": 1}}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a store in the place of the one that an address names."""
    monkeypatch.setattr(first, "_HEARD", set())
    monkeypatch.setattr(answers, "FIRST_WAIT", 0.001)

    def put(how: Any) -> AskedStore:
        store = AskedStore(how)
        for module in (first, places):
            monkeypatch.setattr(module, "system_of", lambda root, **_: store)
        return store

    return put


def test_a_silent_store_is_said_to_be_silent(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence, while its library still waits."""
    monkeypatch.setattr(first, "LONGEST", 0.2)
    ends = threading.Event()
    opened(lambda: ends.wait(60))
    begun = time.monotonic()
    with pytest.raises(ImageError) as raised:
        files_named(["gs://bucket/p"], "gs://")
    took = time.monotonic() - begun
    ends.set()
    assert took < 20
    assert str(raised.value) == (
        '"gs://bucket/p" cannot be listed: no answer within 0.2 s; check the connection, and try again'
    )


def test_a_store_is_silent_where_it_cannot_be_opened_in_time(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some look for credentials as they are opened."""
    monkeypatch.setattr(first, "LONGEST", 0.2)
    ends = threading.Event()
    monkeypatch.setattr(first, "system_of", lambda root: ends.wait(60))
    with pytest.raises(ImageError, match=r"no answer within 0\.2 s"):
        files_named(["zip://p::gs://bucket/p.zip"], "zip://::gs://bucket/p.zip")
    ends.set()


def test_who_has_answered_is_not_asked_again(opened: Any) -> None:
    """One question more the first time."""
    store = opened(lambda: None)
    counts = []
    for _ in range(2):
        assert [file.name for file in files_named(["gs://bucket/p"], "gs://")] == ["0.jpg"]
        counts.append(store.asked)
    assert counts == [2, 3]


def test_a_refusal_is_said_by_what_is_asked_next(opened: Any) -> None:
    """With the store's own words for where credentials come from."""

    def forbid() -> None:
        raise PermissionError("secret")

    opened(forbid)
    with pytest.raises(ImageError, match="may not be read with the credentials") as raised:
        files_named(["gs://bucket/p"], "gs://")
    assert "secret" not in str(raised.value)


def test_a_kept_listing_does_not_spare_the_first_answer(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever goes on asks for the first time when an image is read; it is not left out for that."""
    monkeypatch.setattr(first, "LONGEST", 0.2)
    ends = threading.Event()
    opened(lambda: ends.wait(60))
    with pytest.raises(ImageError, match=r'"gs://bucket/p/0\.jpg" cannot be read just now \(no answer within 0\.2 s\)'):
        RemoteFiles(root="gs://").read(Entry(identity="0.jpg", size=9, path="bucket/p/0.jpg"))
    ends.set()
