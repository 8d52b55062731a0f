"""How the site shows a docstring of the house: what stands there as `name: meaning.` becomes a list."""

import sys
from pathlib import Path
from typing import Any

import griffe

sys.path.insert(0, str(Path(__file__).parents[2]))
from tools.docstrings import listed


class Fields(griffe.Extension):
    """Names that a docstring describes, one below the other."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Called for whatever was read."""
        if obj.docstring is not None:
            obj.docstring.value = listed(obj.docstring.value)
