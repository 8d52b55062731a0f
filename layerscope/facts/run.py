"""What is known of a whole run: how many images it scanned, which view comes first, whether its pixels are exact."""

from layerscope.atlas.records import AtlasLayerRecord, RunRecord
from layerscope.core import codecs
from layerscope.core.records import UnitStatistics
from layerscope.facts.wrapping import Reader


def images_scanned(statistics: UnitStatistics) -> int:
    """How many images a layer's units were scanned on, copies left out; 0 before that.

    Every image's maximum is counted once in each unit's histogram.
    """
    return int(statistics.histogram[:1].sum())


def images_of_run(file: Reader) -> int:
    """How many images were scanned: those of the first layer; 0 before it is."""
    return next((images_of_layer(file, layer) for layer in file.layers[:1]), 0)


def images_of_layer(file: Reader, layer: AtlasLayerRecord) -> int:
    """How many images a layer was scanned on."""
    return file.scanned(layer.id).images


def first_view(run: RunRecord) -> str:
    """The view that projections are shown in unless another one is asked for; "" where the run has none."""
    return next(iter(run.views), "")


def codec_of(run: RunRecord) -> str:
    """The codec of tiles and small pictures."""
    return str(run.settings.get("codec", codecs.DEFAULT_CODEC))


def is_lossy(run: RunRecord) -> bool:
    """Whether tiles are stored with slight loss, as far as is known here."""
    return codecs.is_lossy(codec_of(run))


def same_images(run: RunRecord, other: RunRecord) -> bool:
    """Whether two runs were made of the same images in the same order."""
    ours = run.fingerprint.get("images")
    return ours is not None and ours == other.fingerprint.get("images")
