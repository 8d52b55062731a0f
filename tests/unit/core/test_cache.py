"""A cache may be deleted, damaged or shared at any time: what it gives is what was put, or nothing."""

import os
import threading

import pytest

from layerscope.core import cache as module
from layerscope.core.cache import VARIABLE, Cache


def test_what_was_put_is_there_until_it_is_dropped(tmp_path) -> None:
    """By key; a later entry takes the place of an earlier one."""
    cache = Cache(tmp_path / "deep" / "folder")
    assert cache.get("a") is None
    cache.put("a", b"one")
    cache.put("b", b"two")
    cache.put("a", b"three")
    assert (cache.get("a"), cache.get("b")) == (b"three", b"two")
    cache.drop("a")
    cache.drop("a")
    assert (cache.get("a"), cache.get("b")) == (None, b"two")
    assert Cache(tmp_path / "deep" / "folder").get("b") == b"two"


@pytest.mark.parametrize("where", [0, 25, 60])
def test_a_damaged_entry_is_none(tmp_path, where: int) -> None:
    """One byte that is not what was written: head, sum or content. The entry is removed."""
    cache = Cache(tmp_path)
    cache.put("a", b"content" * 10)
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    content[where] ^= 1
    file.write_bytes(content)
    assert cache.get("a") is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("length", [0, 10, 40, 60])
def test_an_entry_that_was_cut_short_is_none(tmp_path, length: int) -> None:
    """As a full disk leaves it."""
    cache = Cache(tmp_path)
    cache.put("a", b"content" * 10)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:length])
    assert cache.get("a") is None


def test_the_folder_is_where_people_look_for_it(tmp_path, monkeypatch) -> None:
    """LAYERSCOPE_CACHE, then XDG_CACHE_HOME where it is a whole path (as its specification says), then ~/.cache."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert Cache.of_the_user().folder == tmp_path / "home" / ".cache" / "layerscope"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert Cache.of_the_user().folder == tmp_path / "home" / ".cache" / "layerscope"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert Cache.of_the_user().folder == tmp_path / "xdg" / "layerscope"
    monkeypatch.setenv(VARIABLE, "~/mine")
    assert Cache.of_the_user().folder == tmp_path / "home" / "mine"
    for word in ("off", "0", "", "OFF"):
        monkeypatch.setenv(VARIABLE, word)
        assert Cache.of_the_user().folder is None


def test_where_nothing_can_be_kept_nothing_is_said(tmp_path) -> None:
    """Switched off, or a file in the folder's place: an empty cache."""
    (tmp_path / "file").write_text("in the way")
    for cache in (Cache(None), Cache(tmp_path / "file"), Cache(tmp_path / "file" / "deeper")):
        cache.put("a", b"one")
        cache.drop("a")
        assert cache.get("a") is None


def test_what_was_used_longest_ago_is_removed_first(tmp_path, monkeypatch) -> None:
    """Once the entries are larger than allowed together; getting one is using it."""
    monkeypatch.setattr(module, "MOST_BYTES", 5000)
    cache = Cache(tmp_path)
    for place, key in enumerate("abcdefgh"):
        cache.put(key, key.encode() * 550)
        os.utime(cache._file(key), (1000 + place, 1000 + place))
    assert cache.get("a") is not None
    cache.put("i", b"i" * 550)
    assert [key for key in "abcdefghi" if cache.get(key) is not None] == list("acdefghi")
    cache.put("huge", b"x" * 5000)
    assert cache.get("huge") is None


def test_what_a_stopped_process_left_is_swept_up(tmp_path) -> None:
    """A half-written file is no entry, and goes once it is an hour old; files of others stay."""
    for name in ("old.new", "fresh.new", "note.txt"):
        (tmp_path / name).write_text("half")
    os.utime(tmp_path / "old.new", (1000, 1000))
    Cache(tmp_path).put("a", b"one")
    assert {"fresh.new", "note.txt"} < {file.name for file in tmp_path.iterdir()}
    assert not (tmp_path / "old.new").exists()


def test_many_may_write_at_once(tmp_path) -> None:
    """Whoever reads meanwhile gets a whole entry, of one writer or another."""
    contents = [bytes([65 + n]) * 20_000 for n in range(4)]
    seen: list[bytes | None] = []

    def work(content: bytes) -> None:
        cache = Cache(tmp_path)
        for _ in range(20):
            cache.put("a", content)
            seen.append(cache.get("a"))

    threads = [threading.Thread(target=work, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 80 and set(seen) <= set(contents)
