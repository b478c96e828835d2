"""One node type, a closed set of primitives, and the operators that build them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from weakref import WeakValueDictionary

from ..errors import InputError


def _sigmoid(a: float) -> float:
    return 1.0 / (1.0 + math.exp(-a)) if a >= 0 else math.exp(a) / (1.0 + math.exp(a))


def _logsigmoid(a: float) -> float:
    return min(a, 0.0) - math.log1p(math.exp(-abs(a)))


def _floor(a: float) -> float:
    # Infinity and NaN are what they are, and -0.0 keeps its sign, as in vector code.
    return math.copysign(math.floor(a), a) if math.isfinite(a) else a


PRIMITIVES: dict[str, tuple[int, Callable[..., float]]] = {
    "add": (2, lambda a, b: a + b),
    "sub": (2, lambda a, b: a - b),
    "mul": (2, lambda a, b: a * b),
    "div": (2, lambda a, b: a / b),
    "neg": (1, lambda a: -a),
    "abs": (1, math.fabs),
    "exp": (1, math.exp),
    "log": (1, math.log),
    "sqrt": (1, math.sqrt),
    "sin": (1, math.sin),
    "cos": (1, math.cos),
    "floor": (1, _floor),
    "sigmoid": (1, _sigmoid),
    "tanh": (1, math.tanh),
    "relu": (1, lambda a: max(a, 0.0)),
    "softplus": (1, lambda a: -_logsigmoid(-a)),
    "logsigmoid": (1, _logsigmoid),
    "maximum": (2, max),
    "minimum": (2, min),
    "where": (4, lambda a, b, then, other: then if a < b else other),
    "mean": (1, lambda a: a),
}
"""Each primitive's arity and its meaning for one number.

`where(a, b, then, other)` is `then` where `a < b`: one primitive for every comparison.
`mean` is over all units of one sequence, so one number is its own mean.
"""

SHAPES = {"const": 0, "var": 0, "product": 1} | {op: n for op, (n, _) in PRIMITIVES.items()}
"""Every operation a graph may hold, and how many arguments it takes.

