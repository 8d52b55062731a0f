"""`layerscope info`: what made an atlas, what it holds, and what was left out. No torch."""

import argparse
from collections import Counter
from dataclasses import asdict
from typing import Any

from layerscope.atlas.read import AtlasFile
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.core.records import ImageRecord

SPECIFICITY = ("layer", "method", ">specificity", ">quartile 1", ">quartile 3", ">n")
UNMEASURED = {"median": None, "q25": None, "q75": None, "n": 0}
MOST_SKIPPED = 5


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Print the atlas's provenance and contents."""
    with AtlasFile(arguments.atlas) as file:
        data = info(file)
    output.result(data, _text(data))
    return 0


def info(file: AtlasFile) -> dict[str, Any]:
    """All of it as plain values. bytes: of the file; started, finished: ISO 8601, UTC."""
    run, images = file.run, file.images()
    _, units = file.table("units")
    return {
        "atlas": str(file.path),
        "bytes": file.path.stat().st_size,
        "finished": run.finished if file.finished else None,
        "started": run.started,
        "network": run.network,
        "images": run.images,
        "input": words.input_data(run.input),
        "input_text": words.input_text(run.input),
        "k": run.k,
        "methods": list(run.methods),
        "views": list(run.views),
        "settings": run.settings,
        "fingerprint": run.fingerprint,
        "versions": run.versions,
        "replay": file.statistic("replay"),
        "counts": {
            "layers": len(file.layers),
            "units": sum(layer.record.units for layer in file.layers),
            "peaks": sum(row[-1] for row in units),
            "images": len(images),
            "used": sum(image.skipped is None for image in images),
            "skipped": sum(image.skipped is not None for image in images),
            "duplicates": sum(image.duplicate_of is not None for image in images),
        },
        "skipped": [_skipped_data(image) for image in images if image.skipped is not None],
        "specificity": _specificity(file),
    }


def _skipped_data(image: ImageRecord) -> dict[str, Any]:
    return {"image": image.id, "source": image.source, "reason": image.skipped}


def _specificity(file: AtlasFile) -> list[dict[str, Any]]:
    """Per projected layer and method, how much projections differ between units at one place: median, quartiles, n.

    Where no pair of units could be compared n is 0 and the others are None.
    """
    found = []
    for layer in file.layers:
        for method in file.run.methods if layer.method else ():
            measured = file.specificity(layer.id, method)
            found.append({"layer": layer.name, "method": method, **(asdict(measured) if measured else UNMEASURED)})
    return found


def _text(data: dict[str, Any]) -> str:
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
        "methods": f"{', '.join(data['methods'])}; views {', '.join(data['views'])}",
        "settings": ", ".join(f"{name} {_plain(value)}" for name, value in settings.items()),
        "made with": ", ".join(f"{name} {value}" for name, value in data["versions"].items()),
        **({"network read": data["replay"].get("said", "")} if data["replay"] else {}),
        **{f"{name} hash": str(value) for name, value in data["fingerprint"].items() if len(str(value)) == 64},
    }
    width = max(map(len, facts))
    listed = "\n".join(f"{name:<{width}}  {words.printable(fact)}" for name, fact in facts.items())
    parts = (listed, _skipped_text(data["skipped"]), _specificity_text(data["specificity"]))
    return "\n\n".join(part for part in parts if part)


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
