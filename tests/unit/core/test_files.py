"""A file is whole or as it was, whoever else writes it and whenever the writer ends."""

import os
import stat
import threading
from pathlib import Path

import pytest

from layerscope.core.files import exchange, part_of, whole_file, write_whole
from tests.helpers.building import die, in_a_child


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_what_is_there(tmp_path: Path) -> None:
    """New or in place of another; with the rights of any new file; nothing beside it."""
    path = tmp_path / "a.txt"
    for content in (b"first", b"second and longer", b"third"):
        write_whole(path, content)
        assert path.read_bytes() == content and names(tmp_path) == ["a.txt"]
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError])
def test_a_writer_that_fails_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    """Whatever is raised comes through, and nothing is left."""
    path = tmp_path / "a.txt"
    write_whole(path, b"old")
    with pytest.raises(error), whole_file(path) as file:
        file.write(b"half")
        raise error
    assert path.read_bytes() == b"old" and names(tmp_path) == ["a.txt"]


def test_what_a_killed_writer_left_is_taken_over(tmp_path: Path) -> None:
    """Longer than what comes next, it does not shine through."""
    path = tmp_path / "a.txt"

    def dying() -> None:
        with whole_file(path) as file:
            file.write(b"x" * 100_000)
            file.flush()
            die()

    assert in_a_child(dying)
    assert names(tmp_path) == [part_of(path).name]
    write_whole(path, b"new")
    assert path.read_bytes() == b"new" and names(tmp_path) == ["a.txt"]


def test_two_writers_of_one_file_follow_each_other(tmp_path: Path) -> None:
    """Whatever is read meanwhile is one of what they write, never a mixture; each content is of one letter."""
    path, seen = tmp_path / "a.txt", set()

    def write(letter: bytes) -> None:
        for _ in range(30):
            write_whole(path, letter * 50_000, synced=False)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if path.exists():
            seen.add((len(content := path.read_bytes()), len(set(content))))
    for thread in threads:
        thread.join()
    assert seen == {(50_000, 1)} and names(tmp_path) == ["a.txt"]


def test_a_forked_child_does_not_keep_the_next_writer_out(tmp_path: Path) -> None:
    """A process that was forked in the middle of a write, and lives on, holds nothing up."""
    path, (read, write) = tmp_path / "a.txt", os.pipe()
    with whole_file(path) as file:
        file.write(b"one")
        child = os.fork()
        if not child:
            os.close(write)
            os.read(read, 1)
            os._exit(0)
    try:
        write_whole(path, b"two")
        assert path.read_bytes() == b"two"
    finally:
        os.close(write)
        os.waitpid(child, 0)


def test_a_link_in_the_parts_place_is_not_followed(tmp_path: Path) -> None:
    """Somebody else's file behind it stays as it is."""
    (tmp_path / "theirs").write_bytes(b"theirs")
    part_of(tmp_path / "a.txt").symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError):
        write_whole(tmp_path / "a.txt", b"mine")
    assert (tmp_path / "theirs").read_bytes() == b"theirs"


def test_an_error_is_told_of_the_file_that_was_asked_for(tmp_path: Path) -> None:
    """Not of its part, whether it cannot be opened or cannot take its name."""
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "nowhere" / "a.txt", tmp_path / "folder"):
        with pytest.raises(OSError) as error:
            write_whole(path, b"x")
        assert error.value.filename == str(path)
    assert names(tmp_path) == ["folder"]


def test_folders_change_places(tmp_path: Path) -> None:
    """In one step where the system has one; else nothing happens, and that is said."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    swapped = exchange(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a" / "file").read_text() == ("b" if swapped else "a")
    assert (tmp_path / "b" / "file").read_text() == ("a" if swapped else "b")
    if swapped:
        with pytest.raises(FileNotFoundError):
            exchange(tmp_path / "a", tmp_path / "absent")
