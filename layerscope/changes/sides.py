"""Which atlas is which, where two stand side by side: title, network, date and weights."""

from dataclasses import dataclass

from layerscope.facts.wrapping import Reader

# So much of a hash tells two networks apart.
HASH_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What tells an atlas from another. title: its file's name without the ending. date: when it was finished, or begun
    while it is not, "YYYY-MM-DD". weights: the first hex digits of their hash, "" where it is not known. images: in
    words."""

    title: str
    network: str
    date: str
    weights: str
    images: str


def side_of(file: Reader) -> Side:
    """What tells this atlas from another. Raises AtlasError while its build has only just begun."""
    run = file.run
    weights = run.fingerprint.get("weights")
    return Side(
        title=file.path.stem,
        network=run.network,
        date=(run.finished or run.started)[:10],
        weights=weights[:HASH_SHOWN] if isinstance(weights, str) else "",
        images=run.images,
    )


def differing_in(one: Side, other: Side) -> tuple[str, ...]:
    """In which of the things that tell two atlases apart these differ, but for their titles, as words."""
    telling = ("network", "weights", "images", "date")
    return tuple(name for name in telling if getattr(one, name) != getattr(other, name))
