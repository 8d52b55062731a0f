"""Training layerscope's own networks, and counting how often any network is right."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.api import before
from layerscope.api.checked import checked
from layerscope.api.opening import Wanted, load_named, overruled, require_device
from layerscope.api.reporting import reporting
from layerscope.core import settings as s
from layerscope.core.errors import TraceError
from layerscope.core.networks import How
from layerscope.core.records import Input
from layerscope.core.verbs import VERBS

if TYPE_CHECKING:
    from layerscope.core.progress import Progress
    from layerscope.sources.types import Images


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished run.

    folder: of the run; weights: the file of the last ones. epochs: per epoch its loss, top1, top5 and more. first:
    whether this process speaks for all that trained together.
    """

    network: str
    folder: Path
    weights: Path
    epochs: tuple[dict[str, Any], ...]
    first: bool

    def data(self) -> dict[str, Any]:
        """All of it as plain values."""
        last = self.epochs[-1]
        return {
            "network": self.network,
            "folder": str(self.folder),
            "weights": str(self.weights),
            **{name: last[name] for name in ("top1", "top5", "images")},
            "epochs": list(self.epochs),
        }


@checked(VERBS["train"])
def train(
    net: str,
    data: "Images",
    out: str | PathLike[str],
    *,
    validate: "Images | None" = s.VALIDATE.default,
    recipe: s.RecipeName = s.RECIPE_NAME.default,
    start: str | PathLike[str] | None = s.START.default,
    epochs: int | None = s.EPOCHS.default,
    rate: float | None = s.RATE.default,
    batch: int | None = s.BATCH.default,
    seed: int | None = s.TRAIN_SEED.default,
    device: str | None = None,
    bf16: bool = s.BF16.default,
    progress: "bool | Progress | None" = s.PROGRESS.default,
) -> Trained:
    """Train a network that layerscope brings along; the same call goes on with a run that was stopped.

    net: "zfnet", "zfnet64" or "worldnet". data: a folder with train*.tar and val*.tar, or with train/ and val/; any
    pictures with classes, of which 5 % are held out; or "world". out: the run's folder. validate: other pictures to
    validate with. recipe: "default", "further" or "paper"; epochs, rate, batch and seed overrule it. start: the folder
    of an earlier run, whose weights are the first ones. device: None takes a GPU where there is one. bf16: where the
    processor computes so. progress: as for `build`. Raises LayerscopeError.
    """
    folder = Path(out).expanduser()
    before.require_fillable(folder, "the run")
    if device is not None:
        require_device(device)
    from layerscope.training import train as trained

    first = os.environ.get("RANK", "0") == "0"
    with reporting(progress if first else False) as reporter:
        begun = None if start is None else fspath(start)
        log = trained(
            net, data, folder, validate=validate, recipe=recipe, start=begun, epochs=epochs,
            rate=rate, batch=batch, seed=seed, device=device, bf16=bf16, reporter=reporter,
        )  # fmt: skip
    last = folder / "last.safetensors"
    return Trained(network=net, folder=folder, weights=last, epochs=tuple(log), first=first)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How often a network was right. top1, top5: shares in 0..1 over `images` pictures; skipped: could not be read."""

    network: str
    top1: float
    top5: float
    images: int
    skipped: int

    def data(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self)


@checked(VERBS["evaluate"])
def evaluate(
    net: "str | PathLike[str] | Wanted",
    data: "Images",
    *,
    classes: str | PathLike[str] | None = s.CLASSES.default,
    limit: int | None = s.LIMIT.default,
    device: str = s.DEVICE.default,
    weights: str | PathLike[str] | None = s.WEIGHTS.default,
    trust: bool = s.TRUST.default,
    bind: Mapping[str, Any] | None = s.BIND.default,
    input: Input | None = s.INPUT.default,
    progress: "bool | Progress | None" = s.PROGRESS.default,
) -> Evaluation:
    """Count how often a network is right about pictures whose classes are known: first, and among the first five.

    net: a spec, as `trace` takes it. data: as for `train`; the pictures for validation where it has them apart, else
    all. classes: a table with index, wnid and name of each output. limit: the first so many. device, weights, input: as
    for `build`. progress: as for `build`. Raises TraceError for a network that gives no scores, UsageError, ImageError.
    """
    from layerscope.api.inputs import input_text

    before.require_weights(weights)
    table = None if classes is None else before.readable(classes, "the classes")
    if isinstance(data, (str, PathLike)) and data != "world":
        before.require_images(fspath(data))
    require_device(device)
    from layerscope.training import evaluate as counted
    from layerscope.training.classes import table_beside
    from layerscope.training.data import open_validation

    with reporting(progress) as reporter:
        wanted = net if isinstance(net, Wanted) else Wanted(spec=fspath(net), say=reporter.say)
        loaded = load_named(wanted.spec, How.of(weights, trust, bind))
        expected = input or overruled(loaded.input, wanted.given, wanted.spec)
        if loaded.unloaded:
            raise TraceError(f"{loaded.name} cannot be evaluated: {'; '.join(loaded.remarks)}")
        source = open_validation(data, side=expected.height, limit=limit)
        if table is None and isinstance(data, (str, PathLike)):
            table = table_beside(Path(data).expanduser())
        for sentence in (f"{loaded.name} expects {input_text(expected)}; {source.name}", *loaded.remarks):
            wanted.say(sentence)
        reporter.start("evaluate", len(source), 0)
        score = counted(
            loaded.model, expected, source, classes=loaded.classes, table=table, device=device, step=reporter.step
        )
    return Evaluation(network=loaded.name, **asdict(score), skipped=len(source.skipped))
