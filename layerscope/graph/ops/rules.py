"""How a method carries a signal back through an operation: one rule, and what it reads.

A row states its rules by the methods' names, a method of a guest by the operations' names; whoever states none goes by
the operation's gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from layerscope.graph.ops.calls import Call

# Carries the signal [m, ...] at a call's output to its inputs: one signal per input, in the order of the sources.
Back = Callable[[Tensor, Call], tuple[Tensor, ...]]


def _nothing(call: Call) -> frozenset[int]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    back: the function; each entry of its signal by itself. inputs: it reads `call.tensors`, the values that the call
    was made on. output: it reads `call.output`. What it does not say it reads it is not given, and nothing is kept for
    it; the weights are always there, in the call's arguments. word: what it is, in tables. skips: the inputs of a call
    to which it sends nothing, a gate that counts as a constant: what lies before them is not gone through. over: a
    function that gives the very same and may write over the signal, for signals that nobody else reads.
    """

    back: Back
    inputs: bool = False
    output: bool = False
    word: str = "own"
    skips: Callable[[Call], frozenset[int]] = _nothing
    over: Back | None = None

    def __call__(self, signal: Tensor, call: Call) -> tuple[Tensor, ...]:
        return self.back(signal, call)


# What of its output a call gives whatever its inputs are: [1 or m, ...], to be spread; None where there is nothing.
Beside = Callable[[Call], Tensor | None]


@dataclass(frozen=True, slots=True)
class HeldGates:
    """What an operation is while its gates are held: the open rectifiers, the chosen numbers, the statistics of a
    normalisation. Then its output is the sum of what its inputs send it and of what it gives beside them.

    rule: carries a signal to the inputs by that sum's own factors; the gradient where there is none. beside: what does
    not come from the inputs; it reads what the rule reads. note: what counts as a constant here and need not, a clause.
    """

    rule: Rule | None = None
    beside: Beside | None = None
    note: str = ""


def vjp(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """The gradient rule of any operation: the vector-Jacobian product, by autograd, at the call's inputs."""
    inputs = call.tensors or tuple(signal.new_zeros((signal.shape[0], *shape)) for shape in call.inputs)
    inputs = tuple(x.detach().requires_grad_() for x in inputs)
    with torch.enable_grad():
        output = call.run(*inputs)
    return torch.autograd.grad(output, inputs, signal, allow_unused=True, materialize_grads=True)


GRADIENT = Rule(vjp, inputs=True, word="gradient")


def adjoint(back: Back) -> Rule:
    """The gradient of a linear operation, which reads nothing but its weights."""
    return Rule(back, word="gradient")


def derivative(back: Back) -> Rule:
    """The gradient of an operation that is not linear, written out."""
    return Rule(back, inputs=True, word="gradient")


def holding(back: Back) -> Rule:
    """A rule of held gates that multiplies by what an operation multiplied by."""
    return Rule(back, inputs=True, word="held")


def constant_output(note: str) -> HeldGates:
    """Of an operation whose output counts as a constant: nothing comes from its inputs."""
    return HeldGates(holding(_sends_nothing), lambda call: call.run(*call.tensors), note)


def _sends_nothing(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return tuple(signal.new_zeros((signal.shape[0], *shape)) for shape in call.inputs)


def rectifying(signal: Back, gradient: Rule, over: Back | None = None) -> dict[str, Rule]:
    """The rules of an activation: the deconvnet does to the signal what the activation does to its input, whatever that
    was; guided takes the gradient of that (Springenberg et al. 2014, section 3.4).

    signal: the deconvnet's rule, which reads no values. gradient: the activation's own. over: as in `Rule`, the
    deconvnet's.
    """

    def after(rectified: Back) -> Back:
        return lambda given, call: gradient(rectified(given, call)[0], call)

    both = Rule(after(signal), gradient.inputs, gradient.output, word="both", over=after(over) if over else None)
    return {"deconvnet": Rule(signal, over=over), "guided": both}
