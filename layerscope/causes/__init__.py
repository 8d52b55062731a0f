"""What follows from what in a network, by changing it and looking again: units taken out (`ablate`)."""

from layerscope.causes.ablate import ablate, require_class_output
from layerscope.causes.judging import Judge, judge_of
from layerscope.causes.units import Replacement

__all__ = ["Judge", "Replacement", "ablate", "judge_of", "require_class_output"]
