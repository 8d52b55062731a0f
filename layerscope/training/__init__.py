"""Train the networks that layerscope brings along, on one machine, and measure them."""

from layerscope.training.evaluate import evaluate
from layerscope.training.train import train

__all__ = ["evaluate", "train"]
