"""`layerscope info`: what made an atlas, what it holds, and what was left out. No torch."""

from collections import Counter
from typing import Any

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.meters import meter
from layerscope.cli.output import Output
from layerscope.cli.parser import Command
from layerscope.cli.terminal import Terminal
from layerscope.core.numbers import signed_percent

SPECIFICITY = ("layer", "method", ">specificity", ">quartile 1", ">quartile 3", ">n")
RETENTION = ("layer", "method", ">kept", ">n", ">by edges", ">by random px", ">by another's", ">selectivity", ">n")
MOST_SKIPPED = 5


def run(command: Command, output: Output) -> int:
    """Print the atlas's provenance and contents."""
    data = ls.info(**command.values)
    output.result(data, _text(data, output.terminal))
    output.next(("show", command.values["atlas"]), "its layers")
    output.next(("serve", command.values["atlas"]), "all of it, in the browser")
    return 0


def _text(data: dict[str, Any], terminal: Terminal) -> str:
    counts, settings = data["counts"], data["settings"]
    ended = f"to {data['finished']}" if data["finished"] else "(unfinished: the command that built it goes on)"
    images = [words.counted(counts["images"], "image"), words.counted(counts["skipped"], "skipped", "skipped")]
    images.append(words.counted(counts["duplicates"], "duplicate"))
    held = [words.counted(counts[name], name[:-1]) for name in ("layers", "units", "peaks")]
    facts = {
        "atlas": f"{data['atlas']}, {words.file_size(data['bytes'])}",
        "built": f"{data['started']} {ended}",
        "network": data["network"],
        "input": data["input_text"],
        "images": f"{data['images']}: {', '.join(images)}",
        "holds": f"{', '.join(held)} (at most {data['k']} a unit)",
        **({"named": _named_text(data["named"])} if data["named"] else {}),
        "methods": f"{', '.join(data['methods'])}; views {', '.join(data['views'])}",
        "settings": ", ".join(f"{name} {_plain(value)}" for name, value in settings.items()),
        "made with": ", ".join(f"{name} {value}" for name, value in data["versions"].items()),
        **({"network read": data["replay"].get("said", "")} if data["replay"] else {}),
        **({"statistics by": _engine_text(data["engine"])} if data["engine"] else {}),
        **{f"{name} hash": str(value) for name, value in data["fingerprint"].items() if len(str(value)) == 64},
    }
    width = max(map(len, facts))
    listed = "\n".join(f"{name:<{width}}  {words.printable(fact)}" for name, fact in facts.items())
    parts = (
        listed,
        _skipped_text(data["skipped"]),
        _retention_text(data["retention"], terminal),
        _specificity_text(data["specificity"]),
    )
    return "\n\n".join(part for part in parts if part)


def _engine_text(engine: dict[str, Any]) -> str:
    again = f"{engine['run again']:,} of {engine['images']:,} images run again"
    return f"{engine['name']}, to its rounding; peaks decided in float32, {again}"


def _named_text(named: list[dict[str, Any]]) -> str:
    """How many units of each dissected layer concepts name."""
    return ", ".join(f"{one['named']} of {one['units']} in {one['layer']}" for one in named)


def _plain(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _skipped_text(skipped: list[dict[str, Any]]) -> str:
    """The reasons with their counts, then the first of the images."""
    if not skipped:
        return ""
    reasons = Counter(entry["reason"] for entry in skipped)
    first = [(entry["source"], entry["reason"]) for entry in skipped[:MOST_SKIPPED]]
    rest = f"\n... and {len(skipped) - MOST_SKIPPED:,} more (--json lists all)" if len(skipped) > MOST_SKIPPED else ""
    summed = "; ".join(f"{count:,} {words.printable(reason)}" for reason, count in reasons.most_common(MOST_SKIPPED))
    return f"skipped: {summed}\n{words.table(('image', 'reason'), first)}{rest}"


def _retention_text(measured: list[dict[str, Any]], terminal: Terminal) -> str:
    if not measured:
        return ""
    if not any(entry["n"] for entry in measured):
        return "retention: not measured; atlases of earlier versions lack it"
    rows = [
        (
            *(entry["layer"], entry["method"], _share(entry["own"]), entry["n"]),
            *(_share(entry[name]) for name in ("edges", "random", "partner", "selectivity")),
            entry["pairs"],
        )
        for entry in measured
    ]
    header = RETENTION
    if terminal.blocks:
        bars = (meter(entry["own"]["mean"]) if entry["own"] else "" for entry in measured)
        rows = [(*row[:3], bar, *row[3:]) for row, bar in zip(rows, bars, strict=True)]
        header = (*RETENTION[:3], "", *RETENTION[3:])
    meaning = (
        "kept: of a unit's activation, by the 15 % of its field that the method marks most; by as many px on edges, at "
        "random, and marked for another unit there; selectivity: the first minus the last"
    )
    return f"{words.table(header, rows)}\n{meaning}"


def _share(interval: dict[str, float] | None) -> str:
    return "" if interval is None else signed_percent(interval["mean"])


def _specificity_text(measured: list[dict[str, Any]]) -> str:
    if not measured:
        return ""
    rows = [
        (
            entry["layer"],
            entry["method"],
            *(words.four_digits(entry[name]) for name in ("median", "q25", "q75")),
            entry["n"],
        )
        for entry in measured
    ]
    meaning = "specificity: near 0 a projection shows mostly the picture, near 1 mostly the unit; n pairs of units"
    return f"{words.table(SPECIFICITY, rows)}\n{meaning}"
