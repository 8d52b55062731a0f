"""From a data set to a trained network in a folder: open, decode, train, write the card."""

import shlex
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from layerscope.core.errors import UsageError, nearest
from layerscope.core.failures import plain_failures
from layerscope.core.images import path_of
from layerscope.core.progress import Progress, Silent
from layerscope.models.fold import fold
from layerscope.models.named import NAMED, NamedNetwork
from layerscope.training.card import TrainingRecord, card_of, card_text
from layerscope.training.checkpoint import CARD, CARD_TEXT, RunFolder
from layerscope.training.classes import read_table, spelled, table_beside
from layerscope.training.data import WORLD, Data, Split, open_data
from layerscope.training.optimiser import begin_from, digest
from layerscope.training.pictures import Pictures, read_pictures
from layerscope.training.recipe import Recipe, recipe_of
from layerscope.training.run import KEEP_SECONDS, Task, Training
from layerscope.training.store import Store
from layerscope.training.workers import Workers, knows_bf16

if TYPE_CHECKING:
    from layerscope.sources.types import Images


@plain_failures("the training run", then="run the same command again: it goes on from the last state that was kept")
def train(
    name: str,
    data: "Images",
    out: str | Path,
    *,
    validate: "Images | None" = None,
    recipe: str | Recipe = "default",
    epochs: int | None = None,
    rate: float | None = None,
    batch: int | None = None,
    seed: int | None = None,
    start: str | Path | None = None,
    device: str | None = None,
    bf16: bool = True,
    reporter: Progress | None = None,
    keep_seconds: float = KEEP_SECONDS,
) -> list[dict[str, Any]]:
    """Train a named network; the same call goes on with a run that was stopped, and ends in the same weights.

    name: "zfnet", "zfnet64" or "worldnet". data: a folder with train*.tar and val*.tar, or with train/ and val/ and a
    folder for each class in them, or any source with classes, of which 5 % are held out; "world" is the visual world.
    out: the run's folder, which gets epoch-NNN.safetensors, last.safetensors, log.json, card.md and card.json.
    validate: other pictures to validate with. recipe: "default", "further" (a second cycle), "paper" (Zeiler & Fergus
    2013, section 3) or a Recipe; epochs, rate, batch and seed overrule it. start: the folder of an earlier run of the
    same network, whose weights are the first ones. device: None takes a GPU where there is one. bf16: where the
    processor computes so. keep_seconds: between the states from which a run goes on.
    Returns the log: per epoch its loss, top1, top5 and seconds. Raises LayerscopeError.
    """
    if name not in NAMED:
        raise UsageError(f'there is no network "{name}" to train; there are {", ".join(NAMED)}{nearest(name, NAMED)}')
    named, chosen = NAMED[name], _recipe(name, recipe, epochs, rate, batch, seed)
    workers, folder = Workers(device), RunFolder(Path(out).expanduser())
    reporter = reporter if reporter is not None and workers.first else Silent()
    first = None if start is None else RunFolder(Path(start).expanduser()).network()
    settings = {"network": name, "recipe": asdict(chosen)} | ({} if first is None else {"start": digest(first)})
    store = Store(folder.path, workers)
    try:
        if workers.first:
            folder.require(settings)
        if (card := folder.card()) is not None:
            log = card["epochs"]
            reporter.say(f'"{folder.path}" is finished: {len(log)} epochs, top-1 {card["result"]["top1"]:.1%}')
            return log
        opened = open_data(data, validate, side=_stored_side(named), seed=chosen.seed)
        reporter.say(opened.how)
        pictures, other = _read(opened, _stored_side(named), store, reporter)
        task = _task(name, pictures.classes, data, chosen, bf16=bf16 and knows_bf16(workers.device))
        if first is not None:
            begin_from(task.network, first, start)
        if task.bf16:
            reporter.say("computing in bfloat16")
        run = Training(task, pictures, other, store, reporter, keep_seconds=keep_seconds)
        log = run.run(settings | {"images": len(pictures), "classes": len(pictures.classes)})
        if workers.first:
            record = _record_of(task, opened, data, out, start, run)
            _write_card(folder, record, run, other)
        return log
    finally:
        store.clear()
        workers.part()


