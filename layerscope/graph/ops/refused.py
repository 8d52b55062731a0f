"""Operations that are known and declined, each with the reason: better no picture than a wrong one."""

REASONS = {
    "aten.sigmoid": "a smooth gate: the deconvnet states no rule for it, and gates are not in the table yet",
    "aten.tanh": "the deconvnet states no rule for a saturating nonlinearity",
    "aten.silu": "the deconvnet states no rule for a nonlinearity that is not monotonic",
    "aten.gelu": "the deconvnet states no rule for a nonlinearity that is not monotonic",
    "aten.hardswish": "the deconvnet states no rule for a nonlinearity that is not monotonic",
    "aten.hardsigmoid": "a smooth gate: the deconvnet states no rule for it, and gates are not in the table yet",
    "aten.softmax": "it couples all units: no unit has a projection of its own",
    "aten.log_softmax": "it couples all units: no unit has a projection of its own",
    "aten.scaled_dot_product_attention": "attention has no receptive field: it is not a CNN's operation",
    "aten.bmm": "a product of two activations is not a CNN's operation",
}


def reason(target: str) -> str:
    """Why a target ("aten.sigmoid.default") has no row, as a clause."""
    return REASONS.get(target.rsplit(".", 1)[0], "it has no row in the operation table")
