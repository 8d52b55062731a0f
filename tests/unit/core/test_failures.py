"""What the machine fails with is one sentence; what is a bug of ours passes."""

import errno
import os

import pytest

from layerscope.core.errors import AtlasError, LayerscopeError
from layerscope.core.failures import of_the_machine, out_of_memory, plain_failures

SAID = {
    OSError(errno.ENOSPC, "No space left on device", "a/b"): "the disk is full: a/b cannot be written; free space",
    OSError(errno.EDQUOT, "Disk quota exceeded"): "the disk is full: the place cannot be written; free space",
    OSError(errno.EMFILE, "Too many open files", "a"): "a cannot be opened (Too many open files); close other programs",
    PermissionError(errno.EACCES, "Permission denied", "a"): "a cannot be read or written (Permission denied); check",
    OSError(errno.ETIMEDOUT, "Connection timed out", "a"): "a cannot be read or written (Connection timed out); check",
    OSError(errno.ENOMEM, "Cannot allocate memory", "a"): "out of memory (the place): free some",
    FileNotFoundError(errno.ENOENT, "No such file", "a"): "a cannot be read or written (No such file); check the path",
    MemoryError(): "out of memory (the place): free some",
    MemoryError("std::bad_alloc"): "out of memory (the place): free some",
    RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"): "out of memory (the place): free some",
    RuntimeError("can't start new thread"): "no further thread can be started (the place): end other programs",
}  # fmt: skip


@pytest.mark.parametrize("error", SAID, ids=repr)
def test_what_a_machine_fails_with_is_a_sentence(error: Exception) -> None:
    """Of the kind that was asked for, with the place and what to do, and the cause behind it."""
    with pytest.raises(AtlasError) as caught, plain_failures("the place", then="try once more", kind=AtlasError):
        raise error
    assert str(caught.value).startswith(SAID[error]) and str(caught.value).endswith(", and try once more")
    assert "\n" not in str(caught.value) and caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [RuntimeError("shapes do not match"), ValueError("x"), KeyError("x"), BrokenPipeError(), LayerscopeError("told")],
    ids=repr,
)
def test_all_else_passes(error: Exception) -> None:
    """A bug stays a bug, a sentence stays as it is, and a reader who went away is no failure."""
    with pytest.raises(type(error)) as caught, plain_failures("the place"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("name", ["ENOENT", "EACCES", "EISDIR", "ENAMETOOLONG", "ELOOP"])
def test_some_failures_are_the_files_own(name: str) -> None:
    """They are the same at every attempt."""
    number = getattr(errno, name)
    assert not of_the_machine(OSError(number, os.strerror(number)))


@pytest.mark.parametrize("name", ["EIO", "ESTALE", "ETIMEDOUT", "EMFILE", "ENETUNREACH", "EREMOTEIO", "EAGAIN"])
def test_all_others_are_the_machines(name: str) -> None:
    """Also those that nobody thought of."""
    number = getattr(errno, name)
    assert of_the_machine(OSError(number, os.strerror(number)))


def test_broken_bytes_are_not_the_machines() -> None:
    """Pillow's errors have no number."""
    assert not of_the_machine(OSError("image file is truncated (3 bytes not processed)"))
    assert not out_of_memory(OSError("image file is truncated (3 bytes not processed)"))
    assert out_of_memory(OSError("out of memory when reading image file"))
