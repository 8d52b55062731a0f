"""Which of the images that are listed are taken: a sample spread over all, a part of it, the first of these."""

import hashlib
import heapq
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from layerscope.core.errors import ImageError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenImages:
    """Chosen in this order. sample: so many, drawn by their names. begin, end: by number, counted from 0, `end` left
    out. limit: the first so many. None leaves all.

    The sample depends on nothing but the names: the same N gives the same images, and a larger N all of these as well.
    It keeps their order. Raises UsageError for numbers that leave nothing.
    """

    sample: int | None = None
    begin: int | None = None
    end: int | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        for name in ("sample", "limit"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, got {value}")
        if (self.begin or 0) < 0 or (self.end is not None and self.end <= (self.begin or 0)):
            raise UsageError(f"images from {self.begin or 0} to {self.end} are none: the second must be larger")

    def places(self, names: Iterable[str], count: int) -> range | list[int]:
        """The numbers of those that are taken, growing. names: of all `count` images, in order.

        Raises ImageError where a part begins behind the last.
        """
        every: range | list[int] = range(count)
        if self.sample is not None and self.sample < count:
            drawn = heapq.nsmallest(self.sample, ((_key(name), place) for place, name in enumerate(names)))
            every = sorted(place for _, place in drawn)
        if self.begin is not None and self.begin >= len(every) > 0:
            raise ImageError(f"there is no image {self.begin:,}: they are {len(every):,}, counted from 0")
        return every[self.begin : self.end][: self.limit]

    @property
    def is_prefix(self) -> bool:
        """True where images keep their numbers: only the first are taken."""
        return self.sample is None and not self.begin and self.end is None

    def words(self, count: int, counted: str) -> str:
        """What is taken of so many images, as a clause."""
        said = f"{count:,} {counted}{'' if count == 1 else 's'}"
        left = count
        if self.sample is not None and self.sample < left:
            said, left = f"a sample of {self.sample:,} of {said}", self.sample
        begin, end = self.begin or 0, left if self.end is None else min(self.end, left)
        if begin or end < left:
            said, left = f"numbers {begin:,} to {end - 1:,} of {said}", end - begin
        return said if self.limit is None or self.limit >= left else f"the first {self.limit:,} of {said}"

    def given(self) -> Iterator[str]:
        """The names of what is not left to its default."""
        return (name for name in self.__slots__ if getattr(self, name) is not None)


# What `ChosenImages.words` says, behind the name of a source.
_TOLD = re.compile(
    r"(?P<name>.+) \((the first (?P<limit>[\d,]+) of )?(numbers (?P<begin>[\d,]+) to (?P<last>[\d,]+) of )?"
    r"(a sample of (?P<sample>[\d,]+) of )?(?P<count>[\d,]+) (?P<counted>\w+?)s?\)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldImages:
    """Images as a source's name tells them. count: of all that are listed. counted: what one of them is. choice: what
    is taken, by `sample`, `begin` and `end` alone."""

    name: str
    count: int
    counted: str
    choice: ChosenImages

    def __len__(self) -> int:
        return (self.choice.end or self.choice.sample or self.count) - (self.choice.begin or 0)


def images_told(text: str) -> ToldImages | None:
    """What a source's name tells of its images; None for the name of a source that tells nothing."""
    found = _TOLD.fullmatch(text)
    if found is None:
        return None
    limit, first, last, sample = (_number(found[name]) for name in ("limit", "begin", "last", "sample"))
    count = int(found["count"].replace(",", ""))
    begin, all_of = first or 0, sample or count
    end = all_of if last is None else last + 1
    end = end if limit is None else min(end, begin + limit)
    if end <= begin:
        return None
    return ToldImages(name=found["name"], count=count, counted=found["counted"], choice=_of(sample, begin, end, all_of))


def _number(told: str | None) -> int | None:
    return None if told is None else int(told.replace(",", ""))


def joined(parts: Sequence[ToldImages]) -> ToldImages | None:
    """The images of several parts, where one choice gives them in this order; else None."""
    first = parts[0]
    all_of = first.choice.sample or first.count
    ends = [part.choice.begin or 0 for part in parts[1:]]
    same = {(part.name, part.count, part.counted, part.choice.sample) for part in parts}
    if len(same) > 1 or ends != [part.choice.end or all_of for part in parts[:-1]]:
        return None
    choice = _of(first.choice.sample, first.choice.begin or 0, parts[-1].choice.end or all_of, all_of)
    return replace(first, choice=choice)


def _of(sample: int | None, begin: int, end: int, all_of: int) -> ChosenImages:
    """A choice that says no more than it must."""
    return ChosenImages(sample=sample, begin=begin or None, end=end if end < all_of else None)


def _key(name: str) -> bytes:
    """Another name is another draw, in every process and version alike."""
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, person=b"sample").digest()


EVERY = ChosenImages()
