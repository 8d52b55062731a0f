"""The one place that joins the rooms: trace, scan, project, write; resumable at every step."""

from layerscope.pipeline.build import Build
from layerscope.pipeline.check import CheckReport, check_atlas
from layerscope.pipeline.forecast import Forecast, forecast_build
from layerscope.pipeline.settings import Settings

__all__ = ["Build", "CheckReport", "Forecast", "Settings", "check_atlas", "forecast_build"]
