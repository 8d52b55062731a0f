"""The card of a trained network: data, recipe, figures and terms, as values and as a page."""

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from layerscope.core.records import Input
from layerscope.core.version import __version__
from layerscope.training.pictures import Pictures
from layerscope.training.quality import dead_units, high_share, unit_high_shares
from layerscope.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    """What the card says that no weights tell. skipped: pictures that could not be read. begun: an earlier card."""

    name: str
    sentence: str
    data: str
    how: str
    images: int
    skipped: int
    classes: tuple[str, ...]
    recipe: Recipe
    bf16: bool
    device: str
    processes: int
    command: str
    begun: dict[str, Any] | None = None


def _earlier(card: dict[str, Any] | None) -> dict[str, Any] | None:
    """What is told of the run whose weights a run began with."""
    if card is None:
        return None
    return {"recipe": card["recipe"]["words"], **{name: card[name] for name in ("command", "result", "seconds")}}


def _begun_words(begun: dict[str, Any] | None) -> list[str]:
    if begun is None:
        return []
    result, minutes = begun["result"], begun["seconds"] / 60
    return [
        f"It began with the weights of an earlier run: {begun['recipe']}; {minutes:.0f} minutes, {result['top1']:.1%} "
        f"top-1 and {result['top5']:.1%} top-5 at its end.\n",
        f"    {begun['command']}\n",
    ]


def card_of(
    record: TrainingRecord, network: nn.Module, input: Input, validate: Pictures, log: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The card as JSON values. network: as users open it. log: one entry per epoch."""
    window = record.recipe.phases[-1].side
    filters = next(m for m in network.modules() if isinstance(m, nn.Conv2d)).weight.detach().cpu().numpy()
    dead = dead_units(network, validate, input, window)
    last = log[-1]
    return {
        "network": record.name,
        "about": record.sentence,
        "data": {
            "name": record.data,
            "images": record.images,
            "skipped": record.skipped,
            "classes": list(record.classes),
            "validation": record.how,
            "validation_images": last["images"],
        },
        "recipe": asdict(record.recipe) | {"bf16": record.bf16, "words": record.recipe.words},
        "command": record.command,
        "begun": _earlier(record.begun),
        "result": {"top1": last["top1"], "top5": last["top5"], "images": last["images"], "side": last["side"]},
        "epochs": list(log),
        "dead_units": {layer: {"dead": count, "units": units} for layer, (count, units) in dead.items()},
        "first_filters": {
            "energy_above_0.3_cycles_per_px": high_share(filters),
            "per_unit": [round(float(share), 4) for share in unit_high_shares(filters)],
        },
        "terms": terms(record.data),
        "seconds": round(sum(entry["seconds"] for entry in log), 1),
        "made_with": {
            "layerscope": __version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "device": record.device,
            "processes": record.processes,
        },
    }


def terms(data: str) -> str:
    """What must be known before the weights are given to others."""
    if data == "the visual world":
        return "The weights are made from pictures that layerscope draws; its own licence, Apache 2.0, applies."
    return (
        f"The weights are made from {data}. Its terms apply to what is made from it; layerscope's own licence does not "
        "change them. (ImageNet and what is taken from it: non-commercial research and education.)"
    )


def card_text(card: dict[str, Any]) -> str:
    """The card as a page."""
    data, result, filters = card["data"], card["result"], card["first_filters"]["energy_above_0.3_cycles_per_px"]
    classes = data["classes"]
    shown = ", ".join(classes[:10]) + (", ..." if len(classes) > 10 else "")
    skipped = f" ({data['skipped']:,} more could not be read)" if data["skipped"] else ""
    epochs = [
        f"| {e['epoch']} | {e['side']} | {e['loss']:.3f} | {e['top1']:.1%} | {e['top5']:.1%} | {e['seconds']:.0f} |"
        for e in card["epochs"]
    ]
    dead = [f"| {layer} | {held['units']} | {held['dead']} |" for layer, held in card["dead_units"].items()]
    made = ", ".join(f"{name} {value}" for name, value in card["made_with"].items())
    parts = [
        f"# {card['network']}\n",
        f"A network of layerscope: {card['about'].partition(';')[0]}.\n",
        f"**{result['top1']:.1%} top-1 and {result['top5']:.1%} top-5** on {result['images']:,} validation pictures, "
        f"at one crop of {result['side']} px.\n",
        "## Data\n",
        f"{data['name']}: {data['images']:,} pictures{skipped} of {len(classes):,} classes ({shown}); "
        f"{data['validation']}.\n",
        "## Terms\n",
        f"{card['terms']}\n",
        "## Recipe\n",
        f"{card['recipe']['words']}{', bfloat16 autocast' if card['recipe']['bf16'] else ''}.\n",
        f"    {card['command']}\n",
        *_begun_words(card["begun"]),
        "## Figures\n",
        "| epoch | px | loss | top-1 | top-5 | seconds |\n| --- | --- | --- | --- | --- | --- |",
        *epochs,
        "\nTop-1 and top-5 of each epoch are measured at its own picture size.\n",
        "Units that were never above zero in the validation pictures:\n",
        "| layer | units | dead |\n| --- | --- | --- |",
        *dead,
        f"\nOf the first filters' energy {filters:.1%} lies above 0.3 cycles per pixel.\n",
        f"Made with {made}, in {card['seconds'] / 60:.0f} minutes of training.",
    ]
    return "\n".join(parts) + "\n"
