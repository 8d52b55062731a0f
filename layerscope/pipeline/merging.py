"""Atlases of one network over different images become one: their scans are added up, as if there had been one.

What is merged is all whose cost grows with the images. What stands behind it (tiles, projections, what a unit is made
of and used for) depends on the peaks of all together: the build goes on with it, and scans nothing again.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from layerscope.atlas.connection import plain_errors, plain_values, side_files
from layerscope.atlas.lock import WriterLock
from layerscope.atlas.parts import PartFile
from layerscope.atlas.records import RunRecord
from layerscope.atlas.write import AtlasWriter
from layerscope.core.errors import AtlasError, UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.files import part_of
from layerscope.core.progress import Progress
from layerscope.core.records import LayerRecord
from layerscope.pipeline.kept_totals import ScanKept, keep, kept_totals
from layerscope.pipeline.mergeable import Mergeable, require_mergeable
from layerscope.pipeline.originals import copies_in_words
from layerscope.pipeline.scanned import put_totals
from layerscope.pipeline.settings import SHARD, hash_of, labels_hash
from layerscope.pipeline.work import sampled_units
from layerscope.scan import SampleRule, Totals
from layerscope.scan.joining import join
from layerscope.sources.listing import listed_as

NAMED = 3


def merge_atlases(paths: Sequence[Path], out: Path, progress: Progress) -> None:
    """Merge atlases, in this order of their images, into a new one at `out`, which is whole or not there.

    Raises AtlasError, WrongModel and UsageError, naming what differs, for what cannot be merged.
    """
    with plain_failures(out, kind=AtlasError), ExitStack() as held:
        parts = require_mergeable([held.enter_context(PartFile(path)) for path in paths])
        lock = WriterLock(out)
        held.callback(lock.release)
        if out.exists():
            raise AtlasError(f"{out} exists already; choose another file, or remove it first")
        unfinished = part_of(out)
        try:
            with AtlasWriter.create(unfinished, overwrite=True) as writer, plain_errors(out):
                _Merging(writer, parts, progress).run()
            os.replace(unfinished, out)
        except BaseException:
            for leftover in (unfinished, *side_files(unfinished)):
                with suppress(OSError):
                    leftover.unlink(missing_ok=True)
            raise


class _Merging:
    """One merge. firsts: of each part the number that its first image gets."""

    def __init__(self, writer: AtlasWriter, parts: Sequence[Mergeable], progress: Progress) -> None:
        self.writer, self.parts, self.progress = writer, parts, progress
        self.firsts, self.count = list[int](), 0
        names = [part.scans[0].classes for part in parts]
        alike = all(own == names[0] for own in names)
        self.classes = names[0] if alike else tuple(sorted({name for own in names for name in own}))

    def run(self) -> None:
        """All of it, from the image rows to the mark that the run is complete."""
        for part in self.parts:
            self.firsts.append(self.count)
            self.count += self.writer.put_images_of(part.file, self.count)
        for part, first, behind in zip(self.parts, self.firsts, [*self.firsts[1:], self.count], strict=True):
            if {scan.listed for scan in part.scans} != {behind - first}:
                raise AtlasError(f"{part.path} is damaged: it does not hold all images that were scanned")
        self._require_once()
        self.writer.put_rows_of(self.parts[0].file, "node", "edge")
        layers = [layer.record for layer in self.parts[0].file.layers]
        for scan in self.parts[0].scans:
            mine = [layer for layer in layers if layer.node in scan.layers]
            self._join(scan, sorted(mine, key=lambda layer: scan.layers.index(layer.node)))
        self._finish(layers)

    def _require_once(self) -> None:
        """Raises UsageError, with some of them, where images are in two parts."""
        for content, how in ((False, "have the same names"), (True, "hold the same bytes")):
            found = list[tuple[int, int]]()
            count = 0
            for pair in self.writer.in_two_parts(self.firsts, content=content):
                count += 1
                if len(found) < NAMED:
                    found.append(pair)
            if found:
                raise UsageError(
                    f"{count:,} image{' is' if count == 1 else 's are'} in two of the atlases, for they {how}: "
                    f"{'; '.join(map(self._in_words, found))}; one build would count each once: build one of the "
                    "atlases again without these images"
                )

    def _in_words(self, pair: tuple[int, int]) -> str:
        records = self.writer.records(pair)
        of = [max(place for place, first in enumerate(self.firsts) if first <= image) for image in pair]
        named = [
            f'"{records[image].source}" of {self.parts[place].path}' for image, place in zip(pair, of, strict=True)
        ]
        return " and ".join(named)

    def _join(self, scan: ScanKept, layers: Sequence[LayerRecord]) -> None:
        """The sums of one scan of each part, their rows, and the sums for the next merge."""
        k, seed = self.parts[0].run.k, self.parts[0].run.settings["seed"]
        rule = SampleRule.of(self.count, layers, seed)
        totals = Totals(layers, k=k, classes=len(self.classes), sampled=rule.most)
        for part, first in zip(self.parts, self.firsts, strict=True):
            own = next(one for one in part.scans if one.layers == scan.layers)
            with plain_values(part.path):
                found = kept_totals(part.file, own, layers, k)
            places = [self.classes.index(name) for name in own.classes]
            join(totals, found, first=first, classes=places, limit=rule.limit)
        put_totals(self.writer, totals, layers, classes=self.classes, seed=seed)
        keep(self.writer, totals, replace(scan, classes=self.classes, listed=self.count, merged=True))

    def _finish(self, layers: Sequence[LayerRecord]) -> None:
        """What does not depend on the images, the pictures of those that are shown, and the run."""
        first = self.parts[0]
        with self.writer.transaction():
            self.writer.put_rows_of(first.file, "filter")
            for name in ("precision", "replay"):
                if (value := first.file.statistic(name)) is not None:
                    self.writer.put_statistic(name, value)
        shown = self._shown(layers)
        for part, begin, end in zip(self.parts, self.firsts, [*self.firsts[1:], self.count], strict=True):
            self.writer.put_pictures_of(part.file, begin, shown[(shown >= begin) & (shown < end)].tolist())
        self.writer.start_run(self._run())
        self.writer.finish_run()
        for sentence in [*copies_in_words(self.writer.copies()), *self._unlike_one_scan()]:
            self.progress.say(sentence)

    def _shown(self, layers: Sequence[LayerRecord]) -> np.ndarray:
        """The images of the peaks that are to have tiles: each part keeps small pictures of its own. Those of strata
        come with the boxes that say what to show of them."""
        settings, found = self.parts[0].settings, list[np.ndarray]()
        for layer in layers:
            peaks = self.writer.all_peaks(layer.node, settings.k, layer.units)
            found.append(np.unique(peaks.image[list(sampled_units(layer, settings))]))
        every = np.unique(np.concatenate(found))
        return every[every >= 0]

    def _run(self) -> RunRecord:
        first = self.parts[0].run
        names = dict.fromkeys(part.run.images for part in self.parts)
        return replace(
            first, images="; ".join(names), methods=(), fingerprint={**first.fingerprint, **self._told()}
        )  # fmt: skip

    def _told(self) -> dict[str, Any]:
        """What a source of all these images, in their order, would tell of them."""

        def listed() -> Iterator[str]:
            yield from (listed_as(record.source, record.size) for record in self.writer.images())
            yield from self.parts[0].scans[0].reading

        labels = (record.label for record in self.writer.images())
        return {"images": hash_of(listed()), "labels": labels_hash(self.classes, labels)}

    def _unlike_one_scan(self) -> list[str]:
        """What differs from one scan of all images, as a sentence; none where all parts but the last fill shards."""
        ragged = [
            f"{part.path} ({listed:,})"
            for part in self.parts[:-1]
            if (listed := part.scans[0].listed) % SHARD
        ]  # fmt: skip
        if not ragged:
            return []
        return [
            f"the images of {', '.join(ragged)} do not fill whole shards of {SHARD}: one build over all images would "
            "put the later ones at other places of their batches, so the last digits of activations may differ, and "
            "means over positions, colours and spectrum are taken on other images"
        ]
