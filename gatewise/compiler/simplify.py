"""Fold constants, drop neutral elements, share what is computed twice."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import InputError
from .expr import PRIMITIVES, Expr, const, rewrite

_ZERO, _ONE, _MINUS_ONE = const(0.0), const(1.0), const(-1.0)
_COMMUTATIVE = {"add", "mul", "maximum", "minimum"}


def simplify(outputs: Sequence[Expr]) -> tuple[Expr, ...]:
    """Rebuild a graph with less work and the same meaning.

    Equal nodes are one object already (see `Expr`); this adds that `a * b` is `b * a`. What no
    output needs is gone because graphs are reached from their outputs. As everywhere in such
    compilers, `0 * a` counts as 0, even for an infinite `a`.

    Raises:
        InputError: Two constants combine to something that is not a finite number.

    Example:
        >>> from gatewise.compiler.expr import var
        >>> x, y = var("x"), var("y")
        >>> simplify([0 * y + x * 1, x * y + y * x])
        (var('x'), add(mul(var('x'), var('y')), mul(var('x'), var('y'))))
    """
    shared: dict[tuple[str, frozenset[Expr]], Expr] = {}

    def rule(node: Expr) -> Expr:
        node = _fold(node)
        if node.op in _COMMUTATIVE:
            return shared.setdefault((node.op, frozenset(node.args)), node)
        return node

    new = rewrite(outputs, rule)
    return tuple(new[o] for o in outputs)


def _fold(node: Expr) -> Expr:
    if node.op in PRIMITIVES and all(a.op == "const" for a in node.args):
        try:
            return const(PRIMITIVES[node.op][1](*(a.value for a in node.args)))
        except (ArithmeticError, ValueError):
            numbers = ", ".join(str(a.value) for a in node.args)
            raise InputError(
                f"{node.op}({numbers}) in the equations is not a finite number"
            ) from None
    return _NEUTRAL[node.op](node, *node.args) if node.op in _NEUTRAL else node


def _add(node: Expr, a: Expr, b: Expr) -> Expr:
    if a is _ZERO:
        return b
    if b is _ZERO:
        return a
    return _sub(a - b.args[0], a, b.args[0]) if b.op == "neg" else node


def _sub(node: Expr, a: Expr, b: Expr) -> Expr:
    if b is _ZERO:
        return a
    if a is _ZERO:
        return _neg(-b, b)
    return _add(a + b.args[0], a, b.args[0]) if b.op == "neg" else node


def _mul(node: Expr, a: Expr, b: Expr) -> Expr:
    if _ZERO in (a, b):
        return _ZERO
    for one, other in ((a, b), (b, a)):
        if one is _ONE:
            return other
        if one is _MINUS_ONE:
            return _neg(-other, other)
    return node


def _div(node: Expr, a: Expr, b: Expr) -> Expr:
    return a if b is _ONE or a is _ZERO else node


def _neg(node: Expr, a: Expr) -> Expr:
    return a.args[0] if a.op == "neg" else node


def _mean(node: Expr, a: Expr) -> Expr:
    return a if a.op == "mean" else node


def _where(node: Expr, a: Expr, b: Expr, then: Expr, other: Expr) -> Expr:
    if a is b or then is other:
        return other
    if a.op == b.op == "const":
        return then if float(a.value or 0.0) < float(b.value or 0.0) else other
    return node


_NEUTRAL = {"add": _add, "sub": _sub, "mul": _mul, "div": _div, "neg": _neg, "mean": _mean,
            "where": _where}  # fmt: skip
