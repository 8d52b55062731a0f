"""Model -> Graph: trace a network, know each of its operations by one row, and where each of its positions looks."""

from layerscope.graph.constants import Recipe
from layerscope.graph.fields import fields_of
from layerscope.graph.graph import Graph, Node
from layerscope.graph.layers import layers_of
from layerscope.graph.program import Program
from layerscope.graph.trace import Traced, prepared, read_program, trace_module
from layerscope.graph.unloaded import without

__all__ = [
    "Graph", "Node", "Program", "Recipe", "Traced", "fields_of", "layers_of", "prepared", "read_program",
    "trace_module", "without",
]  # fmt: skip
