"""Reverse mode, expression to expression: each primitive's adjoint is one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .expr import Expr, const, cos, mean, sigmoid, sin, walk, where

_ZERO = const(0.0)


def _to_first(a: Expr, b: Expr, d: Expr) -> Expr:
    """Give `d` where `a > b`, half of it where they are equal (as torch does), else nothing."""
    return where(a < b, _ZERO, where(b < a, d, d * 0.5))


ADJOINTS: dict[str, Callable[[Expr, Expr], tuple[Expr | None, ...]]] = {
    "add": lambda y, d: (d, d),
    "sub": lambda y, d: (d, -d),
    "mul": lambda y, d: (d * y.args[1], d * y.args[0]),
    "div": lambda y, d: (d / y.args[1], -(d * y / y.args[1])),
    "neg": lambda y, d: (-d,),
    "abs": lambda y, d: (where(y.args[0] < 0, -d, where(y.args[0] > 0, d, _ZERO)),),
    "exp": lambda y, d: (d * y,),
    "log": lambda y, d: (d / y.args[0],),
    "sqrt": lambda y, d: (d / (2 * y),),
    "sin": lambda y, d: (d * cos(y.args[0]),),
    "cos": lambda y, d: (-(d * sin(y.args[0])),),
    "floor": lambda y, d: (None,),
    "sigmoid": lambda y, d: (d * (y * (1 - y)),),
    "tanh": lambda y, d: (d * (1 - y * y),),
    "relu": lambda y, d: (where(y > 0, d, _ZERO),),
    "softplus": lambda y, d: (d * sigmoid(y.args[0]),),
    "logsigmoid": lambda y, d: (d * sigmoid(-y.args[0]),),
    "maximum": lambda y, d: (
        _to_first(y.args[0], y.args[1], d),
        _to_first(y.args[1], y.args[0], d),
    ),
    "minimum": lambda y, d: (
        _to_first(y.args[1], y.args[0], d),
        _to_first(y.args[0], y.args[1], d),
    ),
    "mean": lambda y, d: (mean(d),),
    "where": lambda y, d: (
        None,
        None,
        where(y.args[0] < y.args[1], d, _ZERO),
        where(y.args[0] < y.args[1], _ZERO, d),
    ),
}
"""Result and its cotangent to the cotangents of the arguments (None: no gradient)."""


def vjp(outputs: Sequence[Expr], cotangents: Sequence[Expr], wrt: Sequence[Expr]) -> list[Expr]:
    """Differentiate: the gradient of `sum(cotangent * output)` with respect to each of `wrt`.

    Args:
        outputs: Graph without products (a stage's; see `stages`).
        cotangents: One per output.
        wrt: Nodes of the graph; one that no output depends on gets the constant 0.

    Example:
        >>> from gatewise.compiler.expr import evaluate, tanh, var
        >>> x, d = var("x"), var("d")
        >>> evaluate(vjp([tanh(x)], [d], [x]), {"x": 0.0, "d": 3.0})
        [3.0]
    """
    bar: dict[Expr, Expr] = {}

    def accumulate(node: Expr, cotangent: Expr) -> None:
        bar[node] = bar[node] + cotangent if node in bar else cotangent

    for output, cotangent in zip(outputs, cotangents, strict=True):
        accumulate(output, cotangent)
    for node in reversed(walk(outputs)):
        if node in bar and node.args:
            adjoints = ADJOINTS[node.op](node, bar[node])
            for argument, cotangent in zip(node.args, adjoints, strict=True):
                if cotangent is not None:
                    accumulate(argument, cotangent)
    return [bar.get(node, _ZERO) for node in wrt]
