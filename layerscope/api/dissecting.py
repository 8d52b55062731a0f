"""Dissecting an atlas: is this the network that made it, what do its units detect, and where that is kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.api import before, labelling, wording
from layerscope.api.atlas import Atlas
from layerscope.api.behind import network_behind, untrained_behind
from layerscope.api.checked import checked
from layerscope.api.intervening import intervene_in, world_of
from layerscope.api.network import Network
from layerscope.api.reporting import reporting
from layerscope.atlas.read import AtlasFile
from layerscope.core import settings as s
from layerscope.core.concepts import Dissection
from layerscope.core.errors import ImageError, UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.images import path_of
from layerscope.core.labels import LabelDissection
from layerscope.core.mask_forms import MaskForm, form_of
from layerscope.core.networks import OWN_WAY, How
from layerscope.core.records import Input
from layerscope.core.verbs import VERBS
from layerscope.core.words import WordDissection
from layerscope.dissect import MaskedImages, PlanedImages, TriedNetwork, describe, record_dissection, record_notes
from layerscope.dissect import dissect as measured
from layerscope.sources import Source, open_source
from layerscope.world import World

if TYPE_CHECKING:
    from layerscope.core.progress import Progress
    from layerscope.sources.types import Images

# How many pictures of the visual world.
IMAGES = 1500


@checked(VERBS["dissect"])
def dissect(
    atlas: Atlas | str | PathLike[str],
    net: "Network | str | PathLike[str] | None" = None,
    *,
    world: bool = s.WORLD.default,
    masks: str | PathLike[str] | None = s.MASKS.default,
    labels: "Images | None" = None,
    words: "str | PathLike[str] | Sequence[str] | None" = None,
    clip: str | PathLike[str] | None = None,
    data: "Images | None" = None,
    intervene: bool = s.INTERVENE.default,
    count: int | None = s.MASKED.default,
    seed: int = s.SEED.default,
    weights: str | PathLike[str] | None = s.WEIGHTS.default,
    trust: bool = s.TRUST.default,
    bind: Mapping[str, Any] | None = s.BIND.default,
    progress: "bool | Progress | None" = s.PROGRESS.default,
) -> Dissection | LabelDissection | WordDissection:
    """Find which unit of an atlas detects which concept, on pictures whose content is known, and keep it in the atlas.

    net: the network that made the atlas: a spec, a Network, or None for what the atlas names. world: pictures of the
    visual world, drawn for it; masks: or pictures and masks of a known form: what `world` wrote, a COCO instances file,
    Broden, or folders of pictures and PNG masks, as ADE20K's; labels: or labels of whole images, as a table of files
    and labels or as pictures that `images` takes and that have classes, which gives a LabelDissection; words: or words,
    of a list or a file with one a line, which the model in the folder `clip` compares with the pictures of `data`,
    which gives a WordDissection. data: also the pictures that a table, or a COCO file, is of, where they do not lie
    beside it. intervene: then take
    every concept out of the atlas's own pictures, and show it alone, to tell which names stand; with `world`, for an
    atlas of a World. count: how many pictures (1500 of the world, else all). seed: of the world's pictures and of the
    baselines. weights, trust, bind: as for `trace`. progress: as for `build`. Raises UsageError, ImageError, and
    WrongModel for another network than the atlas's.
    """
    before.require_weights(weights)
    place = None if masks is None else Path(masks).expanduser()
    form = None if place is None else form_of(place)
    if form is not None and data is not None and not form.takes_data:
        raise UsageError(f'the pictures of "{place}" are its own, so data= or --data says nothing more; leave it out')
    path = atlas.file.path if isinstance(atlas, Atlas) else Path(atlas)
    with AtlasFile(path) as file:
        expected = file.run.input
    before.require_file(path, "the dissection")
    if labels is not None:
        return labelling.dissect_labelled(path, net, labels, data, count, How.of(weights, trust, bind), seed, progress)
    if words is not None:
        how = How.of(weights, trust, bind)
        return wording.dissect_worded(path, net, words, clip, data, count, how, seed, progress)
    drawn = world_of(path) if intervene else None
    with reporting(progress) as reporter:
        if form is None or place is None:
            source, masked = _from_world(count, seed, expected)
        else:
            source, masked = _from_masks(form, place, data, count, reporter)
        named = fspath(net) if isinstance(net, PathLike) else net
        how = How.of(weights, trust, bind)
        return dissect_atlas(
            path, named, source, masked, how=how, drawn=drawn, seed=seed, say=reporter.say, progress=reporter
        )


def _from_world(count: int | None, seed: int, expected: Input) -> tuple[Source, MaskedImages]:
    drawn = World(count or IMAGES, seed=seed, size=_side(expected))
    return open_source(drawn), drawn


def _side(input: Input) -> int:
    """The size at which a square picture is not resized on its way into the network."""
    wanted = input.resize if input.resize is not None and input.crop == "center" else max(input.height, input.width)
    return min(max(wanted, 16), 1024)


@plain_failures("the masks", kind=ImageError)
def _from_masks(
    form: MaskForm, place: Path, data: Any, limit: int | None, reporter: "Progress"
) -> tuple[Source, MaskedImages | PlanedImages]:
    folder = path_of(data)
    if data is not None and (folder is None or not folder.is_dir()):
        raise UsageError(f'the pictures "{data}" of the masks are no folder')
    found = form.open(place, folder, limit, reporter)
    for sentence in (*found.said, *found.source.said):
        reporter.say(sentence)
    return found.source, found


@plain_failures("the dissection")
def dissect_atlas(
    path: str | Path,
    net: str | Network | None,
    source: Source,
    masked: MaskedImages | PlanedImages,
    *,
    how: How = OWN_WAY,
    drawn: World | None = None,
    further: Sequence[TriedNetwork] = (),
    seed: int = 0,
    say: Callable[[str], Any] = lambda sentence: None,
    progress: "Progress | None" = None,
) -> Dissection:
    """Dissect all layers of an atlas, keep what was found in it, and describe what its first layers see.

    net: a spec, a Network, or None for the spec that the atlas names. source, masked: the same images. drawn: the world
    of the atlas's own pictures, to take concepts out of them; further: other trainings whose names are tried there too.
    say: is told what is left out. Raises WrongModel for another network than the atlas's.
    """
    run, layers, spec, network = network_behind(path, net, how, say)
    untrained = untrained_behind(spec, network, layers, how, say)
    found = measured(
        network.program, run.input, layers, source, masked, untrained=untrained, seed=seed, progress=progress
    )
    for sentence in found.left_out:
        say(sentence)
    if isinstance(masked, PlanedImages) and found.settings["absent"]:
        say(f"{found.settings['absent']:,} of the {found.settings['concepts']:,} concepts mark no px of these images")
    outdated = record_dissection(path, found)
    if outdated and drawn is None:
        say("interventions on earlier names are out of the atlas now; --intervene (intervene=True) tries these")
    if drawn is not None:
        programs = network.program, untrained
        tried = intervene_in(
            path, drawn, found, programs, run.input, layers, further=further, seed=seed, say=say, progress=progress
        )
        found = replace(found, interventions=tried)
    with AtlasFile(path) as file:
        notes = describe(file)
    record_notes(path, notes)
    return found
