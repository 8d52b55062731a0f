"""Histories of an atlas: whatever was done to it, in whatever order, it is what a straight build makes."""

import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import layerscope as ls
from layerscope.api.verbs import check
from layerscope.atlas.compare import content_digest
from tests.helpers.building import die, in_a_child
from tests.reliability.commands import BESIDE, METHODS, Bench
from tests.reliability.meter import Meter
from tests.reliability.seams import SEAMS
from tests.reliability.subject import ALL_LAYERS, LAYERS

Wish = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass
class World:
    """What all histories share: the bench, and what straight builds make, by wish and by the wish of a dissection."""

    bench: Bench
    straight: dict[tuple[Wish, Wish | None], dict[str, str]] = field(default_factory=dict)
    number: int = 0

    def room(self) -> Path:
        self.number += 1
        room = self.bench.folder / f"history-{self.number}"
        room.mkdir()
        return room

    def wished(self, wish: Wish, dissected: Wish | None) -> dict[str, str]:
        """The rows of one undisturbed build of these layers and methods; dissected when it had others, if at all."""
        if (wish, dissected) not in self.straight:
            out = self.room() / "a.atlas"
            if dissected is not None:
                self.bench.build(out, *dissected)
                self.bench.dissect(out)
            self.bench.build(out, *wish)
            self.straight[wish, dissected] = content_digest(out)
        return self.straight[wish, dissected]


def halves(atlas: ls.Atlas) -> list[str]:
    """What a reader sees of an atlas that no finished piece of work can have left."""
    found, file = [], atlas.file
    for layer in file.layers:
        live = frozenset(np.flatnonzero(file.all_peaks(layer.id).image[:, 0] >= 0).tolist())
        if len(file.unit_statistics(layer.id).mean) != layer.record.units or not live:
            found.append(f"{layer.record.name}: some of its units")
        kinds = [("patches", "", ""), *(("projections", m, v) for m in METHODS for v in ("natural", "signal"))]
        for kind in kinds:
            if file.units_with_sheets(layer.id, *kind) not in (frozenset(), live):
                found.append(f"{layer.record.name}: some of its {' '.join(kind)}")
    return found


def histories(world: World) -> type[RuleBasedStateMachine]:
    """The machine over this world."""

    class Histories(RuleBasedStateMachine):
        """Builds, kills, additions, dissections, exports, copies and readers, as they come."""

        def __init__(self) -> None:
            super().__init__()
            self.room = world.room()
            self.path = self.room / "a.atlas"
            self.layers, self.methods = LAYERS[:1], METHODS[:1]
            self.finished = self.killed = False
            self.dissected: Wish | None = None

        def teardown(self) -> None:
            shutil.rmtree(self.room)

        @property
        def wish(self) -> Wish:
            return self.layers, self.methods

        def _build(self, **options: object) -> None:
            world.bench.build(self.path, *self.wish, **options)
            self.finished, self.killed = True, False

        @initialize()
        def begin(self) -> None:
            self._build()

        @rule()
        def build(self) -> None:
            self._build()

        @rule(part=st.floats(0, 1), seam=st.sampled_from(["statement", "row", "write"]))
        def kill(self, part: float, seam: str) -> None:
            """The process ends at one of its events; a build that is complete has few of them."""
            events = {"statement": 200, "row": 390, "write": 30}[seam]
            meter = Meter(world.bench.folder, 1 + int(part * events), lambda place: die())

            def dying() -> None:
                with SEAMS[seam](meter):
                    world.bench.build(self.path, *self.wish)

            died = in_a_child(dying) == signal.SIGKILL
            self.killed, self.finished = self.killed or died, self.finished or not died

        @rule(kill=st.booleans(), part=st.floats(0, 1))
        def add_a_layer(self, kill: bool, part: float) -> None:
            self.layers, self.finished = ALL_LAYERS[: len(self.layers) + 1], False
            self.kill(part, "row") if kill else self._build()

        @rule(kill=st.booleans(), part=st.floats(0, 1))
        def add_a_method(self, kill: bool, part: float) -> None:
            self.methods, self.finished = METHODS, False
            self.kill(part, "row") if kill else self._build()

        @rule(number=st.integers(1, 150))
        def read_while_it_is_written(self, number: int) -> None:
            """Another connection opens it between two statements of the build."""
            self.layers, self.finished = ALL_LAYERS[: len(self.layers) + 1], False
            meter = Meter(world.bench.folder, number, lambda place: self._read())
            with SEAMS["statement"](meter):
                self._build()

        def _read(self) -> None:
            with ls.open(self.path) as atlas:
                assert halves(atlas) == []

        @precondition(lambda self: self.finished)
        @rule()
        def dissect(self) -> None:
            world.bench.dissect(self.path)
            self.dissected, self.killed = self.wish, False

        @rule()
        def export(self) -> None:
            world.bench.export(self.path, self.room / "site", overwrite=True)

        @rule()
        def copy_elsewhere(self) -> None:
            """The file and what lies beside it, as the docs say; what was killed goes on there."""
            elsewhere = world.room()
            for file in self.room.glob("a.atlas*"):
                shutil.copy(file, elsewhere / file.name)
            shutil.rmtree(self.room)
            self.room, self.path = elsewhere, elsewhere / "a.atlas"

        @rule()
        def overwrite(self) -> None:
            self._build(overwrite=True)
            self.dissected = None

        @precondition(lambda self: self.finished)
        @rule()
        def check(self) -> None:
            report = check(self.path, world.bench.net, ls.images(world.bench.images))
            assert report.peaks and not report.failed

        @invariant()
        def it_opens(self) -> None:
            self._read()

        @invariant()
        def it_is_what_a_straight_build_makes(self) -> None:
            if self.finished:
                assert content_digest(self.path) == world.wished(self.wish, self.dissected)

        @invariant()
        def nothing_is_left(self) -> None:
            if not self.killed:
                assert [file.name for pattern in BESIDE for file in self.room.glob(pattern)] == []

    return Histories
