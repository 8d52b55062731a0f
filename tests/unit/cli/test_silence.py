"""Words of other libraries are kept off the screen of a command, and of nothing else."""

import contextlib
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from layerscope.cli import main
from layerscope.cli.verbs import ops
from tests.helpers.atlases import small_atlas

# As Pillow, matplotlib, torch and a library that a user's network file may import log; torch has a handler of its own.
LOGGED = {
    "PIL.TiffImagePlugin": logging.ERROR,
    "matplotlib": logging.WARNING,
    "torch.fx.experimental.symbolic_shapes": logging.WARNING,
    "somebody.library": logging.WARNING,
    # As the libraries of stores log what their callers get as an exception.
    **{name: logging.ERROR for name in ("gcsfs.credentials", "s3fs", "fsspec", "botocore.retries", "aiohttp.client")},
}


def noise(*_: object) -> int:
    """What a verb may meet: warnings of several kinds, log lines, and one that is an exception by its caller's wish."""
    warnings.warn("could be decompression bomb DOS attack", RuntimeWarning, stacklevel=1)
    warnings.warn("invalid value encountered in divide", RuntimeWarning, stacklevel=1)
    warnings.simplefilter("always")
    warnings.warn("this will be removed", DeprecationWarning, stacklevel=1)
    for name, level in LOGGED.items():
        logging.getLogger(name).log(level, "words of %s", name)
    return 0


@contextlib.contextmanager
def handled():
    """A log handler such as torch installs, which writes to stderr by itself."""
    logger, handler = logging.getLogger("torch"), logging.StreamHandler(sys.stderr)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def test_a_command_shows_no_words_of_others(monkeypatch, capsys):
    """Nothing of it stands on stderr or stdout, whatever the library's own filters and handlers are."""
    monkeypatch.setattr(ops, "run", noise)
    monkeypatch.setattr(sys, "warnoptions", [])
    monkeypatch.delenv("TORCH_LOGS", raising=False)
    with handled():
        assert main(["ops"]) == 0
    assert capsys.readouterr() == ("", "")


def test_outside_a_command_all_is_as_it_was(monkeypatch, capsys):
    """Filters, the showing of warnings and the levels of loggers are the caller's again, after a bug too."""

    def state() -> tuple[object, ...]:
        levels = [logging.getLogger(name).level for name in ("PIL", *LOGGED)]
        return warnings.showwarning, list(warnings.filters), logging.root.manager.disable, levels

    def bug(*_: object) -> int:
        noise()
        raise ZeroDivisionError

    before = state()
    monkeypatch.setattr(ops, "run", bug)
    assert main(["ops"]) == 2
    assert state() == before


@pytest.mark.parametrize("asked", ["warnings", "log"])
def test_who_asks_for_them_hears_them(monkeypatch, capsys, asked):
    """-W and PYTHONWARNINGS, which Python keeps in sys.warnoptions, and TORCH_LOGS turn nothing off."""
    monkeypatch.setattr(ops, "run", noise)
    monkeypatch.setattr(sys, "warnoptions", ["default"] if asked == "warnings" else [])
    monkeypatch.setenv("TORCH_LOGS", "" if asked == "warnings" else "+export")
    shown: list[str] = []
    monkeypatch.setattr(warnings, "showwarning", lambda message, *_, **__: shown.append(str(message)))
    with handled():
        main(["ops"])
    assert "this will be removed" in shown
    assert "words of torch.fx.experimental.symbolic_shapes" in capsys.readouterr().err


def test_a_warning_that_is_wanted_as_an_error_is_one(monkeypatch, capsys):
    """Filters stay the caller's: only what would be written is not."""

    def wanted(*_: object) -> int:
        warnings.simplefilter("error")
        with pytest.raises(UserWarning):
            warnings.warn("an error", UserWarning, stacklevel=1)
        return 0

    monkeypatch.setattr(ops, "run", wanted)
    assert main(["ops"]) == 0


def test_a_figure_without_a_home_folder_is_drawn_in_silence(tmp_path: Path):
    """Matplotlib, which has nowhere to keep its settings then, is not heard; stdout holds the result alone."""
    atlas = small_atlas(tmp_path / "a.atlas", units=2, images=8)
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "home")
    left_out = ("MPLCONFIGDIR", "PYTHONWARNINGS", "TORCH_LOGS", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in left_out} | {"HOME": nowhere}
    words = [sys.executable, "-m", "layerscope.cli", "figure", str(atlas), "-o", str(tmp_path / "a.png"), "--dpi", "20"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(str(tmp_path / "a.png"))
