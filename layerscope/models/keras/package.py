"""The package Keras, loaded when a Keras network is opened, on torch: no other of its backends gives torch networks."""

import os
import sys
from importlib import import_module
from typing import Any

from layerscope.core.errors import UsageError


def keras() -> Any:
    """The package Keras on torch. Raises UsageError where it runs on something else already."""
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "torch"
    package: Any = import_module("keras")
    running = package.config.backend() if hasattr(package, "config") else "tensorflow"
    if running != "torch":
        raise UsageError(
            f"Keras runs on {running} here, and only its networks on torch can be read: set KERAS_BACKEND=torch before "
            'Python starts, or save the model, model.save("model.keras"), and name keras:model.keras in another process'
        )
    return package
