"""A network's own forward beside ours, from picture files on: most wrong atlases come from a wrong preparation."""

import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layerscope.api import before
from layerscope.api.checked import checked
from layerscope.core import settings as s
from layerscope.core.beside import TraceCheck
from layerscope.core.errors import LayerscopeError, TraceError, UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.networks import How
from layerscope.core.records import Input
from layerscope.core.verbs import VERBS

if TYPE_CHECKING:
    from torch.nn import Module

    from layerscope.api.opening import Wanted
    from layerscope.models.loaded import Loaded, OwnForward
    from layerscope.sources.types import ImageFiles

# Rows and columns of the drawn pictures: lying, upright and square, and one that is enlarged.
SIZES = ((375, 500), (500, 333), (256, 256), (97, 141))


@checked(VERBS["trace_check"])
@plain_failures()
def trace_check(
    net: "Module | str | PathLike[str] | Wanted",
    images: "ImageFiles | None" = None,
    *,
    prepare: Callable[[Any], Any] | None = None,
    limit: int = s.COMPARED.default,
    orientation: s.Orientation = s.ORIENTATION.default,
    weights: str | PathLike[str] | None = s.WEIGHTS.default,
    trust: bool = s.TRUST.default,
    bind: Mapping[str, Any] | None = s.BIND.default,
    input: Input | None = s.INPUT.default,
) -> TraceCheck:
    """Run a network's own forward beside ours on one batch of picture files: its library's preparation and module.

    net, weights, input: as for `trace`. images: picture files, as `images` takes them; None draws some. prepare: what
    makes a picture of Pillow's the network's input [c, h, w], where the network does not bring it (a transform of
    torchvision's, say). limit: how many pictures. orientation: as for `images`. The result says how far inputs,
    layers and outputs are apart, and what of the preparation differs. Raises TraceError, UsageError, ImageError.
    """
    before.require_weights(weights)
    from layerscope.models.loaded import picture_by_picture

    with _files(images, limit, orientation) as files:
        loaded, expected = _opened(net, How.of(weights, trust, bind), input)
        own = loaded.own
        if prepare is not None:
            run = None if own is None else own.run
            own = replace(picture_by_picture("the function of prepare=", prepare), run=run)
        if own is None:
            raise UsageError(
                f"{loaded.name} does not say how its own software prepares pictures: give prepare=, or in a .py file "
                "PREPARE, a function that makes a picture of Pillow's the network's input [c, h, w]"
            )
        return _compared(loaded, expected, own, files, orientation)


def _opened(net: Any, how: How, input: Input | None) -> "tuple[Loaded, Input]":
    """The network, and what it expects."""
    from layerscope.api.opening import Wanted, loaded_for, overruled

    wanted = net if isinstance(net, Wanted) else None
    loaded = loaded_for(wanted.spec if wanted else net, how)
    return loaded, input or overruled(loaded.input, wanted.given if wanted else {}, loaded.name)


def _compared(
    loaded: "Loaded", expected: Input, own: "OwnForward", files: Sequence[Path], orientation: s.Orientation
) -> TraceCheck:
    import torch

    from layerscope.api.preparation import why
    from layerscope.graph.beside import Pair
    from layerscope.sources import open_source

    source = open_source([str(file) for file in files], orientation=orientation)
    ours = torch.as_tensor(np.ascontiguousarray(source.load(range(len(files)), expected).pixels))
    # Where nobody says how its pictures are prepared, only what is made of them is compared.
    theirs = ours if own.prepare is None else _prepared(own.prepare, own.sentence, files)
    fields: dict[str, Any] = {"network": loaded.name, "own": own.sentence, "pictures": len(files)}
    fields["levels"], fields["mean_levels"] = _levels(theirs.numpy(), ours.numpy(), expected)
    if not TraceCheck(**fields).fed_alike:
        fields["cause"], fields["advice"] = why(files[:2], theirs.numpy()[:2], expected, orientation)
    if theirs.shape != ours.shape:
        return TraceCheck(**fields)
    pair = Pair(loaded.model, expected, loaded.unloaded)
    returned = None if own.run is None else list(own.run(theirs))
    along = pair.apart(theirs, ours, returned)
    same = along if bool(torch.equal(theirs, ours)) else pair.apart(theirs, theirs, returned)
    at, reading = (same.first, same.gaps[same.first]) if same.first else same.largest
    where, worst = (along.first, along.gaps[along.first]) if along.first else along.largest
    return TraceCheck(
        **fields, layers=len(along.gaps) - len(along.outputs), outputs=len(along.outputs),
        gaps={name: along.gaps[name] for name in along.outputs}, where=where if along.first else "", worst=worst,
        reading=reading, read_at=at, bound=along.bound,
    )  # fmt: skip


