"""Fifty readers and three live viewers for a minute: every request is answered, and memory does not grow."""

import http.client
import json
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
from websockets.sync.client import connect

from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import small_atlas
from tests.helpers.ctrl_c import heed_ctrl_c
from tests.helpers.live import answer, frame, picture
from tests.helpers.viewing import addresses

pytestmark = pytest.mark.wide

SECONDS = float(os.environ.get("LAYERSCOPE_LOAD_SECONDS", "60"))
READERS = 50
# Of the whole process; `serve` holds nothing that grows with an atlas.
MEBIBYTES, GROWTH = 120, 16


@contextmanager
def served(*words: str | Path) -> Iterator[tuple[str, int]]:
    """A command, as users start it: its address and process."""
    words = ("-m", "layerscope.cli", *map(str, words), "--port", "0", "--no-browser", "--quiet")
    line, out = [sys.executable, *words], subprocess.PIPE
    with subprocess.Popen(line, stdout=out, text=True, preexec_fn=heed_ctrl_c) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process.pid
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()


def resident(pid: int) -> float:
    """The memory that a process has now, MiB."""
    listed = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(listed.stdout) / 1024


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


def watch_on(address: str, layer: str, shade: int, until: float, seen: Counter) -> None:
    """One live viewer: a frame after each answer. seen: answers, and those that are not like its first."""
    place, number, first, unit = urlsplit(address), 0, None, shade % 16
    port = f"{place.hostname}:{place.port}"
    with connect(f"ws://{port}/world/live/socket", origin=f"http://{port}", max_size=2**24) as viewer:
        viewer.send(json.dumps({"layer": layer, "unit": unit, "project": True, "mosaic": True, "method": "deconvnet"}))
        while time.monotonic() < until:
            number += 1
            viewer.send(frame(number, picture(shade)))
            found, response, _ = answer({"bytes": viewer.recv(timeout=60)})
            seen["answers"] += 1
            mine = (response["maxima"], response["top"], response["map"])
            first = first or mine
            seen["mixed"] += found != number or mine != first
    seen["left in peace"] += 1


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


def test_three_live_viewers_beside_them_starve_nobody(tmp_path):
    """Each viewer gets its own answers, readers lose no request, and memory is flat after the first third."""
    atlas = tmp_path / "world.atlas"
    subprocess.run([sys.executable, "-m", "tests.browser.made", str(atlas)], check=True)
    layers = [layer.name for layer in next(iter(Shelf([atlas]))).layers][:3]
    pages = [page for page in addresses(Shelf([atlas])) if "compare" not in page]
    with served("live", atlas, "worldnet") as (address, pid):
        watched: list[list[Counter]] = []
        held: list[float] = []
        seen: Counter = Counter()
        for seconds in (SECONDS / 3, SECONDS * 2 / 3):
            counts = [Counter() for _ in layers]
            until = time.monotonic() + seconds
            viewers = [
                threading.Thread(target=watch_on, args=(address, layer, 40 * place, until, counts[place]))
                for place, layer in enumerate(layers)
            ]
            for viewer in viewers:
                viewer.start()
            seen += crowd(address, pages, seconds)
            for viewer in viewers:
                viewer.join()
            watched.append(counts)
            held.append(resident(pid))
    answers = [[count["answers"] for count in counts] for counts in watched]
    print(f"{sum(seen.values())} requests, answers {answers}, {held[0]:.0f} then {held[1]:.0f} MiB")
    assert set(seen) <= {200, 303, 404} and seen[200] > READERS
    assert not any(count["mixed"] for counts in watched for count in counts)
    assert all(count["left in peace"] for counts in watched for count in counts)
    for counts in answers:
        assert min(counts) > 0 and max(counts) <= 1.5 * min(counts) + 3
    assert held[1] - held[0] < 2 * GROWTH


def test_fifty_readers_lose_no_request(tmp_path):
    """All answers are pages and pictures; memory stays below its bound and flat after the first fifth."""
    atlas = small_atlas(tmp_path / "small.atlas", units=130, images=200)
    pages = [page for page in addresses(Shelf([atlas])) if "strata" not in page and "compare" not in page]
    with served("serve", atlas) as (address, pid):
        first = crowd(address, pages, SECONDS / 5)
        before = resident(pid)
        seen = crowd(address, pages, SECONDS * 4 / 5)
        after = resident(pid)
    print(f"{sum(seen.values())} requests, {before:.0f} then {after:.0f} MiB")
    assert set(first + seen) <= {200, 303, 404}
    assert (first + seen)[200] > READERS
    assert after < MEBIBYTES
    assert after - before < GROWTH
