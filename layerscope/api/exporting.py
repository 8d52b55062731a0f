"""An atlas as a folder of pages that opens anywhere, or as a .zip file of them, without a server. No torch."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.api import before
from layerscope.api.atlas import Atlas
from layerscope.api.checked import checked
from layerscope.core import settings as s
from layerscope.core.networks import How
from layerscope.core.verbs import VERBS
from layerscope.viewer.export import ExportChoice, Plan, export_place, planned, remarks_on
from layerscope.viewer.export import export as write

if TYPE_CHECKING:
    from layerscope.api.network import Network
    from layerscope.core.progress import Progress
    from layerscope.models.types import Model


@dataclass(frozen=True, kw_only=True)
class Site:
    """An export, or what it would be.

    folder: where it is, a .zip file where zipped; None where nothing was written. files, bytes: how many, of a .zip
    file its own; estimates where nothing was written.
    layers, methods, views: what it shows. tile: the largest side of a tile, px; None where all are as stored.
    photographs: whether the images are in it. remarks: what a user should know beforehand, a sentence each.
    """

    folder: Path | None
    files: int
    bytes: int
    layers: tuple[str, ...]
    methods: tuple[str, ...]
    views: tuple[str, ...]
    tile: int | None
    photographs: bool
    remarks: tuple[str, ...]
    zipped: bool = False

    def data(self) -> dict[str, Any]:
        """As plain values: of an export where it is and how large, of a forecast all that it would hold."""
        if self.folder is not None:
            return {"zip" if self.zipped else "folder": str(self.folder), "files": self.files, "bytes": self.bytes}
        return {name: value for name, value in asdict(self).items() if name not in ("folder", "remarks", "zipped")}


@checked(VERBS["export"])
def export(
    atlas: Atlas | str | PathLike[str],
    folder: str | PathLike[str] | None = s.FOLDER.default,
    *,
    layers: str | Sequence[str] | None = None,
    tile: int | None = s.EXPORT_TILE.default,
    budget: int | str | None = s.BUDGET.default,
    photographs: bool = s.PHOTOGRAPHS.default,
    projections: bool = s.PROJECTIONS.default,
    zipped: bool = s.ZIPPED.default,
    url: str | None = s.SITE_URL.default,
    overwrite: bool = s.OVERWRITE.default,
    dry_run: bool = s.DRY_RUN.default,
    network: "Network | Model | None" = None,
    weights: str | PathLike[str] | None = s.WEIGHTS.default,
    trust: bool = s.TRUST.default,
    bind: Mapping[str, Any] | None = s.BIND.default,
    runtime: str | PathLike[str] | None = s.export_settings.RUNTIME.default,
    progress: "bool | Progress | None" = s.PROGRESS.default,
) -> Site:
    """Write an atlas as a folder of web pages that opens anywhere, without a server; all of it or nothing.

    folder: empty or new; needed but for dry_run, which only counts. layers: names or globs; None is all. tile: largest
    side of a tile, px. budget: bytes, or a text such as "200MB", that must do. photographs, projections: False leaves
    them out. zipped: folder is a .zip file, to be written in place of a folder. url: where the site will stand: links
    to copy and previews in chats say it. overwrite: replace an earlier export. network: the one that made the atlas, as
    `trace` takes it, to run in the reader's browser; weights, trust, bind: as for `trace`. runtime: npm's file of ONNX
    Runtime Web, which runs it, or its folder. progress: as for `build`. Raises UsageError and AtlasError, and
    TraceError for a network that a browser cannot run.
    """
    assert budget is None or isinstance(budget, int)  # a text was read when it was checked
    path = atlas.file.path if isinstance(atlas, Atlas) else Path(atlas)
    names = (layers,) if isinstance(layers, str) else tuple(layers or ())
    parted = tuple(part for name in names for part in name.split(",") if part)
    choice = ExportChoice(layers=parted, tile=tile, photographs=photographs, projections=projections, url=url or "")
    if folder is not None and not dry_run:
        place = export_place(folder, overwrite=overwrite, zipped=zipped)
        (before.require_file if zipped else before.require_fillable)(place, "the export")
    if network is not None:
        from layerscope.api.browser import browser_network

        before.require_weights(weights)
        choice = replace(choice, network=browser_network(path, choice, network, How.of(weights, trust, bind), runtime))
    with planned(path, choice, budget=budget) as plan:
        site = _site(plan, tuple(remarks_on(plan, asked=choice)))
    if folder is None or dry_run:
        return site
    from layerscope.api.bars import Bars

    with Bars() if progress is True else nullcontext(progress or None) as reporter:
        done = write(path, folder, choice, budget=budget, overwrite=overwrite, zipped=zipped, progress=reporter)
    return replace(site, folder=done.folder, files=done.files, bytes=done.bytes, zipped=zipped)


def _site(plan: Plan, remarks: tuple[str, ...]) -> Site:
    choice, run = plan.book.edition.choice, plan.book.run
    return Site(
        folder=None,
        files=plan.estimate.files,
        bytes=plan.estimate.bytes,
        layers=tuple(layer.name for layer in plan.book.layers),
        methods=tuple(run.methods),
        views=tuple(run.views),
        tile=choice.tile,
        photographs=choice.photographs,
        remarks=remarks,
    )
