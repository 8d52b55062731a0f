"""The fast paths switched off, one by one or all together: the slow and obvious program, for its laws to be asked."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib import import_module
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from layerscope.causes import onward
from layerscope.core.cache import VARIABLE
from layerscope.core.fastpaths import FAST_PATHS
from layerscope.core.lru import LruCache
from layerscope.dissect import ranks
from layerscope.dissect.maps import Activations
from layerscope.dissect.masks import DrawnOnce
from layerscope.graph import Program, WayBack, backward, following, functional, program
from layerscope.graph import plan as graph_plan
from layerscope.graph.reused import Reused
from layerscope.project import plan, retention, run, views
from layerscope.project.cone import Entries
from layerscope.scan import reduced, shard
from layerscope.sources import ImageCache, dataset, source


@contextmanager
def slow_paths(*names: str) -> Iterator[None]:
    """While it is open, the fast paths of these names are switched off; without names, all of them."""
    rows = {row.name: row for row in FAST_PATHS}
    with ExitStack() as switched:
        for name in names or rows:
            module, _, function = rows[name].off.partition(":")
            switched.enter_context(getattr(import_module(module), function)())
        yield


def changed_pictures_whole() -> AbstractContextManager[Any]:
    """Pictures that are changed are run as a whole."""

    def whole(program: Program, pictures: Tensor, entries: Entries, painted: retention.PaintedOver) -> Tensor:
        changed = pictures[torch.from_numpy(entries.image)].to(program.dtype)
        everyone, zeros = np.arange(len(entries)), np.zeros(len(entries), np.int64)
        painted.over(changed, zeros, zeros)
        own = Entries(entries.node, everyone, entries.unit, entries.row, entries.col)
        return run.activations_at(program.run(changed, {entries.node})[entries.node], own)

    return mock.patch.object(retention, "activations_of", whole)


def whole_images() -> AbstractContextManager[Any]:
    """Cones count as endless work, so no layer is forwarded as cones."""
    return mock.patch.object(plan, "CONE_PENALTY", float("inf"))


def one_by_one() -> AbstractContextManager[Any]:
    return mock.patch.object(run, "MOST_ENTRIES", 1)


def no_signal_written_over() -> AbstractContextManager[Any]:
    return mock.patch.object(backward, "written_over", lambda *_: ({}, frozenset()))


def nothing_written_over() -> AbstractContextManager[Any]:
    return mock.patch.object(graph_plan, "may_overwrite", lambda *_: False)


def nothing_joined() -> AbstractContextManager[Any]:
    return mock.patch.object(program, "can_join", lambda *_: False)


def nothing_folded_back() -> AbstractContextManager[Any]:
    return mock.patch.object(Program, "way_back", lambda *_: WayBack({}))


def nothing_turned() -> AbstractContextManager[Any]:
    return mock.patch.object(program, "can_turn", lambda *_: False)


def all_images_at_once() -> AbstractContextManager[Any]:
    return mock.patch.object(following, "slicing", lambda *_: None)


def channels_first() -> AbstractContextManager[Any]:
    names = ("graph", "weights", "layout")
    return _made_otherwise(Program, lambda options: options | {"layout": torch.contiguous_format}, names=names)


def nothing_remembered() -> AbstractContextManager[Any]:
    """Every call, window and plan is worked out when it is asked for."""

    def forget(made: Any) -> None:
        for name in ("call", "windows", "on_whole_maps"):
            setattr(made, name, getattr(made, f"_{name}"))
        made._filters_once, made.plan = made._filters, made._planned
        made._back_once, made._way_back_once = made._back, made._way_back

    return _made_otherwise(Program, lambda options: options, then=forget)


def traced_twice() -> AbstractContextManager[Any]:
    return mock.patch.object(functional, "functional", lambda program: False)


def no_cache_folder() -> AbstractContextManager[Any]:
    return mock.patch.dict(os.environ, {VARIABLE: "off"})


def all_computed_twice() -> AbstractContextManager[Any]:
    return _made_otherwise(Reused, lambda options: options | {"most": 0})


def all_in_float64() -> AbstractContextManager[Any]:
    return mock.patch.object(reduced, "LARGE", float("inf"))


def sorted_by_values() -> AbstractContextManager[Any]:
    """The places of numbers are sorted by these, and no keys are made."""

    def rising(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        return order, np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))

    return mock.patch.object(ranks, "rising", rising)


def each_map_alone() -> AbstractContextManager[Any]:
    """A real transform for every map."""

    def alone(maps: Tensor, spectrum: Tensor) -> Tensor:
        size, channels = (len(spectrum),) * 2, maps.shape[1]
        half = (channels + 1) // 2
        found = torch.fft.irfft2(torch.fft.rfft2(maps, s=size) * spectrum[:, : size[0] // 2 + 1, 0], s=size)
        second = torch.cat([found[:, half:], found.new_zeros((len(maps), 2 * half - channels, *size))], 1)
        return torch.stack([found[:, :half], second], -1)

    return mock.patch.object(views, "_in_pairs", alone)


def all_of_a_tile() -> AbstractContextManager[Any]:
    return mock.patch.object(views, "_from_the_top", lambda values, place: np.sort(values)[-place])


def no_floors() -> AbstractContextManager[Any]:
    original = shard._floor
    return mock.patch.object(shard, "_floor", lambda layer, known: original(layer, None))


def looked_at_once() -> AbstractContextManager[Any]:
    return mock.patch.object(shard, "is_deferred", lambda device: False)


def nothing_kept() -> AbstractContextManager[Any]:
    return _made_otherwise(ImageCache, lambda options: options | {"most": 0})


def nothing_ahead() -> AbstractContextManager[Any]:
    """Each call when its group's turn has come, in this thread."""

    def in_order(
        groups: Iterable[tuple[Any, Sequence[Callable[[], Any]]]], *, threads: int, ahead: int
    ) -> Generator[tuple[Any, list[Any]], None, None]:
        for group, calls in groups:
            yield group, [call() for call in calls]

    return mock.patch.object(source, "in_order", in_order)


def no_processes() -> AbstractContextManager[Any]:
    return mock.patch.object(dataset, "fit_for_workers", lambda _: False)


def no_maps_kept() -> AbstractContextManager[Any]:
    names = ("programs", "layers", "source", "input", "memory")
    return _made_otherwise(Activations, lambda options: options | {"memory": 0}, names=names)


def masks_drawn_anew() -> AbstractContextManager[Any]:
    return mock.patch.object(DrawnOnce, "masks", lambda kept, image: kept.masked.masks(image))


def all_anew() -> AbstractContextManager[Any]:
    """Every network of an ablation begins with the input."""
    return mock.patch.object(
        onward, "steps_behind", lambda graph, changed, wanted: tuple(sorted(graph.ancestors({wanted}) - {0}))
    )


def no_pictures_kept() -> AbstractContextManager[Any]:
    return mock.patch.object(LruCache, "get", lambda self, key, make: make())


def _made_otherwise(
    kind: type,
    change: Callable[[dict[str, Any]], dict[str, Any]],
    *,
    names: Sequence[str] = (),
    then: Callable[[Any], None] = lambda made: None,
) -> AbstractContextManager[Any]:
    """Objects of a class are made with other arguments. names: of those that may come by place."""
    original = kind.__init__

    def made(self: Any, *arguments: Any, **options: Any) -> None:
        placed = dict(zip(names, arguments, strict=False))
        original(self, *arguments[len(placed) :], **change(placed | options))
        then(self)

    return mock.patch.object(kind, "__init__", made)
