"""What units are used for: the score of a class, shared out among the units of every layer, image by image.

Of a seeded sample of the images the score that the network puts first, and that of the image's own class where it is
known, are carried back once, with all gates held. A unit's use for a class is the mean of what it sends over the images
that were asked for that class.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float32, Int64

from layerscope.atlas.write import AtlasWriter
from layerscope.core.engines import Made, Piece, in_turn
from layerscope.core.pieces import Job
from layerscope.core.progress import Clock
from layerscope.core.records import Input, LayerRecord
from layerscope.core.stages import USE
from layerscope.core.uses import AGAINST, FOR, MOST_IMAGES, ClassUse
from layerscope.graph import Carrier
from layerscope.pipeline.project_work import as_scanned
from layerscope.pipeline.working import ImageWork, images_at_once
from layerscope.project.cone import CachedMaps, Entries
from layerscope.project.shares import Sharing
from layerscope.sources import Source
from layerscope.training.classes import Outputs

# So many images are a piece; fewer where their maps are large.
GROUP = 8


@dataclass(frozen=True, eq=False)
class AskedImages:
    """Some images. outputs: of each the output that is right for it, -1 where that is not known. hashes: as they were
    scanned, by id."""

    ids: tuple[int, ...]
    outputs: tuple[int, ...]
    hashes: Mapping[int, str | None]


@dataclass(frozen=True, eq=False)
class SharedScores:
    """Scores of some outputs: outputs int64[m], and by layer's node what each of its units sends to them, [m, u]."""

    outputs: Int64[np.ndarray, " m"]
    amounts: Mapping[int, Float32[np.ndarray, "m u"]]


class UseWork(ImageWork):
    """Share scores out. sharing: of the node that says the classes."""

    sharing: Sharing

    def images_of(self, piece: Piece[AskedImages]) -> Sequence[int]:
        return piece.held.ids

    def __call__(self, pieces: Sequence[Piece[AskedImages]], /) -> Iterator[Made[SharedScores]]:
        self.settle()
        batches = self.source.batches(self.input, [piece.held.ids for piece in pieces], threads=self.threads, ahead=1)
        with closing(batches):  # type: ignore[type-var]
            yield from in_turn(pieces, lambda piece: self.clock.each("use", self._shared(piece.held, batches)))

    def _shared(self, images: AskedImages, batches: Iterator) -> Iterator[SharedScores]:
        batch = as_scanned(next(batches), images.hashes)
        sharing = self.sharing
        maps = self.runner.run(torch.from_numpy(batch.pixels), sharing.needed | {sharing.node})
        first = maps[sharing.node].float().argmax(1).cpu().numpy()
        asked = [
            (place, output)
            for place, (own, named) in enumerate(zip(first.tolist(), images.outputs, strict=True))
            for output in dict.fromkeys((own, named)) if output >= 0
        ]  # fmt: skip
        place, output = (np.array(column, np.int64) for column in zip(*asked, strict=True))
        zeros = np.zeros(len(asked), np.int64)
        entries = Entries(sharing.node, place, output, zeros, zeros)
        # Every score reads whole maps of its own.
        size = images_at_once(self.program, sharing.needed, GROUP)
        parts = [entries.part(slice(first, first + size)) for first in range(0, len(entries), size)]
        found = [sharing(part, CachedMaps(maps, part), np.zeros(len(part), bool)) for part in parts]
        amounts = {n: np.concatenate([one[n].amounts for one in found]).astype(np.float32) for n in sharing.earlier}
        yield SharedScores(output, amounts)


