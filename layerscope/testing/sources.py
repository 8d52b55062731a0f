"""The laws of kinds of images: one order, the same pixels each time, a reason for each image that is left out.

Each is called with a row of `layerscope.core.images.IMAGES` and images of it, as a user names or holds them; `laws`
runs them all, over the row's samples where none are given. They need at least two images of which one can be used.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from layerscope.core.errors import ImageError, UsageError
from layerscope.core.images import IMAGES, ImageKind, forms, kind_of
from layerscope.core.records import Batch, Input
from layerscope.sources import ImageCache, Source, open_source, prepare

INPUT = Input(height=24, width=20, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
# So many images of a source are read.
MOST = 40
NOWHERE = ("no-such-folder/", "no-such-*.nothing", "no-such-file.jpg", "no-such-scheme:7")


def is_found(row: ImageKind, images: Any) -> None:
    """The registry gives this row under its name, and nothing that it needs is missing."""
    assert row.name in IMAGES, f'no kind of images is called "{row.name}": is its package installed?'
    assert IMAGES[row.name] is row, f'"{row.name}" is another row than this'


def says_itself(row: ImageKind, images: Any) -> None:
    """Name, sentence and form are as help and docs need them, and the form stands among all."""
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", row.name), f'"{row.name}" is no plain word of small letters and digits'
    assert row.sentence and not row.sentence.endswith("."), f"{row.name} needs a sentence without a full stop"
    assert row.form.startswith(row.prefix), f'the form "{row.form}" does not begin with "{row.prefix}"'
    assert row.form in forms(written=row.written), f'"{row.form}" is not told among {forms(written=row.written)}'


def is_distinguished(row: ImageKind, images: Any) -> None:
    """It takes its own images, and neither what is nowhere nor what another kind takes."""
    assert kind_of(images) is row, f'"{images}" is not taken for {row.name}'
    for text in ("", " ", row.prefix, *NOWHERE):
        assert row.name == "glob" or kind_of(text) is not row, f'{row.name} takes "{text}"'


def order_is_fixed(row: ImageKind, images: Any) -> None:
    """Opened twice, the same images stand in the same places; each has an identity of its own, as text."""
    source, again = open_source(images), open_source(images)
    assert len(source) > 1, f"{source.name} has fewer than two images"
    assert source.listing() == again.listing(), f"{source.name} lists its images in another order each time"
    same = list(source.identity()) == list(again.identity()) and source.name == again.name
    assert same, f"{source.name} is told by another name or identity each time: a build would not go on"
    names = [identity for identity, _ in source.listing()]
    assert len(set(names)) == len(names), f"{source.name} names several images alike"
    assert all(isinstance(name, str) and name.isprintable() for name in names), f"{source.name} has odd identities"


def pixels_are_the_same_each_time(row: ImageKind, images: Any) -> None:
    """Opened twice, every image gives the same record and the same input, to the bit."""
    first, again = _read(open_source(images), _runs(1)), _read(open_source(images), _runs(1))
    assert first.keys() == again.keys(), f"of {images} not the same images can be used each time"
    for id, (record, pixels) in first.items():
        assert record == again[id][0], f"the record of image {id} of {images} differs from reading to reading"
        assert pixels == again[id][1], f"the pixels of image {id} of {images} differ from reading to reading"


def batches_do_not_depend_on_how_they_are_read(row: ImageKind, images: Any) -> None:
    """Any threads, any runs, in any order, kept from before or not: the same inputs."""
    source = open_source(images)
    expected = {id: pixels for id, (_, pixels) in _read(source, _runs(1)).items()}
    kept = ImageCache(INPUT, pictures=True)
    try:
        ways = ((1, _runs(3)), (4, [run[::-1] for run in _runs(5)][::-1]))
        for view in (open_source(images), open_source(images).cached_in(kept)):
            for threads, runs in ways:
                found = {id: pixels for id, (_, pixels) in _read(view, runs, threads=threads).items()}
                assert found == expected, f"{source.name} gives other inputs in other batches, or to other threads"
    finally:
        kept.close()


def pictures_are_prepared_as_the_input_says(row: ImageKind, images: Any) -> None:
    """What an image is read as is resized, cropped and normalised like any picture."""
    source = open_source(images)
    for id, (record, pixels) in _read(source, _runs(1)).items():
        picture = source.read(id)[1]
        if pixels is not None and isinstance(picture, Image.Image):
            prepared, _ = prepare(picture, INPUT)
            assert prepared.tobytes() == pixels, f"image {id} of {source.name} is not prepared as its picture would be"
            same_size = (record.height, record.width) == (picture.height, picture.width)
            assert same_size, f"the record of image {id} of {source.name} does not tell its height and width"


def what_is_left_out_has_a_reason(row: ImageKind, images: Any) -> None:
    """Each image is used, or its record says why it is not, in one line; what is used is known by a hash."""
    source = open_source(images)
    used = 0
    for id, (record, pixels) in _read(source, _runs(4)).items():
        assert (record.id, record.source) == (id, source.listing()[id][0]), f"record {id} is another image's"
        if pixels is None:
            why = record.skipped
            assert why and "\n" not in why, f"image {id} of {source.name} is left out without a word"
        else:
            used += 1
            assert record.skipped is None, f"image {id} of {source.name} is used and left out"
            hashed = re.fullmatch("[0-9a-f]{64}", record.sha256 or "")
            assert hashed, f"the record of image {id} of {source.name} has no SHA-256: copies are told by it"
    assert used, f"no image of {source.name} can be used"


def a_limit_takes_the_first(row: ImageKind, images: Any) -> None:
    """So many images, as they stand at the beginning of all, with the same inputs."""
    source = open_source(images)
    if row.name == "source":
        return
    one = open_source(images, limit=1) if _usable(source, 0) else open_source(images, limit=len(source))
    assert one.listing() == source.listing()[: len(one)] and 1 <= len(one) <= len(source)
    assert _read(one, _runs(1)) == {id: read for id, read in _read(source, _runs(1)).items() if id < len(one)}
    assert open_source(images, limit=len(source) + 1).listing() == source.listing()


def labels_of_a_file_are_taken(row: ImageKind, images: Any) -> None:
    """A table of identities and classes gives each image its class; in place of any that it had."""
    source = open_source(images)
    if row.name == "source":
        return
    names = [identity for identity, _ in source.listing()]
    classes = [f"class {place % 2}" for place in range(len(names))]
    with TemporaryDirectory() as folder:
        table = Path(folder) / "labels.csv"
        with table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("file", "class"), *zip(names, classes, strict=True)])
        labelled = open_source(images, labels=table)
    assert labelled.labelling() == classes and labelled.label_names == ("class 0", "class 1")
    assert [labelled.label(id) for id in range(2)] == classes[:2]
    records = {id: record.label for id, (record, _) in _read(labelled, _runs(1)).items()}
    assert records == dict(enumerate(classes[: len(records)])), f"the records of {source.name} lack a file's classes"


def nonsense_is_refused(row: ImageKind, images: Any) -> None:
    """Behind a prefix, what means nothing raises ImageError or UsageError: one sentence, which repeats it."""
    for nonsense in ("no such place", "-1", "0", "\N{SNOWMAN}", "../no-such-place") if row.prefix else ():
        try:
            open_source(row.prefix + nonsense)
        except (ImageError, UsageError) as error:
            said = str(error)
            assert "\n" not in said and nonsense in said, f'"{row.prefix}{nonsense}" is refused with "{said}"'
        else:
            raise AssertionError(f'"{row.prefix}{nonsense}" is opened')


LAWS = (
    is_found,
    says_itself,
    is_distinguished,
    order_is_fixed,
    pixels_are_the_same_each_time,
    batches_do_not_depend_on_how_they_are_read,
    pictures_are_prepared_as_the_input_says,
    what_is_left_out_has_a_reason,
    a_limit_takes_the_first,
    labels_of_a_file_are_taken,
    nonsense_is_refused,
)


def laws(row: ImageKind, *images: Any) -> None:
    """All laws of kinds of images. Raises AssertionError, with a sentence, for the first that the row breaks."""
    assert images or row.samples, f"{row.name} has no samples: give images"
    for one in images or row.samples:
        for law in LAWS:
            law(row, one)


def _runs(size: int) -> list[list[int]]:
    """Runs of so many ids, of as many images as are read."""
    return [list(range(start, min(start + size, MOST))) for start in range(0, MOST, size)]


def _read(source: Source, runs: Iterable[Sequence[int]], *, threads: int = 1) -> dict[int, tuple[Any, bytes | None]]:
    """By id its record, and its input as bytes, None where it cannot be used."""
    within = [[id for id in run if id < len(source)] for run in runs]
    found: dict[int, tuple[Any, bytes | None]] = {}
    for batch in source.batches(INPUT, [run for run in within if run], threads=threads):
        found |= dict(_images(batch))
    return dict(sorted(found.items()))


def _images(batch: Batch) -> Iterator[tuple[int, tuple[Any, bytes | None]]]:
    pixels = {int(id): np.ascontiguousarray(row).tobytes() for id, row in zip(batch.ids, batch.pixels, strict=True)}
    for record in batch.records:
        yield record.id, (record, pixels.get(record.id))


def _usable(source: Source, id: int) -> bool:
    return source.load([id], INPUT).records[0].skipped is None
