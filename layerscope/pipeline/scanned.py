"""What a scan found, as rows: written when all images are in, whether by one scan or from several that are merged."""

from collections.abc import Sequence

from layerscope.atlas.write import AtlasWriter
from layerscope.core.records import LayerRecord
from layerscope.scan import Totals, neighbours_of, statistics_of, strata_of


def put_totals(
    writer: AtlasWriter, totals: Totals, layers: Sequence[LayerRecord], *, classes: Sequence[str], seed: int
) -> None:
    """Peaks and statistics of these layers, and what was measured of the images. seed: of the sample."""
    statistics = statistics_of(totals.over_inputs())
    with writer.transaction():
        writer.put_statistic("colour", statistics.colour.tolist())
        writer.put_statistic("spectrum", statistics.spectrum.tolist())
        writer.put_statistic("pictures", statistics.images)
        writer.put_statistic("images", totals.images)
        if copies := writer.copies().copies:
            writer.put_statistic("copies", copies)
        writer.put_statistic("classes", list(classes))
        writer.put_statistic("class_counts", totals.class_counts.tolist())
        for layer in layers:
            writer.put_layer(layer.node, layer)
            writer.put_units(layer.node, totals.unit_statistics(layer.node))
            writer.put_peaks(layer.node, totals.peaks(layer.node), layer.field)
            _put_sampled(writer, totals, layer, seed)


def _put_sampled(writer: AtlasWriter, totals: Totals, layer: LayerRecord, seed: int) -> None:
    """What is taken from the sampled images."""
    sampled = totals.sampled(layer.node)
    writer.put_strata(layer.node, strata_of(sampled, layer))
    writer.put_neighbours(layer.node, neighbours_of(sampled))
    writer.put_statistic("sample", {"images": len(sampled.images), "seed": seed}, layer=layer.node)