class Using(Job[AskedImages, SharedScores]):
    """Scores of a sample of the images, shared out. Each piece is kept beside its mark, until all are there.

    node: which says the classes. layers: whose units they are shared out among. refused: why nothing can be said.
    """

    stage = USE

    def __init__(
        self, writer: AtlasWriter, program: Carrier, source: Source, input: Input, node: int,
        layers: Sequence[LayerRecord], *, seed: int, clock: Clock, engine: str, threads: int,
    ) -> None:  # fmt: skip
        self.writer, self.clock = writer, clock
        sharing = Sharing(program, node, [layer.node for layer in layers])
        self.layers = [layer for layer in layers if layer.node in sharing.earlier]
        self.refused = sharing.refused
        self.label = f"use {node}<{','.join(str(layer.node) for layer in self.layers)}"
        self.work = UseWork(program, source, input, engine=engine, threads=threads)
        self.work.sharing, self.work.clock = sharing, clock
        outputs = Outputs(program.graph.nodes[node].shape[0], (), [], ((e.identity, e.label) for e in source.entries))
        self.names: dict[int, str] = {}
        for record in writer.used_records():
            if (place := outputs.index(record.source, record.label)) is not None:
                self.names[place] = str(record.label)
        drawn = np.random.default_rng([seed, 3]).permutation(np.fromiter(writer.used_images(), np.int64))
        ids = np.sort(drawn[:MOST_IMAGES]).tolist()
        records = writer.records(ids)
        right = {i: outputs.index(record.source, record.label) for i, record in records.items()}
        group = images_at_once(program, sharing.needed | {node}, GROUP)
        groups = [ids[first : first + group] for first in range(0, len(ids), group)]
        self.pieces = [
            Piece(number, len(own), AskedImages(tuple(own), _known(right, own), {i: records[i].sha256 for i in own}))
            for number, own in enumerate(groups)
        ]  # fmt: skip
        self._held = b""

    def put(self, piece: Piece[AskedImages], part: SharedScores) -> int:
        numbers = [part.amounts[layer.node] for layer in self.layers]
        self._held = b"".join([part.outputs.astype("<i8").tobytes(), *(n.astype("<f4").tobytes() for n in numbers)])
        return 0

    def payload(self, piece: Piece[AskedImages]) -> bytes:
        """All that was found of a piece: eight bytes an output, then four a unit and output, layer by layer."""
        held, self._held = self._held, b""
        return held

    def finish(self) -> None:
        """Store what every unit is used for, when all pieces are there; or why nothing can be said."""
        if not self.layers or not self.pieces:
            self.writer.put_statistic("use", {"refused": self.refused or "there are no images"})
            return
        units = sum(layer.units for layer in self.layers)
        outputs, amounts = list[np.ndarray](), list[list[np.ndarray]]()
        for piece in self.pieces:
            data = self.writer.payload(self.label, piece.number)
            count = len(data) // (8 + 4 * units)
            outputs.append(np.frombuffer(data[: 8 * count], "<i8"))
            ends = 2 * count + np.cumsum([0, *(layer.units * count for layer in self.layers)])
            flat = np.frombuffer(data, "<f4")
            amounts.append([flat[a:b].reshape(count, -1) for a, b in pairwise(ends)])
        every, counts = np.unique(np.concatenate(outputs), return_counts=True)
        which = np.searchsorted(every, np.concatenate(outputs))
        for index, layer in enumerate(self.layers):
            mean = np.zeros((len(every), layer.units))
            np.add.at(mean, which, np.concatenate([one[index] for one in amounts]).astype(np.float64))
            self.writer.put_used_for(layer.node, self._unit_uses(mean / counts[:, None], every, counts))
        self.writer.put_statistic("use", {"images": sum(piece.size for piece in self.pieces), "outputs": len(every)})

    def _unit_uses(
        self, mean: np.ndarray, every: np.ndarray, counts: np.ndarray
    ) -> Iterator[tuple[int, list[ClassUse]]]:
        for unit, amounts in enumerate(mean.T):
            falling, rising = np.argsort(-amounts, kind="stable"), np.argsort(amounts, kind="stable")
            chosen = [i for i in falling[:FOR] if amounts[i] > 0] + [i for i in rising[:AGAINST] if amounts[i] < 0]
            yield unit, [
                ClassUse(
                    output=int(every[i]), name=self.names.get(int(every[i]), str(every[i])), amount=float(amounts[i]),
                    images=int(counts[i]),
                )
                for i in chosen
            ]  # fmt: skip


def _known(right: Mapping[int, int | None], images: Sequence[int]) -> tuple[int, ...]:
    """The output that is right for each image, -1 where that is not known."""
    return tuple(-1 if (output := right[image]) is None else output for image in images)
