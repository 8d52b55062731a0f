"""Train a network, step by step; a run that was stopped goes on and ends in the same weights.

Everything drawn follows from the seed and the step, and the newest state is kept every minute, so that it does not
matter where a run was cut.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from layerscope.core.errors import LayerscopeError
from layerscope.core.progress import Progress
from layerscope.core.records import Input
from layerscope.training.ahead import ahead
from layerscope.training.checkpoint import LOG, PAPER_EPOCHS, RunFolder
from layerscope.training.optimiser import Plateau, optimiser_of, renormalise, set_rate, start
from layerscope.training.pictures import Pictures, normalised, order_of
from layerscope.training.recipe import Recipe
from layerscope.training.score import Score, score
from layerscope.training.store import Store
from layerscope.training.workers import Workers

KEEP_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is trained. network: with batch norm; shipped: gives what users open from it. input: at full size."""

    name: str
    network: nn.Module
    shipped: Callable[[nn.Module], nn.Module]
    input: Input
    recipe: Recipe
    notes: dict[str, str]
    bf16: bool = False


class Training:
    """One run. train, validate: pictures at the full size, or with a margin around it. keep_seconds: between states."""

    def __init__(
        self,
        task: Task,
        train: Pictures,
        validate: Pictures,
        store: Store,
        reporter: Progress,
        *,
        keep_seconds: float = KEEP_SECONDS,
    ) -> None:
        self.task, self.recipe, self.reporter = task, task.recipe, reporter
        self.store, self.workers, self.folder = store, store.workers, RunFolder(store.folder)
        self.whole = {"train": train, "validate": validate}
        self.sized: dict[str, tuple[int, Pictures]] = {}
        self.keep_seconds = keep_seconds
        self.steps = steps_of(len(train), self.recipe.batch, self.workers)
        start(task.network, self.recipe)
        self.network = task.network.to(self.workers.device).to(memory_format=torch.channels_last)
        self.parallel = self.workers.around(self.network)
        self.optimiser = optimiser_of(self.network, self.recipe)
        self.plateau = Plateau(self.recipe.rate, self.recipe.patience)
        self.log: list[dict[str, Any]] = []
        self.losses: list[float] = []  # of the epoch that is not over

    def run(self, settings: dict[str, Any]) -> list[dict[str, Any]]:
        """Go on from the newest state to the last epoch; returns the log, one entry per epoch."""
        state = self.folder.open(settings) if self.workers.first else None
        self.workers.meet()
        state = state if self.workers.first else self.folder.state()
        done = self._restore(state) if state else 0
        self.reporter.start("train", self.recipe.epochs * self.steps, done)
        for epoch in range(done // self.steps, self.recipe.epochs):
            self._epoch(epoch, first=max(done - epoch * self.steps, 0))
        return self.log

    def _epoch(self, epoch: int, first: int) -> None:
        side = self.recipe.side(epoch)
        pictures = self._at("train", side)
        began = kept = time.monotonic()
        for step, (pixels, labels) in enumerate(self._batches(pictures, epoch, first), start=first):
            self.losses.append(self._step(epoch, step, pixels, labels))
            self.reporter.step()
            if time.monotonic() - kept > self.keep_seconds and step + 1 < self.steps:
                kept = time.monotonic()
                self._keep(epoch, step + 1)
        self._end(epoch, side, time.monotonic() - began)

    def _at(self, name: str, side: int) -> Pictures:
        """The pictures at a phase's size; those of the phase before are let go."""
        held, pictures = self.sized.pop(name, (0, self.whole[name]))
        if held != side:
            whole = self.whole[name]
            stored = round(side * whole.side / self.task.input.height)
            if name == "train" and stored != whole.side:
                pictures = self.store.once(f"{name}-{stored}", partial(whole.resized, stored))
            else:
                pictures = whole.resized(stored)
        self.sized[name] = side, pictures
        return pictures

    def _batches(self, pictures: Pictures, epoch: int, first: int) -> Iterator[tuple[Tensor, Tensor]]:
        order = order_of(len(pictures), seed=self.recipe.seed, epoch=epoch)
        side, size = self.recipe.side(epoch), self.recipe.batch
        shift = round(self.recipe.shift * side / self.task.input.height)

        def made() -> Iterator[tuple[Tensor, Tensor]]:
            for step in range(first, self.steps):
                ids = self.workers.share(order[step * size : (step + 1) * size])
                draws = np.random.default_rng([self.recipe.seed, epoch, step, self.workers.rank])
                pixels = pictures.cut(ids, window=side, shift=shift, flip=self.recipe.flip, draws=draws)
                yield torch.from_numpy(normalised(pixels, self.task.input)), torch.from_numpy(pictures.labels[ids])

        return ahead(made())

    def _step(self, epoch: int, step: int, pixels: Tensor, labels: Tensor) -> float:
        # Dropout draws from torch's generator: seeded here, a step is the same whenever it is taken.
        torch.manual_seed(step_seed(self.recipe.seed, epoch, step, self.workers.rank))
        set_rate(self.optimiser, self._rate(epoch * self.steps + step))
        self.parallel.train()
        device = self.workers.device
        with torch.autocast(device.type, torch.bfloat16) if self.task.bf16 else nullcontext():
            scores = self.parallel(pixels.to(device, memory_format=torch.channels_last))
            loss = F.cross_entropy(scores.float(), labels.to(device), label_smoothing=self.recipe.smoothing)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise self._diverged(f"the loss is {value}", epoch, step)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        if self.recipe.filter_rms is not None:
            renormalise(self.network, self.recipe.filter_rms)
        return value

    def _rate(self, step: int) -> float:
        if self.recipe.schedule == "plateau":
            return self.plateau.state["rate"]
        return self.recipe.one_cycle(step / (self.recipe.epochs * self.steps))

    def _end(self, epoch: int, side: int, seconds: float) -> None:
        """Validate at the phase's own size, write down, keep."""
        self._require_finite(epoch, self.steps)
        result = self.workers.broadcast(self._score(side) if self.workers.first else None)
        assert result is not None
        self.plateau.after(result.top1)
        loss = float(np.mean(self.losses))
        entry = {"epoch": epoch + 1, "side": side, "loss": loss, "seconds": round(seconds, 1), **asdict(result)}
        self.log.append(entry)
        self.losses = []
        self.reporter.say(
            f"epoch {epoch + 1} of {self.recipe.epochs}, {side} px: loss {loss:.3f}, top-1 {result.top1:.1%}, top-5 "
            f"{result.top5:.1%}, {seconds:.0f} s"
        )
        if not self.workers.first:
            return
        last = epoch + 1 == self.recipe.epochs
        if epoch + 1 in PAPER_EPOCHS or last:
            self._weights(f"epoch-{epoch + 1:03d}", epoch + 1)
        if last:
            self._weights("last", epoch + 1)
        self.folder.save_json(LOG, self.log)
        self._keep(epoch + 1, 0)

    def _score(self, side: int) -> Score:
        """By the first process alone, so that the others need not hold these pictures at every size."""
        pictures = self._at("validate", side)
        return score(self.network, pictures, self.task.input, window=side, device=self.workers.device)

    def _weights(self, name: str, epoch: int) -> Path:
        """What users open: batch norm folded in."""
        notes = {"network": self.task.name, "epoch": str(epoch), **self.task.notes}
        return self.folder.save_weights(name, self.task.shipped(self.network).state_dict(), notes)

    def _keep(self, epoch: int, step: int) -> None:
        self._require_finite(epoch, step)
        if not self.workers.first:
            return
        self.folder.save_state(
            {
                "done": epoch * self.steps + step,
                "network": self.network.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "plateau": self.plateau.state,
                "log": [*self.log, {"losses": self.losses}] if step else self.log,
            }
        )

    def _restore(self, state: dict[str, Any]) -> int:
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.plateau.state = state["plateau"]
        self.log = [entry for entry in state["log"] if "losses" not in entry]
        self.losses = next((entry["losses"] for entry in state["log"] if "losses" in entry), [])
        return state["done"]

    def _require_finite(self, epoch: int, step: int) -> None:
        """A state that has lost its numbers is never kept."""
        if not all(bool(torch.isfinite(p).all()) for p in self.network.parameters()):
            raise self._diverged("a weight is no finite number", epoch, step)

    def _diverged(self, what: str, epoch: int, step: int) -> LayerscopeError:
        return LayerscopeError(
            f"{what} in epoch {epoch + 1}, step {step + 1}: the learning rate {self.recipe.rate:g} is too high; "
            f'"{self.folder.path}" keeps the last good state; train anew with a lower --rate and another --out'
        )


def steps_of(pictures: int, batch: int, workers: Workers) -> int:
    """Steps of an epoch. A last batch too small for batch norm (two pictures per process) waits for the next epoch."""
    whole, rest = divmod(pictures, batch)
    return max(whole + (rest >= 2 * workers.count), 1)


def step_seed(*numbers: int) -> int:
    """A seed that follows from these numbers, in any version of Python."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
