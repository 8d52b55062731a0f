"""Processes share a batch evenly, and only instructions that are there are used."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.errors import UsageError
from layerscope.training.workers import Workers, knows_bf16


@given(st.integers(1, 40), st.integers(1, 6))
def test_parts_are_equally_long_and_leave_nothing_out(size, count):
    """Together they are the batch, begun again where it does not go up evenly."""
    parts = []
    for rank in range(count):
        workers = Workers("cpu")
        workers.rank, workers.count = rank, count
        parts.append(workers.share(np.arange(size)))
    assert {len(part) for part in parts} == {-(-size // count)}
    assert set(np.concatenate(parts)) == set(range(size))


def test_a_device_that_is_not_there_is_a_sentence():
    """As PyTorch names it."""
    with pytest.raises(UsageError, match='the device "cuda:99" cannot be used: '):
        Workers("cuda:99")
    with pytest.raises(UsageError, match='the device "toaster" cannot be used: '):
        Workers("toaster")


def test_bf16_is_asked_of_the_processor(monkeypatch):
    """Either of the instruction sets that compute with it; never emulated, never on other devices."""
    for name, value in (("_is_avx512_bf16_supported", False), ("_is_amx_tile_supported", False)):
        monkeypatch.setattr(torch.cpu, name, lambda value=value: value, raising=False)
    assert not knows_bf16(torch.device("cpu"))
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    assert knows_bf16(torch.device("cpu")) and not knows_bf16(torch.device("mps"))
