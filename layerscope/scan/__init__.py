"""Images -> peaks and statistics, in one pass, at nearly the cost of the forward pass alone."""

from layerscope.scan.peaks import merge
from layerscope.scan.shard import LayerResult, ShardResult, scan_shard
from layerscope.scan.statistics import ImageStatistics, Totals

__all__ = ["ImageStatistics", "LayerResult", "ShardResult", "Totals", "merge", "scan_shard"]
