"""Torchvision's builders are told that published weights come, and only their loading is left out.

A builder sets more than weights, and only where weights are meant.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torchvision import models

State = dict[str, torch.Tensor]


def built(name: str, entry: Any, state: State | None = None) -> tuple[nn.Module, State]:
    """The network as its builder makes it for published weights, before it loads them, and the state as it would.

    A builder may give old names of published weights (DenseNet's) their new form on the way.
    """
    # An entry of the same class that says all the other does, and fetches nothing.
    stand_in = object.__new__(type(entry))
    stand_in._name_, stand_in._value_ = entry.name, entry.value
    stand_in.get_state_dict = lambda *given, **also: dict(state or {})
    with _nothing_is_loaded() as meant:
        return models.get_model(name, weights=stand_in), meant


@contextmanager
def _nothing_is_loaded() -> Iterator[State]:
    """Within, this thread's modules keep the weights that they were made with; gives what would have been loaded."""
    loading, here, meant = nn.Module.load_state_dict, threading.get_ident(), State()

    def load_state_dict(self: nn.Module, state: Any, *given: Any, **also: Any) -> Any:
        if threading.get_ident() != here:
            return loading(self, state, *given, **also)
        return meant.update(state)

    nn.Module.load_state_dict = load_state_dict  # type: ignore[method-assign]
    try:
        yield meant
    finally:
        nn.Module.load_state_dict = loading  # type: ignore[method-assign]
