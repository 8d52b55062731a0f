"""Model -> Graph: trace a network, know each of its operations by one row, and where each of its positions looks."""

from layerscope.graph.constants import WeightsRecipe
from layerscope.graph.fields import fields_of
from layerscope.graph.graph import Graph, Node
from layerscope.graph.in_step import Reading
from layerscope.graph.layers import layers_of
from layerscope.graph.program import Program, runner_of
from layerscope.graph.read import Read, graph_of_model, read
from layerscope.graph.replay import replay
from layerscope.graph.runner import Carrier, Runner, WayBack, visit
from layerscope.graph.trace import Traced, prepared, read_module, read_program, trace_module
from layerscope.graph.unloaded import without

__all__ = [
    "Carrier",
    "Graph",
    "Node",
    "Program",
    "Read",
    "Reading",
    "Runner",
    "Traced",
    "WayBack",
    "WeightsRecipe",
    "fields_of",
    "graph_of_model",
    "layers_of",
    "prepared",
    "read",
    "read_module",
    "read_program",
    "replay",
    "runner_of",
    "trace_module",
    "visit",
    "without",
]  # fmt: skip
