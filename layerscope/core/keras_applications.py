"""The convolutional networks of keras.applications by name, and how each takes its pictures: plain words."""

import re

# Name -> the mode of its `preprocess_input`; "raw" where the network begins with layers that do it.
APPLICATIONS: dict[str, str] = {
    **dict.fromkeys(("ResNet50", "ResNet101", "ResNet152", "VGG16", "VGG19"), "caffe"),
    **dict.fromkeys(("ResNet50V2", "ResNet101V2", "ResNet152V2"), "tf"),
    **dict.fromkeys(("InceptionV3", "InceptionResNetV2", "Xception"), "tf"),
    **dict.fromkeys(("MobileNet", "MobileNetV2", "NASNetMobile", "NASNetLarge"), "tf"),
    **dict.fromkeys(("DenseNet121", "DenseNet169", "DenseNet201"), "torch"),
    **dict.fromkeys(("MobileNetV3Small", "MobileNetV3Large"), "raw"),
    **dict.fromkeys(tuple(f"EfficientNetB{size}" for size in range(8)), "raw"),
    **dict.fromkeys(tuple(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")), "raw"),
    **dict.fromkeys(tuple(f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")), "raw"),
}
PREFIX = "keras:"
PREPARED = "::"


def names() -> tuple[str, ...]:
    """All applications, as they are written."""
    return tuple(PREFIX + name for name in APPLICATIONS)


def is_application(network: object) -> bool:
    """Whether a text names an application: keras:NAME, with "/none" or "::MODE" behind it or without."""
    if not isinstance(network, str) or not network.startswith(PREFIX):
        return False
    return network.removeprefix(PREFIX).partition(PREPARED)[0].partition("/")[0] in APPLICATIONS


def is_keras(network: object) -> bool:
    """Whether something is a Keras file by its name, or a model of Keras that is held."""
    if isinstance(network, str):
        return network.removeprefix(PREFIX) not in ("", network) or network.partition(PREPARED)[0].endswith(".keras")
    return any(
        kind.__module__.partition(".")[0] in ("keras", "tf_keras", "tensorflow") and kind.__name__ in ("Layer", "Model")
        for kind in type(network).__mro__
    )


def mode_of(name: str) -> str | None:
    """The mode of an application by its own name or by the name that Keras gives the model ("resnet50v2")."""
    # MobileNets are named with their width and size: mobilenetv2_1.00_224.
    sized = re.match(r"(mobilenet(?:v2)?)_\d", name.lower())
    plain = sized[1] if sized else _plain(name)
    return next((mode for one, mode in APPLICATIONS.items() if _plain(one) == plain), None)


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
