"""Activations that other libraries let their users choose, and cells that have them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..compiler import (
    Cell,
    Expr,
    abs_,
    exp,
    maximum,
    minimum,
    relu,
    sigmoid,
    softplus,
    tanh,
    where,
)
from ..compiler.transform import rewritten

Activation = Callable[[Expr], Expr]

ACTIVATIONS: dict[str, tuple[Callable[..., Expr], tuple[float, ...]]] = {
    "affine": (lambda x, a, b: a * x + b, (1.0, 0.0)),
    "elu": (lambda x, a: relu(x) + a * (exp(minimum(x, 0)) - 1), (1.0,)),
    "hardsigmoid": (lambda x, a, b: maximum(minimum(a * x + b, 1), 0), (0.2, 0.5)),
    "leakyrelu": (lambda x, a: where(x < 0, a * x, x), (0.01,)),
    "relu": (relu, ()),
    "scaledtanh": (lambda x, a, b: a * tanh(b * x), (1.0, 1.0)),
    "sigmoid": (sigmoid, ()),
    "softplus": (softplus, ()),
    "softsign": (lambda x: x / (1 + abs_(x)), ()),
    "tanh": (tanh, ()),
    "thresholdedrelu": (lambda x, a: where(x > a, x, 0), (1.0,)),
}
"""ONNX's names in small letters: what each computes, and its alpha and beta if none are given."""


def activation(name: str, *numbers: float) -> Activation:
    """Give an activation by its key of `ACTIVATIONS`, with the given alpha and beta or its own.

    Example:
        >>> from gatewise.compiler.expr import evaluate, var
        >>> evaluate([activation("hardsigmoid", 1.0, 0.0)(var("x"))], {"x": 0.25})
        [0.25]
    """
    function, defaults = ACTIVATIONS[name]
    given = (*numbers, *defaults[len(numbers) :])
    return lambda x: function(x, *given)


def activated(
    cell: Cell, name: str, gate: Activation, candidate: Activation, output: Activation
) -> Cell:
    """Put other activations into the equations of a cell.

    Args:
        cell: Equations whose gates are sigmoids, and whose candidate and output are tanhs.
        name: What the new cell is called.
        gate: In the place of the sigmoids.
        candidate: In the place of the tanh of a row block, such as the LSTM's g.
        output: In the place of the tanh of anything else, such as the LSTM's c.

    Example:
        >>> from gatewise.cells import elman
        >>> activated(elman, "linear", sigmoid, lambda x: x, tanh).outputs
        (var('a'),)
    """

    def rule(node: Expr) -> Expr:
        if node.op == "sigmoid":
            return gate(node.args[0])
        if node.op == "tanh":
            return (candidate if node.args[0].op == "var" else output)(node.args[0])
        return node

    outputs, labels = rewritten(cell, rule)
    # A label is for what is computed: an activation that does nothing leaves a bare variable.
    labels = tuple((label, node) for label, node in labels if node.args)
    return replace(cell, name=name, outputs=outputs, labels=labels, doc="")
