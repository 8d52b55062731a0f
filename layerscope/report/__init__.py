"""A run told in plain words: one HTML page that a student can read, and the same figures as JSON."""

from layerscope.report.facts import Facts, LayerFacts, facts_of
from layerscope.report.opened import UnitPages
from layerscope.report.page import write_page

__all__ = ["Facts", "LayerFacts", "UnitPages", "facts_of", "write_page"]
