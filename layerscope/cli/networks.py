"""The network that a command names, with what it says of the network's input."""

from typing import Any

from layerscope.api.opening import Wanted
from layerscope.cli.output import Output
from layerscope.cli.parser import Command

FIELDS = ("mean", "std", "order", "resize", "crop", "interpolation", "show")


def wanted(command: Command, output: Output) -> dict[str, Any]:
    """The command's values as Python takes them: the network with the fields that overrule its own Input."""
    values = dict(command.values)
    shape = values.pop("shape")
    given = {name: value for name in FIELDS if (value := values.pop(name)) is not None}
    given |= dict(zip(("channels", "height", "width"), shape, strict=True)) if shape else {}
    return values | {"net": Wanted(spec=values["net"], given=given, say=output.remark)}
