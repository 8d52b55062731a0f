"""How the site shows a docstring of the house: what stands there as `name: meaning.` becomes a list."""

import re
import sys
from pathlib import Path
from typing import Any

import griffe

sys.path.insert(0, str(Path(__file__).parents[2]))
from tools.docstrings import fields  # noqa: E402


class Fields(griffe.Extension):
    """Names that a docstring describes, one below the other."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Called for whatever was read."""
        if obj.docstring is not None:
            obj.docstring.value = listed(obj.docstring.value)


def listed(docstring: str) -> str:
    """The docstring, each paragraph that describes names ended by the list of them, and what is raised behind it."""
    return "\n\n".join(map(_paragraph, re.split(r"\n\s*\n", docstring)))


def _paragraph(paragraph: str) -> str:
    line = " ".join(paragraph.split())
    found = fields(line)
    if not found or paragraph.startswith(" "):
        return paragraph
    begins = [start for _, start, _ in found] + [len(line)]
    parts = [line[: begins[0]].rstrip()]
    raised = ""
    for place, (names, _, end) in enumerate(found):
        meaning, raises, rest = line[end : begins[place + 1]].strip().partition(" Raises ")
        raised += f" Raises {rest}" if raises else ""
        parts.append(f"- {', '.join(f'`{name}`' for name in names)}: {meaning}")
    return "\n".join(parts[:1]) + "\n\n" + "\n".join(parts[1:]) + (f"\n\n{raised.strip()}" if raised else "")