def _recipe(
    name: str, recipe: str | Recipe, epochs: int | None, rate: float | None, batch: int | None, seed: int | None
) -> Recipe:
    chosen = recipe_of(name, recipe) if isinstance(recipe, str) else recipe
    chosen = chosen if epochs is None else chosen.with_epochs(epochs)
    given = {"rate": rate, "batch": batch, "seed": seed}
    return replace(chosen, **{key: value for key, value in given.items() if value is not None})


def _stored_side(named: NamedNetwork) -> int:
    """Pictures are kept with the margin that crops are cut from."""
    return named.input.resize or named.input.height


def _read(data: Data, side: int, store: Store, reporter: Progress) -> tuple[Pictures, Pictures]:
    """Decode both parts, and say what could not be."""
    reporter.start("decode", len(data.train.ids) + len(data.validate.ids), 0)
    read = partial(read_pictures, side=side, step=reporter.step)
    train = store.once("train", lambda empty: read(data.train.source, ids=data.train.ids, empty=empty))
    other = store.once(
        "validate",
        lambda empty: read(data.validate.source, ids=data.validate.ids, classes=train.classes, empty=empty),
    )
    for part, what in ((data.train, "training"), (data.validate, "validation")):
        if skipped := _skipped(part):
            first = skipped[0]
            reporter.say(
                f"{len(skipped):,} of {len(part.ids):,} {what} pictures cannot be read and are left out; the first, "
                f'"{first.source}": {first.skipped}'
            )
    return train, other


def _skipped(part: Split) -> list[Any]:
    chosen = set(part.ids.tolist())
    return [record for record in part.source.skipped if record.id in chosen]


def _task(name: str, classes: tuple[str, ...], data: "Images", recipe: Recipe, *, bf16: bool) -> Task:
    """The network with its first weights, drawn from the recipe's seed."""
    named, count = NAMED[name], len(classes)
    path = path_of(data) if data != WORLD else None
    table = None if path is None else table_beside(path)
    names = spelled(classes, read_table(table)) if table is not None else classes
    torch.manual_seed(recipe.seed)
    return Task(
        name=name,
        network=named.trained(count, recipe.dropout),
        shipped=lambda trained: fold(trained, named.plain(count)),
        input=named.input,
        recipe=recipe,
        notes={"classes": "\n".join(names)},
        bf16=bf16,
    )


def _record_of(
    task: Task, opened: Data, data: "Images", out: str | Path, begun: str | Path | None, run: Training
) -> TrainingRecord:
    path = path_of(data)
    words = ["layerscope", "train", task.name, "--data", "DATA" if path is None else path.name, "--out", Path(out).name]
    words += [] if begun is None else ["--start", Path(begun).name]
    return TrainingRecord(
        name=task.name,
        sentence=NAMED[task.name].sentence,
        data="the visual world" if data == WORLD else opened.name,
        how=opened.how,
        images=len(run.whole["train"]),
        skipped=len(_skipped(opened.train)),
        classes=tuple(task.notes["classes"].split("\n")),
        recipe=task.recipe,
        bf16=task.bf16,
        device=str(run.workers.device.type),
        processes=run.workers.count,
        command=shlex.join([*words, *_overruled(task)]),
        begun=None if begun is None else RunFolder(Path(begun).expanduser()).card(),
    )


def _overruled(task: Task) -> list[str]:
    """The options that make this recipe of the default one or the paper's."""
    words: list[str] = []
    own = recipe_of(task.name, "default")
    if task.recipe.schedule != own.schedule:
        own, words = recipe_of(task.name, "paper"), ["--recipe", "paper"]
    elif task.recipe.start_blur != own.start_blur:
        own, words = recipe_of(task.name, "further"), ["--recipe", "further"]
    for option in ("epochs", "rate", "batch", "seed"):
        if getattr(task.recipe, option) != getattr(own, option):
            words += [f"--{option}", f"{getattr(task.recipe, option):g}"]
    return words


def _write_card(folder: RunFolder, record: TrainingRecord, run: Training, other: Pictures) -> None:
    """The page first: a run with its card.json is finished."""
    card = card_of(record, run.task.shipped(run.network).cpu(), run.task.input, other, run.log)
    folder.save_text(CARD_TEXT, card_text(card))
    folder.save_json(CARD, card)
