"""A part of the table of settings (`core/settings.py`): what is asked of causes, of units taken out of a network."""

from layerscope.core.sequences import LayersUnits
from layerscope.core.setting import Setting
from layerscope.core.texts import Held
from layerscope.core.values import Flag, Maybe, Number, Whole

CHANGED_UNITS = Setting(
    "units", LayersUnits(), "a layer and the units to change in it, such as `layer4:17,23-25`; repeatable",
    metavar="LAYER:LIST",
)  # fmt: skip
OWN_PREDICTIONS = Setting(
    "own_predictions", Flag(), "judge by what the whole network says, in place of classes that images have", False
)
TO_MEAN = Setting("to_mean", Flag(), "each unit to its mean in the atlas, in place of zero", False)
SCALE = Setting("scale", Maybe(Number()), "each unit times F, in place of zero", None, metavar="F")
DRAWS = Setting(
    "draws", Whole(0, 1000), "so many draws of as many other units of the same layers, to compare with", 5, metavar="N"
)
MOST = Setting("most", Whole(0), "how many of the images that change most are told", 9, metavar="N")
PREDICTED = Setting(
    "predicted", Held("a sequence of float, or None"), "for each output the loss that is expected, to be held to", None,
    shell=False,
)  # fmt: skip
