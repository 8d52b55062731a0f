"""What a folder of a store holds: the files, sorted, with what is needed of them, in little room beside the listing."""

import tracemalloc
from typing import Any

import pytest

pytest.importorskip("fsspec")

from layerscope.core.errors import ImageError
from layerscope.remote import places
from layerscope.remote.places import files_named
from layerscope.sources.clutter import SITE

COUNT = 20_000


class ListedStore:
    """A store that is asked for its files alone, and keeps what it told until it is made to forget."""

    def __init__(self, names: list[str]) -> None:
        self.names, self.kept = names, dict[str, Any]()

    def invalidate_cache(self) -> None:
        self.kept = {}

    def isdir(self, path: str) -> bool:
        return True

    def find(self, path: str, *, detail: bool) -> dict[str, Any]:
        assert detail
        self.kept = {
            f"{path}/{name}": {"name": name, "type": "file", "size": number, "ETag": f"{number:032x}", "Key": name * 4}
            for number, name in enumerate(self.names)
        }
        return dict(self.kept)

    def info(self, path: str) -> dict[str, Any]:
        """As of a web server: what is asked for without an ending is a page."""
        return {"name": path, "type": "file", "size": 9, "mimetype": "text/html"}


def listed(names: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[ListedStore, list[places.RemoteFile]]:
    store = ListedStore(names)
    monkeypatch.setattr(places, "system_of", lambda root, *, patient: store)
    monkeypatch.setattr(places, "require_heard", lambda address, place: None)
    return store, files_named(["s3://bucket/p"], "s3://")


def test_files_are_sorted_and_only_archives_have_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clutter and what an export wrote are passed over."""
    names = ["b/2.jpg", "a/1.jpg", "c.tar", ".hidden/3.jpg", f"site/{SITE}", "site/4.jpg"]
    _, found = listed(names, monkeypatch)
    assert [(file.path, file.name, file.size, bool(file.mark)) for file in found] == [
        ("bucket/p/a/1.jpg", "a/1.jpg", 1, False),
        ("bucket/p/b/2.jpg", "b/2.jpg", 0, False),
        ("bucket/p/c.tar", "c.tar", 2, True),
    ]
    assert found[2].version == (2, f"{2:032x}")


def test_a_long_listing_is_let_go_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside what the store itself tells hardly anything is held at any time, and nothing of that behind it."""
    names = [f"{number % 100:03}/{number:08}.jpg" for number in range(COUNT)]
    listed(["a.jpg", "b.tar"], monkeypatch)  # what a first call makes stays, and is not the listing's
    tracemalloc.start()
    held = ListedStore(names).find("bucket/p", detail=True)
    told = tracemalloc.get_traced_memory()[0]
    del held
    tracemalloc.stop()
    tracemalloc.start()
    store, found = listed(names, monkeypatch)
    left, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == COUNT and not store.kept
    assert peak < 1.2 * told and left < 0.6 * told


@pytest.mark.parametrize("web", ["http://host/photos", "https://host/a.b/photos?page=2"])
def test_a_page_in_the_place_of_a_folder_is_told_of_its_slash(monkeypatch: pytest.MonkeyPatch, web: str) -> None:
    """An address without a slash that gives a page; not one that is named as a picture, whose page is an error."""
    monkeypatch.setattr(places, "system_of", lambda root, *, patient: ListedStore([]))
    monkeypatch.setattr(places, "require_heard", lambda address, place: None)
    root = f"{web.partition('://')[0]}://"
    bare = web.partition("?")[0]
    with pytest.raises(ImageError, match="is a web page; if it is a folder, its address ends in a slash") as raised:
        files_named([web], root)
    assert f'"{bare}/"' in str(raised.value)
    assert [file.size for file in files_named([f"{bare}.jpg"], root)] == [9]
