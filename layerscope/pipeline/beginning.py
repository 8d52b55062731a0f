"""How a run begins: is it the run that the file holds, and what is noted of it before anything is made."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from layerscope.atlas.records import EdgeRecord, NodeRecord, RunRecord
from layerscope.atlas.write import AtlasWriter
from layerscope.core.engines import DEFAULT_ENGINE, Engine
from layerscope.core.errors import AtlasError, UsageError, WrongModel
from layerscope.core.records import Input, LayerRecord
from layerscope.core.replay import Replay
from layerscope.graph import Carrier, Graph
from layerscope.pipeline.settings import Settings, differences, versions


def of_engine(engine: Engine) -> dict[str, str]:
    """An engine's part in a run's fingerprint: none where its numbers are those of the engine local."""
    return {} if engine.exact else {"engine": engine.name}


def require_fit(engine: Engine, program: Carrier) -> None:
    """Raises UsageError where an engine cannot run a network here."""
    why = engine.unfit(program) if engine.unfit is not None else ""
    if why:
        raise UsageError(f'the engine "{engine.name}" cannot be used: {why}; use the engine {DEFAULT_ENGINE}')


def require_same_run(path: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Raises WrongModel, naming what differs, where a file holds another run."""
    plain = {"engine": DEFAULT_ENGINE}
    differing = differences(plain | old, plain | new)
    if differing:
        raise WrongModel(f"{path} holds another run: {'; '.join(differing)}; choose another file, or overwrite it")


def require_originals(writer: AtlasWriter, path: Path, unscanned: Sequence[LayerRecord]) -> None:
    """Raises AtlasError where layers are to join others that were scanned with the copies of images."""
    counted = writer.statistic("images")
    own = sum(1 for _ in writer.used_images())
    if counted is not None and counted > own and unscanned:
        raise AtlasError(
            f"{path} was made by an earlier layerscope, which counted {counted - own:,} copies of images as images "
            "of their own; no layers can be added to it: choose another file, or overwrite it"
        )


def note(
    writer: AtlasWriter, graph: Graph, *, network: str, images: str, input: Input, settings: Settings,
    fingerprint: dict[str, Any], replay: Replay | None,
) -> None:  # fmt: skip
    """Note the run, unless the latest one is the same and unfinished, with the graph and its replay."""
    old = writer.run
    wanted = list(dict.fromkeys([*(old.methods if old else ()), *settings.methods]))
    run = RunRecord(
        network=network, images=images, k=settings.k, methods=tuple(wanted), views=settings.views, input=input,
        settings=json.loads(json.dumps(asdict(settings))), fingerprint=fingerprint, versions=versions(),
    )  # fmt: skip
    with writer.transaction():
        writer.add_later_tables()
        if old is None or old.finished or old.methods != run.methods:
            writer.start_run(run)
        _put_graph(writer, graph)
        if replay is not None:
            writer.put_statistic("replay", replay.data())


def _put_graph(writer: AtlasWriter, graph: Graph) -> None:
    writer.put_nodes(
        NodeRecord(
            id=n.id, name=n.name, op=n.op, module=n.module, shape=n.shape,
            args={key: _plain(value) for key, value in n.args.items()},
        )
        for n in graph.nodes
    )  # fmt: skip
    writer.put_edges(
        EdgeRecord(node=n.id, position=place, source=source)
        for n in graph.nodes
        for place, source in enumerate(n.sources)
    )


def _plain(value: Any) -> Any:
    """An argument as JSON can hold it: weights by name, inputs by number."""
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
