"""What may be handed over as a network, as types: for signatures, and for programs that call them.

Imported for annotations only; while a program runs the table of kinds decides (core/networks.py).
"""

from os import PathLike
from typing import Any, Protocol, TypeAlias

from torch.export import ExportedProgram
from torch.nn import Module


class AnyKerasModel(Protocol):
    """A model of Keras 3, of whichever backend."""

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any: ...

    def get_config(self) -> dict[str, Any]: ...


# A module, an exported program, a Keras model, or a text or path that names a network.
Model: TypeAlias = Module | ExportedProgram | AnyKerasModel | str | PathLike[str]
