"""Where units of an atlas have pages, for a report that lies beside it: on a server, and in an export. No torch."""

from pathlib import Path

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.report import UnitPages
from layerscope.viewer.addresses import ServerLinks, folders_of
from layerscope.viewer.pages import PAGES
from layerscope.viewer.shelf import slugs_of


def pages_beside(file: AtlasFile, site: Path) -> UnitPages:
    """The pages of the atlas's units, as `serve` gives them, and in an export.

    site: the export's folder, which lies beside the report; it may not be there, or hold some of the units only.
    """
    (slug,) = slugs_of([file.path])
    links, folders = ServerLinks(slug, "", {}), folders_of(file.layers)

    def exported(layer: AtlasLayerRecord, unit: int) -> str:
        path = PAGES.known("unit").path({"layer": folders[layer.id], "unit": str(unit)})
        return f"{site.name}/{path}" if (site / path).is_file() else ""

    return UnitPages(
        below=lambda layer, unit: links.below("unit", layer, unit),
        served=links.page("lesson"),
        exported=exported,
    )
