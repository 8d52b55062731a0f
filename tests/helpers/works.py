"""Works and images that actors import by their names."""

import os
import time

import numpy as np

from layerscope.core.engines import in_turn

BLIND = "LAYERSCOPE_TEST_BLIND"


def slowly(pieces):
    """Takes as long as the piece says, in seconds, and gives its number and the process that made it."""

    def made(piece):
        time.sleep(piece.held)
        yield piece.number
        yield os.getpid()

    return in_turn(pieces, made)


def deadly(pieces):
    """Ends its process at what is called so."""

    def made(piece):
        if piece.held == "deadly":
            os._exit(1)
        yield piece.number

    return in_turn(pieces, made)


def settled(pieces):
    """The number of threads that compute."""
    import torch

    return in_turn(pieces, lambda piece: iter([torch.get_num_threads()]))


class Seen:
    """A Dataset of drawn images, which a machine that is blind does not see."""

    def __len__(self):
        return 160

    def __getitem__(self, index):
        if BLIND in os.environ:
            raise FileNotFoundError(2, "No such file or directory", f"/photos/{index}.png")
        return np.random.default_rng(index).integers(0, 256, (40, 48, 3), np.uint8)