Beside the primitives: `const` (its value is the number), `var` (its value is the name) and
`product` (its value is a row block, applied to the argument: `U_name @ argument + bias`).
"""

_FOREIGN = {"absolute": "abs_", "abs": "abs_", "fabs": "abs_", "fmax": "maximum",
            "fmin": "minimum", "max": "maximum", "min": "minimum"}  # fmt: skip


class Expr:
    """A value in a cell's equations: an operation on other values.

    Equal expressions are the same object, so comparing and hashing cost nothing and a
    subexpression written twice is computed once.

    Attributes:
        op: A key of `SHAPES`.
        args: The values it works on.
        value: The number of a `const`, the name of a `var` or `product`, else None.

    Example:
        >>> x = var("x")
        >>> 2 * x + 1 is 2 * x + 1
        True
        >>> evaluate([2 * x + 1], {"x": 3.0})
        [7.0]
    """

    __slots__ = ("__weakref__", "args", "op", "value")
    op: str
    args: tuple[Expr, ...]
    value: float | str | None

    _nodes: ClassVar[WeakValueDictionary[tuple, Expr]] = WeakValueDictionary()

    def __new__(cls, op: str, args: tuple[Expr, ...] = (), value: float | str | None = None):
        """Give the one node of this content."""
        key = (op, args, value)
        node = cls._nodes.get(key)
        if node is None:
            node = super().__new__(cls)
            for field, content in (("op", op), ("args", args), ("value", value)):
                object.__setattr__(node, field, content)
            node = cls._nodes.setdefault(key, node)
        return node

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an Expr does not change: cannot set {name!r}")

    def __reduce__(self) -> tuple:
        return Expr, (self.op, self.args, self.value)

    def __repr__(self) -> str:
        return self._shown(depth=4)

    def _shown(self, depth: int) -> str:
        # Bounded, because a small graph can unfold to a huge tree.
        named = [] if self.value is None else [repr(self.value)]
        inside = [a._shown(depth - 1) for a in self.args] if depth else ["..."]
        return f"{self.op}({', '.join(named + inside)})"

    def __add__(self, other: Operand) -> Expr:
        return Expr("add", (self, lift(other)))

    def __radd__(self, other: Operand) -> Expr:
        return Expr("add", (lift(other), self))

    def __sub__(self, other: Operand) -> Expr:
        return Expr("sub", (self, lift(other)))

    def __rsub__(self, other: Operand) -> Expr:
        return Expr("sub", (lift(other), self))

    def __mul__(self, other: Operand) -> Expr:
        return Expr("mul", (self, lift(other)))

    def __rmul__(self, other: Operand) -> Expr:
        return Expr("mul", (lift(other), self))

    def __truediv__(self, other: Operand) -> Expr:
        return Expr("div", (self, lift(other)))

    def __rtruediv__(self, other: Operand) -> Expr:
        return Expr("div", (lift(other), self))

    def __pow__(self, exponent: int) -> Expr:
        if isinstance(exponent, bool) or not isinstance(exponent, int) or exponent < 1:
            raise TypeError(
                f"** takes a whole exponent of 1 or more, not {exponent!r}: "
                "write sqrt(x), 1 / x or exp(a * log(x))"
            )
        if exponent == 1:
            return self
        half = self ** (exponent // 2)
        return half * half * self if exponent % 2 else half * half

    def __neg__(self) -> Expr:
        return Expr("neg", (self,))

    def __pos__(self) -> Expr:
        return self

    def __abs__(self) -> Expr:
        return Expr("abs", (self,))

    def __lt__(self, other: Operand) -> Condition:
        return Condition(self, lift(other))

    def __gt__(self, other: Operand) -> Condition:
        return Condition(lift(other), self)

    def __le__(self, other: Operand) -> Condition:
        return Condition(lift(other), self, negated=True)

    def __ge__(self, other: Operand) -> Condition:
        return Condition(self, lift(other), negated=True)

    def __call__(self, operand: Expr) -> Expr:
        """Apply this gate's recurrent rows to `operand` instead of the last output."""
        if self.op != "var":
            raise TypeError("only a Gate or FromState as declared can be applied to a value")
        return Expr("product", (lift(operand),), self.value)

    def __bool__(self) -> bool:
        raise TypeError(
            "equations have no truth value while they are traced, so `if`, `and`, `or`, `max` and "
            "`min` cannot look at them: write where(a < b, x, y), maximum(a, b) or minimum(a, b)"
        )

    def __float__(self) -> float:
        raise TypeError(
            "equations are not numbers while they are traced, so functions of `math` cannot take "
            f"them: use gatewise.compiler's own {', '.join(sorted(_PUBLIC))}"
        )

    def __array_ufunc__(self, ufunc: object, method: str, *inputs: object, **options: object):
        raise TypeError(_foreign("numpy", getattr(ufunc, "__name__", "")))

    @classmethod
    def __torch_function__(cls, func: object, types: object, args=(), kwargs=None):
        raise TypeError(_foreign("torch", getattr(func, "__name__", "")))


Operand = Expr | float


@dataclass(frozen=True)
class Condition:
    """What comparing two expressions gives: `left < right`, or the opposite. Only for `where`."""

    left: Expr
    right: Expr
    negated: bool = False

    def __bool__(self) -> bool:
        return bool(self.left)  # Raises, and says what to write instead.


def _foreign(library: str, name: str) -> str:
    known = _FOREIGN.get(name, name)
    instead = known if known in _PUBLIC else ", ".join(sorted(_PUBLIC))
    return (
        f"{library}.{name} cannot take an equation that is being traced: "
        f"use {instead} from gatewise.compiler"
    )


def const(number: float) -> Expr:
    """Make the expression of a number, which must be finite."""
    number = float(number) + 0.0  # -0.0 becomes 0.0, so that equal numbers are one node.
    if not math.isfinite(number):
        raise InputError(f"a constant in an equation must be finite, not {number}")
    return Expr("const", (), number)


def var(name: str) -> Expr:
    """Make the expression of a named input."""
    return Expr("var", (), name)


def lift(operand: object) -> Expr:
    """Turn a number into a constant; leave an expression as it is."""
    if isinstance(operand, Expr):
        return operand
    if isinstance(operand, (int, float)) and not isinstance(operand, bool):
        return const(operand)
    raise TypeError(
        f"equations are made of expressions and numbers, not {type(operand).__name__}"
        + (
            ": for a condition write where(a < b, x, y)"
            if isinstance(operand, (bool, Condition))
            else ""
        )
    )


def sigmoid(a: Operand) -> Expr:
    """The logistic function, `1 / (1 + exp(-a))`."""
    return Expr("sigmoid", (lift(a),))


def tanh(a: Operand) -> Expr:
    """The hyperbolic tangent."""
    return Expr("tanh", (lift(a),))


def exp(a: Operand) -> Expr:
    """The exponential."""
    return Expr("exp", (lift(a),))


