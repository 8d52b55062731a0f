"""The fast paths: every place where the program does something else than the slow and obvious, because it is faster.

Each can be switched off, so that the laws can be asked once of the slow program alone; each is held to the slow one by
a test of its own. The switches stand in `layerscope.testing.slow`: what makes the program fast pays nothing for them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FastPath:
    """One fast path. does: what is done, and in place of what. module: where. off: the context manager that switches it
    off, as "module:function". same_bits: whether the slow form gives the same numbers to the last bit. held: the test
    that holds the fast form to the slow one, as "path::name"."""

    name: str
    does: str
    module: str
    off: str
    same_bits: bool
    held: str


def _row(name: str, does: str, module: str, off: str, held: str, *, same_bits: bool = True) -> FastPath:
    return FastPath(
        name=name,
        does=does,
        module=f"layerscope.{module}",
        off=f"layerscope.testing.slow:{off}",
        same_bits=same_bits,
        held=f"tests/{held}",
    )


FAST_PATHS = (
    _row(
        "cones alone", "only the cones of peaks are run forward, in place of whole images", "project.plan",
        "whole_images",
        "unit/project/test_run.py::test_cones_alone_give_what_whole_images_give", same_bits=False,
    ),
    _row(
        "changed cones", "of pictures that are changed only the units' cones are run, in place of all of them",
        "project.retention", "changed_pictures_whole",
        "unit/pipeline/test_retention.py::test_cones_of_changed_pictures_give_what_whole_ones_give", same_bits=False,
    ),
    _row(
        "batches of cones", "many peaks of a layer are carried back at once, in place of one by one", "project.run",
        "one_by_one", "unit/project/test_run.py::test_results_do_not_depend_on_the_batch", same_bits=False,
    ),
    _row(
        "writing over inputs", "a rectifier or a sum writes over an input that nobody else reads", "graph.plan",
        "nothing_written_over", "unit/graph/test_program.py::test_a_plan_gives_what_a_plain_run_gives",
    ),
    _row(
        "joined calls", "a convolution and the constants, sum and activation behind it are one call",
        "graph.fused", "nothing_joined", "unit/graph/test_fused.py::test_joined_calls_give_what_plain_ones_give",
        same_bits=False,
    ),
    _row(
        "constants on the way back",
        "factors behind a convolution stand in its filters, in place of multiplying signals", "graph.backward",
        "nothing_folded_back",
        "unit/graph/test_backward.py::test_constants_in_filters_give_what_each_rule_gives", same_bits=False,
    ),
    _row(
        "transposed convolutions as plain ones",
        "with a stride, filters are turned round and laid out once, phase by phase", "graph.transposed",
        "nothing_turned",
        "unit/graph/test_transposed.py::test_plain_convolutions_give_what_the_transposed_gives", same_bits=False,
    ),
    _row(
        "writing over signals", "a rectifier or a sum on the way back writes over a signal that nobody else reads",
        "graph.backward", "no_signal_written_over",
        "unit/graph/test_backward.py::test_signals_are_written_over_where_nobody_else_reads_them",
    ),
    _row(
        "slices of a batch", "large maps of little arithmetic are made for a few images at a time", "graph.sliced",
        "all_images_at_once", "unit/graph/test_sliced.py::test_slices_give_what_the_whole_batch_gives", same_bits=False,
    ),
    _row(
        "channels last", "maps and weights lie with their channels last, in place of PyTorch's own order",
        "graph.program", "channels_first", "unit/core/test_fastpaths.py::test_the_slow_form_makes_the_same_atlas",
        same_bits=False,
    ),
    _row(
        "plans kept", "calls, windows and plans of a program are worked out once, in place of at every run",
        "graph.program", "nothing_remembered",
        "unit/core/test_fastpaths.py::test_the_slow_form_makes_the_same_atlas",
    ),
    _row(
        "traced graphs kept", "a network's graph is read from the user's cache, in place of being exported again",
        "graph.read", "no_cache_folder", "unit/graph/test_read.py::test_kept_networks_compute_the_same",
    ),
    _row(
        "one trace", "a network whose calls are all known is made free of side effects without a second trace",
        "graph.functional", "traced_twice",
        "unit/graph/test_functional.py::test_a_call_is_what_torch_makes_of_it",
    ),
    _row(
        "one computation in a replay", "the graph takes a copy of what the network has just computed by the same call",
        "graph.reused", "all_computed_twice",
        "unit/graph/test_reused.py::test_a_replay_says_the_same_when_all_is_computed_twice",
    ),
    _row(
        "sums around the mean", "large maps are summed up in float32 around their own mean, in place of in float64",
        "scan.reduced", "all_in_float64", "unit/scan/test_reduced.py::test_sums_are_those_of_float64", same_bits=False,
    ),
    _row(
        "maps in pairs", "one complex transform filters two channels, in place of one each", "project.views",
        "each_map_alone", "unit/project/test_views.py::test_maps_in_pairs_are_those_of_each_alone", same_bits=False,
    ),
    _row(
        "the highest of a tile", "a scale is looked up among a tile's highest numbers, in place of all",
        "project.views", "all_of_a_tile", "unit/project/test_views.py::test_a_place_from_the_top_is_that_of_a_sort",
    ),
    _row(
        "floors of a scan", "a shard drops what cannot enter the k best of those before it", "scan.shard", "no_floors",
        "laws/test_merge.py::test_floors_only_spare_work",
    ),
    _row(
        "one wait a shard", "on a GPU a shard is looked at when it is over, in place of after every batch",
        "scan.deferred", "looked_at_once", "unit/scan/test_deferred.py::test_looking_later_finds_the_same",
    ),
    _row(
        "images decoded once", "the inputs and small pictures of images are kept, in place of decoding them again",
        "sources.cache", "nothing_kept", "unit/sources/test_cache.py::test_batches_are_the_same_bits",
    ),
    _row(
        "threads that read ahead", "images are decoded by threads before they are asked for, in place of one by one",
        "sources.ahead", "nothing_ahead", "unit/sources/test_ahead.py::test_results_come_in_order",
    ),
    _row(
        "processes that read ahead", "the items of a Dataset are read by other processes", "sources.workers",
        "no_processes", "unit/sources/test_dataset.py::test_worker_processes_change_nothing",
    ),
    _row(
        "maps kept by a dissection", "the maps of the first pass are kept for the second, in place of run again",
        "dissect.maps", "no_maps_kept",
        "unit/dissect/test_run.py::test_nothing_depends_on_what_is_kept_between_the_passes",
    ),
    _row(
        "masks drawn once", "masks that are drawn are kept for the next network of the demo, in place of drawn again",
        "dissect.masks", "masks_drawn_anew", "unit/dissect/test_masks.py::test_masks_are_drawn_once",
    ),
    _row(
        "maps kept by an ablation", "what is behind the changed layers is run from kept maps, in place of all anew",
        "causes.onward", "all_anew", "unit/causes/test_ablate.py::test_kept_maps_give_what_whole_passes_give",
        same_bits=False,
    ),
    _row(
        "ranks by sorted keys", "values and their places are sorted as one whole number, in place of places by values",
        "dissect.ranks", "sorted_by_values", "unit/dissect/test_ranks.py::test_keys_rank_as_values_do",
    ),
    _row(
        "pictures kept by the viewer", "sprites and decoded pictures are kept, in place of made for every request",
        "core.lru", "no_pictures_kept", "unit/core/test_fastpaths.py::test_pages_without_a_store_are_the_same",
    ),
)  # fmt: skip
