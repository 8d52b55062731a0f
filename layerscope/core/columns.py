"""Which columns of a table of images are meant: the one that holds them, and the one that holds their classes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """image, label: by name; None finds the only column of its kind."""

    image: str | None = None
    label: str | None = None


TOLD = Columns()  # by what the table itself says
