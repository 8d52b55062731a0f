"""Fifty readers at once for a minute: every request is answered, and the server's memory does not grow."""

import http.client
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import small_atlas
from tests.helpers.viewing import addresses

pytestmark = pytest.mark.wide

SECONDS = float(os.environ.get("LAYERSCOPE_LOAD_SECONDS", "60"))
READERS = 50
# Of the whole process; `serve` holds nothing that grows with an atlas.
MEBIBYTES, GROWTH = 120, 16


@contextmanager
def served(*atlases: Path) -> Iterator[tuple[str, int]]:
    """The command, as users start it: its address and process."""
    words = ["-m", "layerscope.cli", "serve", *map(str, atlases), "--port", "0", "--no-browser", "--quiet"]
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0


def resident(pid: int) -> float:
    """The memory that a process has now, MiB."""
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(told.stdout) / 1024


def read_on(address: str, pages: list[str], seed: int, until: float, seen: Counter) -> None:
    """One reader: page after page over one connection. seen: statuses, and errors by name, with their counts."""
    rng, place = random.Random(seed), urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    while time.monotonic() < until:
        try:
            connection.request("GET", rng.choice(pages))
            answer = connection.getresponse()
            answer.read()
            seen[answer.status] += 1
        except (OSError, http.client.HTTPException) as error:
            seen[type(error).__name__] += 1
            connection.close()
    connection.close()


def crowd(address: str, pages: list[str], seconds: float) -> Counter:
    """What READERS readers see in so many seconds."""
    until, each = time.monotonic() + seconds, [Counter() for _ in range(READERS)]
    threads = [
        threading.Thread(target=read_on, args=(address, pages, number, until, seen)) for number, seen in enumerate(each)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(each, Counter())


def test_fifty_readers_lose_no_request(tmp_path):
    """All answers are pages and pictures; memory stays below its bound and flat after the first fifth."""
    atlas = small_atlas(tmp_path / "small.atlas", units=130, images=200)
    pages = [page for page in addresses(Shelf([atlas])) if "strata" not in page and "compare" not in page]
    with served(atlas) as (address, pid):
        first = crowd(address, pages, SECONDS / 5)
        before = resident(pid)
        seen = crowd(address, pages, SECONDS * 4 / 5)
        after = resident(pid)
    print(f"{sum(seen.values())} requests, {before:.0f} then {after:.0f} MiB")
    assert set(first + seen) <= {200, 303, 404}
    assert (first + seen)[200] > READERS
    assert after < MEBIBYTES
    assert after - before < GROWTH
