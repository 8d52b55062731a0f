"""Operations that are known and declined, each with the reason: better no picture than a wrong one."""

_RANDOM = (
    "it draws random numbers anew in every run: dropout that is on in evaluation too (F.dropout without "
    "training=self.training), or noise"
)
_STATISTICS = (
    "it normalises by the mean and variance of the very values that it gets, so that all places of a map, or all "
    "pictures of a batch, hang together"
)
_FLAT = "one- and three-dimensional networks are not known, only those of pictures"
_TYPE = (
    "it changes the number type in the middle of the network (autocast, .half() or .float() in forward); give the "
    "whole model one type"
)
_MADE = "it makes a tensor in the shape of another, which is no constant while the number of pictures is free"

REASONS = {
    "aten.log_softmax": "it couples all units: no unit has a projection of its own",
    "aten.scaled_dot_product_attention": "attention has no receptive field: it is not a CNN's operation",
    "aten.bmm": "a product of two activations is not a CNN's operation",
    **dict.fromkeys(("aten._native_batch_norm_legit", "aten._native_batch_norm_legit_functional"), _STATISTICS),
    "aten.native_batch_norm": _STATISTICS,
    **dict.fromkeys(("aten.bernoulli", "aten.dropout", "aten.native_dropout", "aten.rand", "aten.rand_like"), _RANDOM),
    **dict.fromkeys(("aten.randn", "aten.randn_like", "aten.randint", "aten.randperm", "aten.normal"), _RANDOM),
    **dict.fromkeys(("aten.conv1d", "aten.conv3d", "aten.max_pool1d", "aten.max_pool3d", "aten.avg_pool1d"), _FLAT),
    **dict.fromkeys(("aten.avg_pool3d", "aten.adaptive_avg_pool1d", "aten.adaptive_avg_pool3d"), _FLAT),
    **dict.fromkeys(("aten.zeros_like", "aten.ones_like", "aten.full_like", "aten.new_zeros", "aten.new_ones"), _MADE),
    **dict.fromkeys(("aten.new_empty", "aten.empty_like", "aten.zeros", "aten.ones", "aten.full", "aten.empty"), _MADE),
    "aten._to_copy": _TYPE,
}


def reason(target: str) -> str:
    """Why a target ("aten.sigmoid.default") has no row, as a clause."""
    return REASONS.get(target.rsplit(".", 1)[0], "it has no row in the operation table")
