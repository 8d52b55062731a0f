"""The guest package of `tests/plugin`, which `make` installs beside layerscope, in a folder of its own."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import invalidate_caches
from pathlib import Path

from layerscope.api.plugins import registries

ROOT = Path(__file__).resolve().parents[2]
GUESTS = Path(os.environ.get("LAYERSCOPE_GUESTS") or ROOT / ".venv" / "guests")


@contextmanager
def installed() -> Iterator[Path]:
    """While it is open, the guest's rows are there, in this process and in those that it starts."""
    assert (GUESTS / "installed").is_file(), (
        f"the guest package is not installed: make -C {ROOT} .venv/guests/installed"
    )
    before = os.environ.get("PYTHONPATH")
    sys.path.insert(0, str(GUESTS))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(GUESTS), *([before] if before else [])])
    _look_again()
    try:
        yield GUESTS
    finally:
        sys.path.remove(str(GUESTS))
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
        _look_again()


def _look_again() -> None:
    invalidate_caches()
    for registry in registries():
        registry.refresh()
