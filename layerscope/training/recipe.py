"""A recipe says how a network is trained: picture sizes, epochs, the optimiser's numbers, what varies the pictures."""

import math
from dataclasses import dataclass, replace

from layerscope.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Some epochs on pictures of one size. side: px."""

    side: int
    epochs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to train: stochastic gradient descent with momentum on a schedule.

    phases: picture sizes in order; early epochs on small pictures cost less. batch: pictures per step. rate: peak
    learning rate. schedule: "one-cycle" (linear up over `warm` of all steps, cosine down to 0) or "plateau" (a tenth
    whenever `patience` epochs brought no better top-1). decay: weight decay, on weights of convolutions and dense
    layers only. smoothing: of labels. shift: px of the network's full size, either way. flip: left and right are
    swapped in half of the pictures. dropout: in hidden dense layers. filter_rms: convolution filters above this root
    mean square are scaled down to it after every step (Zeiler & Fergus 2013, section 3: 0.1), or None. start_std:
    standard deviation of the first weights (the paper: 0.01), or None for PyTorch's own. start_blur: the filters of the
    first layer are blurred before training by so many px (standard deviation): what it leaves of their noise is smooth.
    seed: of everything drawn.
    """

    phases: tuple[Phase, ...]
    batch: int = 128
    rate: float = 0.1
    schedule: str = "one-cycle"
    warm: float = 0.25
    patience: int = 3
    momentum: float = 0.9
    nesterov: bool = True
    decay: float = 5e-4
    smoothing: float = 0.1
    shift: int = 6
    flip: bool = True
    dropout: float = 0.0
    filter_rms: float | None = None
    start_std: float | None = None
    start_blur: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.schedule not in ("one-cycle", "plateau"):
            raise UsageError(f'there is no schedule "{self.schedule}"; the schedules are one-cycle and plateau')
        if not self.phases or min(min(p.side, p.epochs) for p in self.phases) < 1:
            raise UsageError("a recipe needs at least one phase, with a size and epochs of at least 1")
        if self.batch < 2 or not self.rate > 0:
            raise UsageError(f"a batch has at least 2 pictures and a rate is above 0, not {self.batch} and {self.rate}")

    @property
    def words(self) -> str:
        """The recipe as a sentence."""
        sides = ", ".join(f"{phase.epochs} at {phase.side} px" for phase in self.phases)
        cycle = self.schedule == "one-cycle"
        schedule = f"one cycle up to {self.rate:g}" if cycle else f"{self.rate:g}, a tenth of it at each plateau"
        decay = f"weight decay {self.decay:g} on weights only" if self.decay else "no weight decay"
        more = [
            f"label smoothing {self.smoothing:g}" if self.smoothing else "",
            f"shifts of {self.shift} px" if self.shift else "",
            "flips" if self.flip else "",
            f"dropout {self.dropout:g} in the hidden dense layers" if self.dropout else "",
            f"filters kept to a root mean square of {self.filter_rms:g}" if self.filter_rms else "",
            f"first weights drawn with a standard deviation of {self.start_std:g}" if self.start_std else "",
            f"first filters blurred by {self.start_blur:g} px before training" if self.start_blur else "",
        ]
        kind = "Nesterov momentum" if self.nesterov else "momentum"
        return (
            f"{self.epochs} epochs ({sides}), SGD with {kind} {self.momentum:g}, "
            f"learning rate {schedule}, {decay}, batches of {self.batch}, "
            f"{''.join(f'{words}, ' for words in more if words)}seed {self.seed}"
        )

    @property
    def epochs(self) -> int:
        return sum(phase.epochs for phase in self.phases)

    def side(self, epoch: int) -> int:
        """The pictures' side in px in an epoch, counted from 0."""
        for phase in self.phases:
            if epoch < phase.epochs:
                return phase.side
            epoch -= phase.epochs
        raise IndexError(epoch)

    def one_cycle(self, progress: float) -> float:
        """The learning rate when this share, 0..1, of all steps is done (Smith & Topin 2019, with a cosine down)."""
        if progress < self.warm:
            return self.rate * (0.04 + 0.96 * progress / self.warm)
        return self.rate * 0.5 * (1 + math.cos(math.pi * (progress - self.warm) / (1 - self.warm)))

    def with_epochs(self, epochs: int) -> "Recipe":
        """The same recipe over another number of epochs, its phases in proportion, each at least one epoch."""
        if epochs < 1:
            raise UsageError(f"epochs must be at least 1, got {epochs}")
        phases = self.phases if epochs >= len(self.phases) else self.phases[-epochs:]
        total, done, given, made = sum(p.epochs for p in phases), 0, 0, []
        for place, phase in enumerate(phases):
            done += phase.epochs
            left = len(phases) - place - 1
            upto = min(max(round(epochs * done / total), given + 1), epochs - left)
            made.append(Phase(side=phase.side, epochs=upto - given))
            given = upto
        return replace(self, phases=tuple(made))


def recipe_of(name: str, kind: str) -> Recipe:
    """The recipe of a network by kind. Raises UsageError for another kind.

    "default": its own. "further": a second, gentler cycle for a network that a run has trained before, its filters
    smoothed once more. "paper": the paper's at the network's own size.
    """
    own, paper = RECIPES[name], RECIPES["zfnet"]
    last = own.phases[-1]
    if kind == "default":
        return own
    if kind == "further":
        return replace(
            own, phases=(*_before(own), replace(last, epochs=5)), schedule="one-cycle", rate=own.rate / 2, warm=0.15,
            start_std=None, start_blur=0.7,
        )  # fmt: skip
    if kind != "paper":
        raise UsageError(f'there is no recipe "{kind}"; the recipes are default, further and paper')
    return replace(paper, phases=(replace(last, epochs=paper.epochs),), shift=own.shift)


def _before(recipe: Recipe) -> tuple[Phase, ...]:
    """Two epochs at the size before the last, where there is one: they are cheap, and the rate is high in them."""
    return tuple(replace(phase, epochs=2) for phase in recipe.phases[-2:-1])


# zfnet64: found on Tiny ImageNet, its card says what it reached; zfnet: section 3 of the paper; worldnet: the world.
RECIPES = {
    "zfnet64": Recipe(
        phases=(Phase(side=32, epochs=8), Phase(side=48, epochs=6), Phase(side=64, epochs=3)), dropout=0.2
    ),
    "zfnet": Recipe(
        phases=(Phase(side=224, epochs=70),), rate=0.01, schedule="plateau", nesterov=False, decay=0.0, smoothing=0.0,
        shift=16, dropout=0.5, filter_rms=0.1, start_std=0.01,
    ),
    "worldnet": Recipe(
        phases=(Phase(side=32, epochs=4), Phase(side=64, epochs=6)), shift=4, decay=1e-3, start_blur=1.0
    ),
}  # fmt: skip
