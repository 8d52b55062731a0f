"""What changed between two atlases: all layers in one table, the worst first, then units, each beside its other."""

from dataclasses import dataclass
from typing import Any

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.changes.becoming import UnitChange
from layerscope.changes.diff import AtlasChanges, LayerChange, LayerPair, changes, have_in_common
from layerscope.changes.sides import Side, differing_in, side_of
from layerscope.core.changes import CHANGES, MATCHED, NAMES
from layerscope.core.diff_settings import LEAST
from layerscope.core.errors import AtlasError, UsageError
from layerscope.core.lru import LruCache
from layerscope.core.names import without_paths
from layerscope.core.values import number_in
from layerscope.viewer.addresses import SheetKey, layer_key
from layerscope.viewer.pages.query import Query, page_of
from layerscope.viewer.pages.two_atlases import other_atlas
from layerscope.viewer.shelf import Book, Shelf

SHOWN = 24  # units on the page
# Comparisons that are kept: of tens of thousands of units each takes seconds.
_KEPT = LruCache[AtlasChanges](4)
# Whether two atlases can be compared: every page of all atlases asks, and their images may be many.
_COMPARABLE = LruCache[bool](256)
# What is known of layers of two atlases, by bytes: another `least` asks for the same.
_PAIRS = LruCache[LayerPair](64 << 20, lambda pair: pair.bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherAtlas:
    """Another atlas on the shelf. slug: its short name."""

    slug: str
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedSide:
    """A unit of one of the two atlases in its column. unit: None where this atlas has none. nearest: it is no partner,
    only the nearest that there is. sheets: its tiles that are kept. spec: how an address of a comparison names it."""

    unit: int | None
    nearest: bool = False
    layer: AtlasLayerRecord
    sheets: tuple[SheetKey, ...] = ()
    spec: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenChange:
    """What became of a unit, with both units as they are shown."""

    change: UnitChange
    first: ComparedSide
    second: ComparedSide


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedKey:
    """A layer that both atlases have. key: how an address names it. record: in the first atlas."""

    key: str
    record: AtlasLayerRecord
    change: LayerChange


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPage:
    """What stands on the page. others: atlases that this one can be compared with; apart: those that it cannot be.
    other: the chosen one's short name, "" without one. before, after: which is which; differing: in what they differ as
    a whole. why: why these two cannot be compared, as a sentence.

    images: how many both hold. by_class: class means were compared, too. least: from which agreement on two units are
    the same; usual: by default. words: each word with its meaning and of how many units it is said. layers: the worst
    first. layer, only: what is asked for: a layer's key, "" for all; a word, "" for all but the matched units of
    several layers. found:
    units like this; first: how many of them come before this page; step: how many stand on it. units: these, the worst
    first. only_before, only_after: layers that the other atlas has not. unsought: layers in which too many units are
    left over to find who moved.
    """

    others: tuple[OtherAtlas, ...]
    apart: tuple[OtherAtlas, ...] = ()
    other: str = ""
    before: Side | None = None
    after: Side | None = None
    differing: tuple[str, ...] = ()
    why: str = ""
    images: int = 0
    by_class: bool = False
    least: float = LEAST.default
    usual: float = LEAST.default
    words: tuple[tuple[str, str, int], ...] = ()
    layers: tuple[ComparedKey, ...] = ()
    layer: str = ""
    only: str = ""
    found: int = 0
    first: int = 0
    step: int = SHOWN
    units: tuple[SeenChange, ...] = ()
    only_before: tuple[str, ...] = ()
    only_after: tuple[str, ...] = ()
    unsought: tuple[str, ...] = ()


def facts(book: Book, query: Query, *, shelf: Shelf | None = None) -> ChangedPage:
    """What the address asks for: ?a=atlas, by default the only other one; &l=layer; &only=word; &least=0.5; &from=24.

    Raises UsageError for an atlas, a layer or a word that there is not.
    """
    others, apart = _others(book, shelf)
    slug = query.one("a") or (others[0].slug if len(others) == 1 else "")
    least = LEAST.check(number_in(query.one("least"))) if query.one("least") else LEAST.default
    if not slug:
        return ChangedPage(others=others, apart=apart, least=least)
    other = other_atlas(book, shelf, slug)
    about: dict[str, Any] = {"others": others, "apart": apart, "other": other.slug, "least": least}
    about |= {"before": side_of(book.file), "after": side_of(other.file)}
    try:
        found = _KEPT.get((book.mark, other.mark, least), lambda: _changes(book, other, least))
    except UsageError as refused:
        shown = [(str(one.file.path), one.title) for one in (book, other)]
        return ChangedPage(why=without_paths(str(refused), shown), **about)
    return _page(book, other, found, query, about)


def _changes(book: Book, other: Book, least: float) -> AtlasChanges:
    marks = book.mark, other.mark
    return changes(book.file, other.file, least=least, kept=lambda layer, make: _PAIRS.get((*marks, layer), make))


def comparable(book: Book, other: Book) -> bool:
    """Whether what changed from one to the other can be told: see `have_in_common`."""
    return _COMPARABLE.get((book.mark, other.mark), lambda: have_in_common(book.file, other.file))


def _others(book: Book, shelf: Shelf | None) -> tuple[tuple[OtherAtlas, ...], tuple[OtherAtlas, ...]]:
    """Of the other atlases those that this one can be compared with, and those that it cannot be."""
    found: tuple[list[OtherAtlas], list[OtherAtlas]] = ([], [])
    for one in shelf or ():
        try:
            if one.slug != book.slug:
                found[not comparable(book, one)].append(OtherAtlas(slug=one.slug, side=side_of(one.file)))
        except AtlasError:  # its build has only just begun
            continue
    return tuple(found[0]), tuple(found[1])


def _page(book: Book, other: Book, found: AtlasChanges, query: Query, about: dict[str, Any]) -> ChangedPage:
    records = {layer.name: layer for layer in book.layers}
    layer = _layer(book, found, query.one("l"))
    only = query.choice("only", NAMES, MATCHED) if query.one("only") else ""
    units = [unit for unit in found.units if _asked_for(unit, layer, only)]
    first = page_of(query.one("from"), len(units), SHOWN)
    theirs = {layer.name: layer for layer in other.layers}
    return ChangedPage(
        **about,
        differing=differing_in(found.before, found.after),
        images=found.images,
        by_class=found.by_class,
        words=tuple((change.name, change.sentence, _count(found, layer, change.name)) for change in CHANGES),
        layers=tuple(
            ComparedKey(key=layer_key(records[one.layer]), record=records[one.layer], change=one)
            for one in found.layers
        ),
        layer=layer_key(layer) if layer else "",
        only=only,
        found=len(units),
        first=first,
        units=tuple(
            _seen((book, records[one.layer]), (other, theirs[one.layer]), one) for one in units[first : first + SHOWN]
        ),
        only_before=found.only_before,
        only_after=found.only_after,
        unsought=tuple(one.layer for one in found.layers if not one.sought),
    )


def _asked_for(unit: UnitChange, layer: AtlasLayerRecord | None, only: str) -> bool:
    """Without a word, of one layer all units; of all layers those that are not as they were."""
    if layer is not None and unit.layer != layer.name:
        return False
    return unit.change == only if only else layer is not None or unit.change != MATCHED


def _layer(book: Book, found: AtlasChanges, key: str) -> AtlasLayerRecord | None:
    if not key:
        return None
    layer = book.layer(key)
    if layer.name not in {one.layer for one in found.layers}:
        raise UsageError(f'only one of the two atlases has the layer "{layer.name}"')
    return layer


def _count(found: AtlasChanges, layer: AtlasLayerRecord | None, word: str) -> int:
    return sum(getattr(one, word) for one in found.layers if layer is None or one.layer == layer.name)


def _seen(
    before: tuple[Book, AtlasLayerRecord], after: tuple[Book, AtlasLayerRecord], change: UnitChange
) -> SeenChange:
    # A lost unit stands beside the nearest that there is, and so does a new one; a dead one beside what it has become.
    first, second = change.unit, change.other
    return SeenChange(
        change=change,
        first=_side(*before, change.nearest if first is None else first, nearest=first is None),
        second=_side(*after, change.nearest if second is None else second, nearest=second is None, of=after[0].slug),
    )


def _side(book: Book, layer: AtlasLayerRecord, unit: int | None, *, nearest: bool, of: str = "") -> ComparedSide:
    if unit is None:
        return ComparedSide(unit=None, layer=layer)
    sheets = (book.sheet(layer, unit, *each) for each in book.sheets(layer))
    name = f"{layer_key(layer)}:{unit}"
    return ComparedSide(
        unit=unit,
        nearest=nearest,
        layer=layer,
        sheets=tuple(sheet for sheet in sheets if sheet is not None),
        spec=f"{of}/{name}" if of else name,
    )
