"""Local response normalisation, put together again from the calls that exporting leaves of it.

`x / (k + alpha * mean of x^2 over neighbouring channels) ^ beta` arrives as multiplication, view, pad, average pooling,
squeeze, view, scaling, shift, power and division. The chain is walked backwards from each division; anything that
differs from it in one link is left alone.
"""

from typing import Any, TypeGuard

from torch.fx import Graph, Node


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
    if not _is(power, "pow.Tensor_Scalar"):
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
    kernel = tuple(mean.args[1])
    links.append(mean)
    square = mean.args[0]
    while _is(square, "view.default", "pad.default", "constant_pad_nd.default", "unsqueeze.default"):
        links.append(square)
        square = square.args[0]
    if not _is(square, "mul.Tensor") or square.args[:2] != (x, x) or kernel[1:] != (1, 1):
        return None
    arguments = {"input": x, "size": kernel[0], "alpha": float(alpha), "beta": float(beta), "k": float(k)}
    return arguments, [*links, square]
