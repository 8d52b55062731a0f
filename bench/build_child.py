"""One build by whichever layerscope is found first: where that lies, and its seconds, on one line.

Nothing but what every version has is used here.
"""

import sys
import time
from pathlib import Path

import layerscope as ls


def main(network: str, layers: str, units: str, pictures: str, out: str) -> None:
    opened, most = ls.trace(f"torchvision:{network}/none"), None if units == "all" else int(units)
    started = time.perf_counter()
    ls.build(opened, pictures, out, layers=layers.split(","), units=most, overwrite=True, progress=False)
    print(Path(ls.__file__).resolve(), time.perf_counter() - started, sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
