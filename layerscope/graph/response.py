"""Local response normalisation, put together again from the calls that exporting leaves of it.

`x / (k + alpha * mean of x^2 over neighbouring channels) ^ beta` arrives as multiplication, view, pad, average pooling,
squeeze, view, scaling, shift, power and division. The chain is walked backwards from each division; anything that
differs from it in one link is left alone.
"""

from typing import Any, TypeGuard

from torch.fx import Graph, Node

from layerscope.graph.args import bind


def find(graph: Graph) -> tuple[dict[Node, dict[str, Any]], set[Node]]:
    """The divisions that end such a chain, each with the arguments of the whole; and the nodes inside the chains."""
    found: dict[Node, dict[str, Any]] = {}
    inner: set[Node] = set()
    for node in graph.nodes:
        matched = _match(node) if _is(node, "div.Tensor") else None
        if matched is not None:
            arguments, links = matched
            found[node] = arguments
            inner.update(links)
    return found, inner


def _is(node: Any, *names: str) -> TypeGuard[Any]:
    return isinstance(node, Node) and node.op == "call_function" and str(node.target) in {f"aten.{n}" for n in names}


def _match(division: Node) -> tuple[dict[str, Any], list[Node]] | None:
    x, power, *_ = division.args
    if not isinstance(x, Node) or not _is(power, "pow.Tensor_Scalar"):
        return None
    shift, beta = power.args[:2]
    if not _is(shift, "add.Tensor") or isinstance(shift.args[1], Node):
        return None
    scale, k = shift.args[:2]
    if not _is(scale, "mul.Tensor") or isinstance(scale.args[1], Node):
        return None
    mean, alpha = scale.args[:2]
    links = [power, shift, scale]
    while _is(mean, "view.default", "squeeze.dim"):
        links.append(mean)
        mean = mean.args[0]
    if not _is(mean, "avg_pool3d.default"):
        return None
    pool = bind(mean.target, mean.args, mean.kwargs)
    links.append(mean)
    square, padded = mean.args[0], ()
    while _is(square, "view.default", "pad.default", "constant_pad_nd.default", "unsqueeze.default"):
        if not _is(square, "view.default", "unsqueeze.default"):
            plain = all(v in (0, "constant", None) for v in (*square.args[2:], *square.kwargs.values()))
            padded = tuple(square.args[1]) if plain else None
        links.append(square)
        square = square.args[0]
    if not _is(square, "mul.Tensor") or square.args[:2] != (x, x) or not _slides(pool, padded, x):
        return None
    size = pool["kernel_size"][0]
    arguments = {"input": x, "size": size, "alpha": float(alpha), "beta": float(beta), "k": float(k)}
    return arguments, [*links, square]


def _slides(pool: dict[str, Any], padded: tuple[int, ...] | None, x: Node) -> bool:
    """True where the mean is over neighbouring channels of each picture: axis 1 is a dummy, axis 2 the channels."""
    size, *others = pool["kernel_size"]
    pooled = tuple(pool["self"].meta["val"].shape)
    channels = x.meta["val"].shape[1] + size - 1
    return (
        others == [1, 1]
        and set(pool["stride"]) <= {1}
        and set(pool["padding"] if isinstance(pool["padding"], tuple) else (pool["padding"],)) == {0}
        and pool["divisor_override"] is None
        and padded == (0, 0, 0, 0, size // 2, (size - 1) // 2)
        and pooled[:3] == (x.meta["val"].shape[0], 1, channels)
    )
