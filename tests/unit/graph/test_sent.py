"""A batch on its way to a device: from pinned memory to a GPU, and no copy where it lies already."""

from typing import Any
from unittest import mock

import pytest
import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from layerscope.graph.sent import sent

CUDA = torch.device("cuda", 0)


class Copies(TorchDispatchMode):
    """Notes each copy: of which number type, to where, and whether it is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[torch.dtype, str, bool]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        if func is torch.ops.aten._to_copy.default:
            self.seen.append((args[0].dtype, found.device.type, not (kwargs or {}).get("non_blocking", False)))
        return found


def test_on_a_processor_it_is_the_same_tensor() -> None:
    """In its own number type; in another it is converted."""
    x = torch.ones(2, 3)
    assert sent(x, torch.device("cpu"), torch.float32) is x
    assert sent(x, torch.device("cpu"), torch.float64).dtype == torch.float64


@pytest.mark.parametrize("there", [True, False])
def test_to_a_gpu_nothing_is_waited_for(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """From pinned memory, where PyTorch sees a GPU, in the layout that it has; another number type is made there."""
    pinned: list[Tensor] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    with FakeTensorMode(), Copies() as copies, mock.patch.object(Tensor, "pin_memory", lambda x: pinned.append(x) or x):
        x = torch.zeros(2, 3, 5, 5).contiguous(memory_format=torch.channels_last)
        found = sent(x, CUDA, torch.float16)
        assert sent(found, CUDA, torch.float16) is found
    assert len(pinned) == there and found.dtype == torch.float16
    assert found.device == CUDA and found.is_contiguous(memory_format=torch.channels_last)
    assert copies.seen == [(torch.float32, "cuda", False), (torch.float32, "cuda", True)]
