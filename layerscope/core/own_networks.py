"""The networks that layerscope brings along, by name; how each is built stands in `models/named.py`.

They stand apart from all kinds of networks so that the command line knows them without waiting for anything.
"""

OURS = {
    "zfnet": "ZFNet as published, for 224 px; no weights are shipped",
    "zfnet64": "its design for 64 px, trained on Tiny ImageNet",
    "worldnet": "the same, smaller, trained on the visual world",
}
