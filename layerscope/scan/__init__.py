"""Images -> peaks and statistics, in one pass, at nearly the cost of the forward pass alone."""

from layerscope.scan.finite import require_finite
from layerscope.scan.input_statistics import STATISTICS_IMAGES, statistics_of
from layerscope.scan.peaks import merge
from layerscope.scan.result import LayerResult
from layerscope.scan.sample import SampledMaxima, SampleRule, most_sampled
from layerscope.scan.shard import ShardResult, scan_in_steps, scan_shard
from layerscope.scan.statistics import MOST_CLASS_MEANS, Totals
from layerscope.scan.strata import neighbours_of, strata_of

__all__ = [
    "MOST_CLASS_MEANS",
    "STATISTICS_IMAGES",
    "LayerResult",
    "SampleRule",
    "SampledMaxima",
    "ShardResult",
    "Totals",
    "merge",
    "most_sampled",
    "neighbours_of",
    "require_finite",
    "scan_in_steps",
    "scan_shard",
    "statistics_of",
    "strata_of",
]