def _prepared(prepare: Callable[[Sequence[Path]], Any], sentence: str, files: Sequence[Path]) -> Any:
    """The pictures as the other software prepares them, float32[n, c, h, w]. Raises TraceError."""
    import torch

    try:
        prepared = torch.as_tensor(prepare(files)).detach().float().contiguous()
    except LayerscopeError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:240]
        raise TraceError(f"{sentence} does not prepare these pictures: {type(error).__name__}: {said}") from error
    if prepared.dim() != 4 or len(prepared) != len(files):
        raise TraceError(
            f"{sentence} gives {list(prepared.shape)} for {len(files)} pictures; expected a tensor [c, h, w] each"
        )
    return prepared


def _levels(theirs: Any, ours: Any, expected: Input) -> tuple[float, float]:
    """The largest and the mean difference of two inputs in gray levels of 255; infinite where their shapes differ."""
    if theirs.shape != ours.shape:
        return float("inf"), float("inf")
    std = np.asarray(expected.std, np.float64).reshape(1, -1, 1, 1)
    apart = np.nan_to_num(np.abs(theirs.astype(np.float64) - ours) * std * 255, nan=np.inf)
    return float(apart.max()), float(apart.mean())


@contextmanager
def _files(images: "ImageFiles | None", limit: int, orientation: s.Orientation) -> Generator[list[Path], None, None]:
    """Picture files that can be read: the user's first, or drawn ones for the time being."""
    if images is None:
        with tempfile.TemporaryDirectory() as folder:
            yield _drawn(Path(folder))[:limit]
        return
    from layerscope.sources import open_source

    source = open_source(images, orientation=orientation)
    held = [entry for entry in source.entries if entry.path and not entry.offset]
    if not held:
        raise UsageError("trace-check compares picture files: give a folder, a glob or a list of them")
    files = [Path(entry.path) for entry in held[: 4 * limit]]
    broken = {record.source for record in open_source(list(map(str, files)), orientation=orientation).check()}
    sound = [file for file in files if file.name not in {Path(name).name for name in broken}]
    if not sound:
        raise UsageError("none of the first pictures can be read: give others to compare with")
    yield sound[:limit]


def _drawn(folder: Path) -> list[Path]:
    """Seeded pictures of soft colours, edges and grain in several shapes."""
    from PIL import Image

    random, files = np.random.default_rng(0), list[Path]()
    for index, (rows, cols) in enumerate(SIZES):
        soft = Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8)).resize(
            (cols, rows), Image.Resampling.BICUBIC
        )
        hard = Image.fromarray(random.integers(0, 256, (11, 13, 3), np.uint8)).resize(
            (cols, rows), Image.Resampling.NEAREST
        )
        grain = random.normal(0, 12, (rows, cols, 3))
        pixels = np.clip(0.6 * np.asarray(soft) + 0.4 * np.asarray(hard) + grain, 0, 255).astype(np.uint8)
        files.append(folder / f"{index}.png")
        Image.fromarray(pixels).save(files[-1])
    return files
