"""What made an atlas, what it holds, and what was left out, as plain values. No torch."""

from dataclasses import asdict
from os import PathLike
from typing import Any

from layerscope.api.atlas import Atlas
from layerscope.api.atlas import open as open_atlas
from layerscope.api.checked import checked
from layerscope.api.inputs import input_data, input_text
from layerscope.atlas.read import AtlasFile
from layerscope.core.records import ImageRecord
from layerscope.core.verbs import VERBS
from layerscope.facts.known_as import naming_concepts

NOT_KEPT = {"n": 0, **dict.fromkeys(("own", "edges", "random")), "pairs": 0, "partner": None, "selectivity": None}
UNMEASURED = {"median": None, "q25": None, "q75": None, "n": 0}


@checked(VERBS["info"])
def info(atlas: Atlas | str | PathLike[str]) -> dict[str, Any]:
    """Tell what made an atlas and what it holds, as plain values.

    atlas: an Atlas, or its path. The size is in bytes, times are ISO 8601 in UTC; the images that were left out come
    with reasons, every projected layer and method with its retention and specificity.

    Raises AtlasError for a file that is no atlas.
    """
    if isinstance(atlas, Atlas):
        return info_of(atlas.file)
    with open_atlas(atlas) as opened:
        return info_of(opened.file)


def info_of(file: AtlasFile) -> dict[str, Any]:
    """All of it as plain values; the size is in bytes, times are ISO 8601 in UTC."""
    run, skipped = file.run, file.skipped_images()
    count, (_, duplicates) = file.image_count(), file.left_out()
    _, units = file.table("units")
    return {
        "atlas": str(file.path),
        "bytes": file.path.stat().st_size,
        "finished": run.finished if file.finished else None,
        "started": run.started,
        "network": run.network,
        "images": run.images,
        "input": input_data(run.input),
        "input_text": input_text(run.input),
        "k": run.k,
        "methods": list(run.methods),
        "views": list(run.views),
        "settings": run.settings,
        "fingerprint": run.fingerprint,
        "versions": run.versions,
        "replay": file.statistic("replay"),
        "engine": file.statistic("engine"),
        "counts": {
            "layers": len(file.layers),
            "units": sum(layer.record.units for layer in file.layers),
            "peaks": sum(row[-1] for row in units),
            "images": count,
            "used": count - len(skipped),
            "skipped": len(skipped),
            "duplicates": duplicates,
        },
        "named": _named(file),
        "skipped": [_skipped_data(image) for image in skipped],
        "specificity": _specificity(file),
        "retention": _retention(file),
    }


def _named(file: AtlasFile) -> list[dict[str, Any]]:
    """Per dissected layer, how many of its units concepts name, doubtful names left out."""
    found: list[dict[str, Any]] = []
    for layer in file.layers:
        if file.concepts(layer.id):
            named = sum(one.units for one in naming_concepts(file, layer))
            found.append({"layer": layer.name, "units": layer.record.units, "named": named})
    return found


def _retention(file: AtlasFile) -> list[dict[str, Any]]:
    """Per projected layer and method, what the marked pixels keep of an activation; where that was not measured n is 0
    and the others are None."""
    found: list[dict[str, Any]] = []
    for layer in file.layers:
        for method in file.run.methods if layer.method else ():
            measured = file.retention(layer.id, method)
            found.append({"layer": layer.name, "method": method, **(asdict(measured) if measured else NOT_KEPT)})
    return found


def _skipped_data(image: ImageRecord) -> dict[str, Any]:
    return {"image": image.id, "source": image.source, "reason": image.skipped}


def _specificity(file: AtlasFile) -> list[dict[str, Any]]:
    """Per projected layer and method, how much projections differ between units at one place: median, quartiles, n.

    Where no pair of units could be compared n is 0 and the others are None.
    """
    found: list[dict[str, Any]] = []
    for layer in file.layers:
        for method in file.run.methods if layer.method else ():
            measured = file.specificity(layer.id, method)
            found.append({"layer": layer.name, "method": method, **(asdict(measured) if measured else UNMEASURED)})
    return found
