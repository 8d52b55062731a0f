"""Figures of an atlas: each a Sheet of plain data, drawn and saved on request. Matplotlib is loaded only to draw."""

from layerscope.figures.first_layer import filters
from layerscope.figures.made_of import unit_tree
from layerscope.figures.pages import unit_page
from layerscope.figures.plates import overview, plate
from layerscope.figures.sheet import Sheet
from layerscope.figures.tree import Bar, Chart, Grid, Mark, Panel, Tile

__all__ = [
    "Bar",
    "Chart",
    "Grid",
    "Mark",
    "Panel",
    "Sheet",
    "Tile",
    "filters",
    "overview",
    "plate",
    "unit_page",
    "unit_tree",
]
