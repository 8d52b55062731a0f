"""One process, or several that PyTorch's torchrun started: each takes its share of every batch."""

import os
from datetime import timedelta
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Int64
from torch import distributed, nn

from layerscope.core.errors import UsageError

T = TypeVar("T")
PATIENCE = timedelta(hours=24)  # while the first process decodes, the others wait


class Workers:
    """The processes of a run, from torchrun's environment. rank: this one; first: the one that writes.

    device: as PyTorch names it; None takes the GPU of this process where there is one. Raises UsageError for a device
    that is not there.
    """

    def __init__(self, device: str | None = None) -> None:
        self.rank, self.count = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.first = self.rank == 0
        self.device = _device(device, int(os.environ.get("LOCAL_RANK", 0)))
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
        if self.count > 1 and not distributed.is_initialized():
            distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo", timeout=PATIENCE)

    def around(self, network: nn.Module) -> nn.Module:
        """The network whose gradients are averaged over the processes.

        On GPUs batch norm counts over all processes; elsewhere each counts its own share, and the first's running
        means are kept.
        """
        if self.count == 1:
            return network
        if self.device.type == "cuda":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return nn.parallel.DistributedDataParallel(network)

    def share(self, ids: Int64[np.ndarray, " b"]) -> Int64[np.ndarray, " s"]:
        """This process's part of a batch; all parts are equally long, so that gradients weigh the same."""
        if self.count == 1:
            return ids
        each = -(-len(ids) // self.count)
        return np.resize(ids, each * self.count)[self.rank :: self.count]

    def meet(self) -> None:
        """Wait until all processes are here."""
        if self.count > 1:
            distributed.barrier()

    def broadcast(self, value: T) -> T:
        """What the first process has; the others' own is dropped."""
        if self.count == 1:
            return value
        held: list[T] = [value]
        distributed.broadcast_object_list(held, src=0)
        return held[0]

    def part(self) -> None:
        """The run is over."""
        if self.count > 1 and distributed.is_initialized():
            distributed.destroy_process_group()


def knows_bf16(device: torch.device) -> bool:
    """Whether the processor itself computes with bfloat16; emulated, it would be slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    # PyTorch has no public question for this; versions differ in which of these they have.
    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in asked)


def _device(wanted: str | None, place: int) -> torch.device:
    if wanted is None:
        return torch.device("cuda", place) if torch.cuda.is_available() else torch.device("cpu")
    try:
        device = torch.device("cuda", place) if wanted == "cuda" else torch.device(wanted)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f'the device "{wanted}" cannot be used: {str(error).splitlines()[0]}') from error
    return device
