"""The stages of what takes long, as rows, in order: progress, forecast, clock and docs tell them by these words."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage, which is made of pieces.

    name: as progress, forecast and clock call it. sentence: what it does, without a full stop. counts: what progress
    counts. anywhere: its pieces need nothing but the network, the images and what they hold, so that an engine may
    make them in another process or on another machine.
    """

    name: str
    sentence: str
    counts: str
    anywhere: bool = False


SCAN = Stage(
    name="scan",
    sentence="every image passes the network; peaks, statistics and strata of all units are found",
    counts="images",
    anywhere=True,
)
# Where an engine only proposes peaks, behind the scan.
DECIDE = Stage(
    name="decide",
    sentence="images that may hold peaks, as an engine proposes, pass the network itself, which decides",
    counts="images",
    anywhere=True,
)
SAMPLE = Stage(
    name="sample",
    sentence="on 64 seeded units of each layer, the side of its tiles and how far to trust each method are measured",
    counts="layers",
    anywhere=True,
)
PROJECT = Stage(
    name="project",
    sentence="every peak is carried back to pixels, image by image",
    counts="peaks",
    anywhere=True,
)
SHEETS = Stage(
    name="sheets", sentence="the tiles of a unit become one encoded picture per kind, method and view", counts="units"
)
STRATA = Stage(
    name="strata",
    sentence="the images around lower percentiles of each unit get their boxes and, where missing, their thumbnails",
    counts="images",
    anywhere=True,
)
USE = Stage(
    name="use",
    sentence="of at most 128 images the scores of classes are shared out among the units of every layer",
    counts="images",
    anywhere=True,
)
# Of a build, in order.
BUILD = (SCAN, SAMPLE, PROJECT, SHEETS, USE, STRATA)

MASKS = Stage(name="masks", sentence="of photographs, the sizes of pictures and masks are compared", counts="images")
THRESHOLDS = Stage(
    name="thresholds", sentence="every unit's values are counted, which gives its thresholds", counts="images"
)
OVERLAPS = Stage(name="overlaps", sentence="where units and masks meet is counted", counts="images")
INTERVENE = Stage(
    name="interventions", sentence="every concept is taken out of some pictures and shown alone", counts="images"
)
# Of a dissection, in order; the first of photographs, the last on request.
DISSECT = (MASKS, THRESHOLDS, OVERLAPS, INTERVENE)
# Of one from labels alone.
MAXIMA = Stage(name="maxima", sentence="every image's maximum of every unit is found", counts="images")

# Of one from words, behind it.
EMBED = Stage(name="embeddings", sentence="every image becomes a vector that words are compared with", counts="images")
WORDS = Stage(name="words", sentence="every word is tried on every unit, by the images nearest to it", counts="words")

# Of an evolution.
EVOLVE = Stage(name="evolve", sentence="every checkpoint is scanned over the same images", counts="images")

# Of an ablation.
ABLATE = Stage(
    name="ablate",
    sentence="every image passes the network to the changed layers, and goes on once for each set of units",
    counts="images",
)
