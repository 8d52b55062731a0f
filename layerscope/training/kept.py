"""A run that was made earlier, as its folder keeps it: which network, and the weights of some epochs."""

import hashlib
import json
from functools import cached_property
from pathlib import Path

from layerscope.core.errors import UsageError, nearest
from layerscope.core.failures import plain_failures
from layerscope.core.records import Input
from layerscope.graph import Carrier, Traced, graph_of_model, runner_of
from layerscope.models.named import NAMED
from layerscope.models.weights import load_weights
from layerscope.training.checkpoint import SETTINGS, checkpoints


class KeptRun:
    """The checkpoints of a run as programs of one graph.

    network: its name. epochs: those that have a checkpoint, ascending. Raises UsageError for a folder that holds no
    run, or no checkpoint yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.network, self.classes = _network_of(folder)
        self._files = checkpoints(folder)
        self.epochs = tuple(self._files)

    @property
    def input(self) -> Input:
        """What the network expects, at its full size."""
        return NAMED[self.network].input

    def program(self, epoch: int) -> Carrier:
        """The network as it was after an epoch. Raises TraceError for weights of another one, or with NaN."""
        module = NAMED[self.network].plain(self.classes)
        load_weights(module, self._files[epoch])
        state = module.state_dict()
        program = runner_of(self._traced.graph, self._traced.recipe.weights(state))
        program.check()
        return program

    def sha256(self, epoch: int) -> str:
        """Of an epoch's file."""
        path = self._files[epoch]
        with plain_failures(path, kind=UsageError), path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def _traced(self) -> Traced:
        return graph_of_model(NAMED[self.network].plain(self.classes), self.input.shape)


def _network_of(folder: Path) -> tuple[str, int]:
    """The network's name and its number of classes."""
    file = folder / SETTINGS
    if not file.is_file():
        raise UsageError(f'"{folder}" holds no training run (there is no {SETTINGS} in it); name a run\'s folder')
    try:
        with plain_failures(file, kind=UsageError):
            settings = json.loads(file.read_text(encoding="utf-8"))
        network, classes = str(settings["network"]), int(settings["classes"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f'"{file}" does not say which network was trained ("network" and "classes")') from error
    if network not in NAMED:
        raise UsageError(f'"{file}" names the network "{network}", which is none of ours{nearest(network, NAMED)}')
    return network, classes
