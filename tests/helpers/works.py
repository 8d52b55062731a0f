"""Works and images that actors import by their names."""

import os
import time

import numpy as np

from layerscope.core.engines import in_turn

EYES = "LAYERSCOPE_TEST_EYES"


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
    """A Dataset of drawn images, which a machine that is blind does not see, and another sees otherwise."""

    def __len__(self):
        return 160

    def __getitem__(self, index):
        eyes = os.environ.get(EYES)
        if eyes == "blind":
            raise FileNotFoundError(2, "No such file or directory", f"/photos/{index}.png")
        return np.random.default_rng(index + (eyes == "other")).integers(0, 256, (40, 48, 3), np.uint8)


class Deadly:
    """A Dataset of drawn images, one of which ends every process but the first that read any, while a file is there."""

    def __init__(self, file, deadly):
        self.file, self.deadly, self.writer = file, deadly, os.getpid()

    def __len__(self):
        return 300

    def __getitem__(self, index):
        if index == self.deadly and os.path.exists(self.file) and os.getpid() != self.writer:
            os._exit(1)
        return np.random.default_rng(index).integers(0, 256, (40, 48, 3), np.uint8)
