"""THE table of Keras layers: for each class the function that makes its plan; a class without a row is called as it is.

The table goes by the names of Keras' own classes. What a user derives from one of them may compute something else, and
is called, too.
"""

from collections.abc import Callable
from typing import Any

from layerscope.models.keras import activations, filters, norms, pools, shapes
from layerscope.models.keras.plans import AxisPlan, TorchPlan, Unplanned

_NOTHING_IN_USE = (
    "ActivityRegularization", "AlphaDropout", "AugMix", "AutoContrast", "CutMix", "Dropout", "GaussianDropout",
    "GaussianNoise", "Identity", "MixUp", "RandAugment", "RandomBrightness", "RandomColorDegeneration",
    "RandomColorJitter", "RandomContrast", "RandomElasticTransform", "RandomErasing", "RandomFlip",
    "RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization",
    "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom",
    "SpatialDropout2D", "StochasticDepth",
)  # fmt: skip

# Class -> (layer, the model's order of axes, how many axes its input has) -> its plan; raises Unplanned.
ROWS: dict[str, Callable[[Any, AxisPlan, int], TorchPlan]] = {
    "Conv2D": filters.conv_plan,
    "DepthwiseConv2D": filters.depthwise_plan,
    "SeparableConv2D": filters.separable_plan,
    "Conv2DTranspose": filters.transposed_plan,
    "Dense": filters.dense_plan,
    "BatchNormalization": norms.batch_plan,
    "LayerNormalization": norms.layer_plan,
    "GroupNormalization": norms.group_plan,
    "UnitNormalization": norms.unit_plan,
    "Normalization": norms.normalization_plan,
    "Rescaling": norms.rescaling_plan,
    "MaxPooling2D": pools.max_plan,
    "AveragePooling2D": pools.average_plan,
    "GlobalMaxPooling2D": pools.global_max_plan,
    "GlobalAveragePooling2D": pools.global_average_plan,
    "AdaptiveAveragePooling2D": pools.adaptive_average_plan,
    "Activation": activations.activation_plan,
    "ReLU": activations.relu_plan,
    "LeakyReLU": activations.leaky_plan,
    "ELU": activations.elu_plan,
    "PReLU": activations.prelu_plan,
    "Softmax": activations.softmax_plan,
    "Add": shapes.sum_plan,
    "Subtract": shapes.difference_plan,
    "Multiply": shapes.product_plan,
    "Average": shapes.mean_plan,
    "Maximum": shapes.largest_plan,
    "Minimum": shapes.smallest_plan,
    "Concatenate": shapes.joined_plan,
    "Flatten": shapes.flat_plan,
    "Reshape": shapes.reshape_plan,
    "ZeroPadding2D": shapes.padding_plan,
    "Cropping2D": shapes.cropping_plan,
    "UpSampling2D": shapes.enlarging_plan,
    "Resizing": shapes.resizing_plan,
    **dict.fromkeys(_NOTHING_IN_USE, shapes.identity_plan),
}


def plan_of(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan | None:
    """The plan of a Keras layer whose first input has `rank` axes; None where Keras itself is to be called."""
    if not type(layer).__module__.startswith(("keras.src.layers.", "keras.src.applications.")):
        return None
    row = ROWS.get(type(layer).__name__)
    try:
        return None if row is None else row(layer, axes, rank)
    except Unplanned:
        return None
