"""The one place that joins the rooms: trace, scan, project, write; resumable at every step."""

from layerscope.pipeline.build import Build
from layerscope.pipeline.settings import Settings

__all__ = ["Build", "Settings"]
