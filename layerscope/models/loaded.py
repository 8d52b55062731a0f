"""What is known of a network once it is found: the module, what it expects, and what was decided on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import nn
from torch.export import ExportedProgram

from layerscope.core.records import Input

# Of weights that are drawn at random.
RANDOM_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A network that can be traced.

    name: as printed and stored. model: module or exported program. input: what it expects, if it says so. classes: the
    names of its outputs, empty where nobody says them. remarks: sentences on what was chosen for the user. unloaded:
    why a tensor of the model has no weights, by its name; layers that need one cannot be had.
    """

    name: str
    model: nn.Module | ExportedProgram
    input: Input | None
    classes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    unloaded: Mapping[str, str] = field(default_factory=dict)
