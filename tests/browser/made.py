"""What the browser is shown: the shipped worldnet over pictures of the visual world, dissected; `python -m` writes it.

In a process of its own, and not in that of the tests, where every shape is checked: that takes several times as long.
"""

import sys
from pathlib import Path

import layerscope as ls
from layerscope.atlas.read import AtlasFile
from layerscope.dissect import describe, dissect, record_dissection, record_notes
from layerscope.sources import open_source
from layerscope.world import World

NETWORK, PICTURES, SEED, UNITS = "worldnet", 160, 3, 24


def write(path: Path) -> None:
    """The atlas. Of each layer 24 seeded units have tiles, so that pages of units without any are seen, too."""
    world, net = World(PICTURES, seed=SEED), ls.trace(NETWORK)
    ls.build(net, world, path, units=UNITS, progress=False).close()
    with AtlasFile(path) as file:
        layers = [layer.record for layer in file.layers]
    record_dissection(path, dissect(net.program, net.input, layers, open_source(world), world, baselines=False))
    with AtlasFile(path) as file:
        notes = describe(file)
    record_notes(path, notes)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
