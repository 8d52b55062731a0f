"""What a network sees in one picture, as the live page gets it: JSON values, and the pictures they name, in order."""

from typing import Any

from layerscope.core.live import Look, PlainBox


def response_of(look: Look) -> tuple[dict[str, Any], list[bytes]]:
    """JSON values and pictures: the mosaic, the chosen unit's map (one byte a position), its projection, the prepared.

    "mosaic", "map", "projection" and "prepared" are null where that is missing, else they hold what its picture needs.
    "original" and "scan" (peaks, how many came back, median ratio) are null but for images of the atlas.
    """
    response: dict[str, Any] = {
        "top": [[name, float(share)] for name, share in look.top],
        "maxima": [float(value) for value in look.maxima],
        "strongest": [int(unit) for unit in look.strongest],
        "seen": [float(value) for value in look.seen],
        "size": [int(value) for value in look.picture_size],
        "milliseconds": {stage: float(value) for stage, value in look.milliseconds.items()},
        "mosaic": None,
        "map": None,
        "projection": None,
        "prepared": None,
        "original": look.original,
        "scan": look.agreement and [look.agreement.peaks, look.agreement.back, look.agreement.ratio],
    }
    pictures: list[bytes] = []
    if look.mosaic is not None and look.mosaic_shape is not None:
        response["mosaic"] = [int(value) for value in look.mosaic_shape]
        pictures.append(look.mosaic)
    if look.unit_map is not None:
        response["map"] = _map(look)
        pictures.append(look.unit_map.tobytes())
    if look.projection is not None and look.tile_box is not None:
        response["projection"] = plain_box(look.tile_box)
        pictures.append(look.projection)
    if look.prepared is not None:
        response["prepared"] = True
        pictures.append(look.prepared)
    return response, pictures


def _map(look: Look) -> dict[str, Any]:
    assert look.unit_map is not None and look.unit_scale is not None and look.box is not None
    assert look.value is not None and look.row is not None and look.col is not None
    rows, cols = look.unit_map.shape
    return {
        "rows": rows,
        "cols": cols,
        "scale": float(look.unit_scale),
        "value": float(look.value),
        "row": int(look.row),
        "col": int(look.col),
        "box": plain_box(look.box),
    }


def plain_box(box: PlainBox) -> list[int]:
    """Top, left, bottom, right as JSON has them."""
    return [int(value) for value in box]