def log(a: Operand) -> Expr:
    """The natural logarithm."""
    return Expr("log", (lift(a),))


def sqrt(a: Operand) -> Expr:
    """The square root."""
    return Expr("sqrt", (lift(a),))


def sin(a: Operand) -> Expr:
    """The sine, of radians."""
    return Expr("sin", (lift(a),))


def cos(a: Operand) -> Expr:
    """The cosine, of radians."""
    return Expr("cos", (lift(a),))


def floor(a: Operand) -> Expr:
    """The largest whole number that is not above `a`; its slope is 0, at its steps too."""
    return Expr("floor", (lift(a),))


def abs_(a: Operand) -> Expr:
    """The magnitude; its slope at 0 is 0, as in torch."""
    return Expr("abs", (lift(a),))


def relu(a: Operand) -> Expr:
    """`a` where it is positive, else 0; its slope at 0 is 0, as in torch."""
    return Expr("relu", (lift(a),))


def softplus(a: Operand) -> Expr:
    """`log(1 + exp(a))`, without overflow."""
    return Expr("softplus", (lift(a),))


def logsigmoid(a: Operand) -> Expr:
    """`log(sigmoid(a))`, without underflow."""
    return Expr("logsigmoid", (lift(a),))


def maximum(a: Operand, b: Operand) -> Expr:
    """The larger of two; where they are equal each gets half the gradient, as in torch."""
    return Expr("maximum", (lift(a), lift(b)))


def minimum(a: Operand, b: Operand) -> Expr:
    """The smaller of two; where they are equal each gets half the gradient, as in torch."""
    return Expr("minimum", (lift(a), lift(b)))


def mean(a: Operand) -> Expr:
    """The mean over the units of one sequence, which every unit then sees.

    The one primitive that looks beyond its own unit; its gradient is the mean of the gradient.

    Example:
        >>> a = var("a")
        >>> deviation = a - mean(a)
        >>> normal = deviation / sqrt(mean(deviation * deviation) + 1e-5)
    """
    return Expr("mean", (lift(a),))


def where(condition: Condition, then: Operand, other: Operand) -> Expr:
    """`then` where the condition holds, `other` elsewhere; no gradient flows to the condition.

    Args:
        condition: A comparison, such as `a < b` or `a >= 0`.
        then: Value where it holds.
        other: Value where it does not.

    Example:
        >>> x = var("x")
        >>> evaluate([where(x >= 0, x, 0.1 * x)], {"x": -2.0})
        [-0.2]
    """
    if not isinstance(condition, Condition):
        raise TypeError("where takes a comparison of expressions first, such as a < b or a >= 0")
    chosen = (lift(other), lift(then)) if condition.negated else (lift(then), lift(other))
    return Expr("where", (condition.left, condition.right, *chosen))


_PUBLIC = {"sigmoid", "tanh", "exp", "log", "sqrt", "sin", "cos", "floor", "abs_", "relu",
           "softplus", "logsigmoid", "maximum", "minimum", "mean", "where"}  # fmt: skip


def walk(outputs: Iterable[Expr]) -> list[Expr]:
    """List every node that the outputs need, each once, arguments before their users."""
    order: dict[Expr, None] = {}
    pending = [(node, False) for node in reversed(list(outputs))]
    while pending:
        node, expanded = pending.pop()
        if node in order:
            continue
        if expanded or not node.args:
            order[node] = None
        else:
            pending.append((node, True))
            pending.extend((a, False) for a in reversed(node.args))
    return list(order)


def rewrite(outputs: Iterable[Expr], rule: Callable[[Expr], Expr]) -> dict[Expr, Expr]:
    """Rebuild a graph from the leaves up, each node replaced by what `rule` makes of it.

    Returns:
        Old node to new node, for every node that the outputs need.
    """
    new: dict[Expr, Expr] = {}
    for node in walk(outputs):
        new[node] = rule(Expr(node.op, tuple(new[a] for a in node.args), node.value))
    return new


def evaluate(outputs: Sequence[Expr], values: Mapping[str, float]) -> list[float]:
    """Compute a graph without products for one number per variable: what the graph means."""
    known: dict[Expr, float] = {}
    for node in walk(outputs):
        if node.op == "const":
            known[node] = float(node.value or 0.0)
        elif node.op == "var":
            known[node] = values[str(node.value)]
        else:
            known[node] = PRIMITIVES[node.op][1](*(known[a] for a in node.args))
    return [known[o] for o in outputs]
