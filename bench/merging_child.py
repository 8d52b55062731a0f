"""Merge two atlases, and print processor time for each image, microseconds, and this process's peak memory, MB."""

import sys
import time
from pathlib import Path

import layerscope as ls
from bench.memory_child import forget_peak, peak_megabytes


def main(one: str, other: str, out: str) -> None:
    import layerscope.pipeline.merging  # noqa: F401 - not counted: what is loaded once

    forget_peak()
    started = time.process_time()
    with ls.merge([Path(one), Path(other)], Path(out), progress=False) as atlas:
        seconds = time.process_time() - started
        print(f"{seconds / atlas.file.image_count() * 1e6:.3f} {peak_megabytes():.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
