"""What pages of a large atlas take of a server: processor time of a first visit, bytes, and memory."""

import re
import time
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import urlopen

from bench.viewer.budget import Budget
from bench.viewer.large import write_large
from bench.viewer.server import Started, started

# By what is asked for: its address below the atlas's, and the most seconds and KiB.
PAGES: dict[str, tuple[str, float, float]] = {
    "lesson": ("", 1.0, 100),
    "network": ("network", 0.5, 200),
    "classes": ("concepts", 2.0, 400),
    "images": ("images", 2.0, 100),
    "layer of 2,048 units": ("l/stage4.1", 0.5, 400),
    "unit": ("l/stage4.1/u/7", 0.2, 100),
    "search, first word": ("search?q=fox&format=html", 2.0, 100),
    "search, second word": ("search?q=amber&format=html", 0.3, 100),
    "search, word that nothing is called": ("search?q=zzz&format=html", 1.0, 100),
}
MOST_INDEX_KIB, MOST_MIB = 1024, 256


def measure(folder: Path, repeats: int) -> list[Budget]:
    """Each page is asked for once by a server that was just started; processor time counts, not the clock's."""
    path = folder / "large.atlas"
    path = path if path.exists() else write_large(path)
    seconds, sizes = ({name: list[float]() for name in (*PAGES, "index")} for _ in range(2))
    memory, opened = [], []
    for _ in range(repeats):
        # Not the first page: that is the lesson, which is measured.
        with started("serve", str(path), first=f"{path.stem}/about") as server:
            opened.append(server.announced)
            for name, (address, _, _) in PAGES.items():
                _visit(server, f"{server.origin}/{path.stem}/{address}", seconds[name], sizes[name])
            index = urljoin(server.origin, _index_of(f"{server.origin}/{path.stem}/about"))
            _visit(server, index, seconds["index"], sizes["index"])
            memory.append(server.megabytes())
    gigabytes = f"atlas of {path.stat().st_size / 1e9:.1f} GB"
    return [
        Budget(what=f"{gigabytes}: start to the line with its address", limit=1.0, found=opened, unit="s"),
        *(
            Budget(what=f"{gigabytes}: {name}, processor time", limit=PAGES[name][1], found=seconds[name], unit="s")
            for name in PAGES
        ),
        *(
            Budget(what=f"{gigabytes}: {name}, HTML", limit=PAGES[name][2], found=sizes[name], unit="KiB")
            for name in PAGES
        ),
        Budget(what=f"{gigabytes}: index of the search", limit=MOST_INDEX_KIB, found=sizes["index"], unit="KiB"),
        Budget(what=f"{gigabytes}: index, processor time", limit=1.0, found=seconds["index"], unit="s"),
        Budget(what=f"{gigabytes}: most memory, after these", limit=MOST_MIB, found=memory, unit="MiB"),
    ]


def _visit(server: Started, address: str, seconds: list[float], sizes: list[float]) -> None:
    before = server.processor_seconds()
    sizes.append(len(urlopen(address).read()) / 1024)
    # What the server writes last may be counted after its answer has arrived.
    time.sleep(0.02)
    seconds.append(server.processor_seconds() - before)


def _index_of(address: str) -> str:
    """Where a page loads what a search in the browser needs."""
    found = re.search(r'data-src="([^"]+)"', urlopen(address).read().decode())
    assert found is not None, "every page names the index"
    return found.group(1)
