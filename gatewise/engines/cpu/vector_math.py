"""The equations' functions as vector code, to the last bits of their type.

Every function keeps NaN and has its limits at both infinities. What would be denormal may be 0.

A division costs little here: it runs beside the products and sums of other vectors, which
AVX-512's quick reciprocal with its correction would make more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .ir import Function


@dataclass(frozen=True)
class _Numbers:
    """What the functions have to know about a floating type.

    Coefficients begin with that of the lowest power.

    Attributes:
        fraction: Bits of the fraction.
        bias: What the exponent's bits stand above the exponent.
        ln2: The logarithm of 2 in two terms; whole numbers times the first have no rounding.
        least: The smallest number that is not denormal.
        exp_ends: Arguments where `exp` has become 0 and infinite.
        sigmoid_ends: Arguments where the logistic function has become 0 and 1.
        tanh_end: Argument where `tanh` has become 1.
        floor: What makes rounding to nearest a floor. The little that is added or taken away sees
            to it that `exp(0)` is 1 and that a finite `exp` never becomes infinite.
        exp: `exp(r)` for r in [0, ln 2].
        fine: The same for a sum, whose own rounding leaves less room.
        ratio: `r / tanh(r / 2)` in r^2, for r in [-ln 2 / 2, ln 2 / 2].
        tanh: `tanh(r) / r` in r^2, for r in [-ln 2 / 4, ln 2 / 4].
        log: `(log((1 + s) / (1 - s)) / s - 2) / s^2` in s^2, for s in [-1/3, 1/3].
    """

    fraction: int
    bias: int
    ln2: tuple[float, float]
    least: float
    exp_ends: tuple[float, float]
    sigmoid_ends: tuple[float, float]
    tanh_end: float
    floor: float
    exp: tuple[float, ...]
    fine: tuple[float, ...]
    ratio: tuple[float, ...]
    tanh: tuple[float, ...]
    log: tuple[float, ...]


_EXP = (
    1.0, 1.0000000000000009, 0.4999999999999224, 0.16666666666900565, 0.04166666663172732,
    0.008333333634959915, 0.0013888872596016222, 0.00019841843520109297, 2.478823117018068e-05,
    2.776067421110387e-06, 2.5622586546881796e-07, 3.529603544745033e-08,
)  # fmt: skip

_NUMBERS = {
    "float": _Numbers(
        fraction=23,
        bias=127,
        ln2=(0.693145751953125, 1.4286068203094173e-06),
        least=2.0**-126,
        exp_ends=(-88.0, 89.0),
        sigmoid_ends=(-89.0, 88.0),
        tanh_end=9.1,
        floor=-0.5 + 2.0**-18,
        # Relative error 8.3e-8.
        exp=(1.0, 1.0000059604644775, 0.49987083673477173, 0.16755490005016327,
             0.03906264528632164, 0.011669376865029335),
        # Relative error 2.2e-9.
        fine=(1.0, 0.9999998211860657, 0.5000055432319641, 0.1666117012500763,
              0.041911039501428604, 0.007796900812536478, 0.0019467143574729562),
        # Relative error of the power 5.2e-10.
        ratio=(2.0, 0.166666176146, -0.00276597571687),
        # Relative error 1.2e-07 in the middle; less at the ends, where rounding adds most.
        tanh=(0.9999999403953552, -0.33329227566719055, 0.1304309219121933),
        # Relative error of the logarithm 4.5e-9.
        log=(0.666664183139801, 0.40021437406539917, 0.280030220746994, 0.28006818890571594),
    ),
    "double": _Numbers(
        fraction=52,
        bias=1023,
        ln2=(0.6931471805598903, 5.497923018708371e-14),
        least=2.0**-1022,
        exp_ends=(-709.0, 710.0),
        sigmoid_ends=(-710.0, 709.0),
        tanh_end=19.5,
        floor=-0.5 - 2.0**-41,
        # Relative error 3.3e-18.
        exp=_EXP,
        fine=_EXP,
        # Relative error of the power 1.8e-19.
        ratio=(2.0, 0.16666666666666554, -0.002777777777669268, 6.613756249204266e-05,
               -1.653383622754491e-06, 4.1360145328613226e-08),
        # Relative error 4.2e-18.
        tanh=(1.0, -0.33333333333332477, 0.13333333332779124, -0.0539682527739772,
              0.021869370114871466, -0.008857288688711688, 0.0034445900068091635),
        # Relative error of the logarithm 4.9e-17.
        log=(0.666666666666777, 0.39999999996048324, 0.28571429058150005, 0.222221928965647,
             0.1818281431119375, 0.15364291395329338, 0.13586355728845234, 0.09902597657809732,
             0.17740256249277372),
    ),
}  # fmt: skip


def exp(code: Function, x: str) -> str:
    """Write the exponential."""
    return _exp(code, x, _NUMBERS[code.lanes.kind].exp)


def log(code: Function, x: str) -> str:
    """Write the natural logarithm."""
    lanes, numbers, splat = code.lanes, _NUMBERS[code.lanes.kind], code.lanes.splat
    denormal = code.compare("olt", x, splat(numbers.least))
    raised = code.arithmetic("fmul", x, splat(2.0**numbers.fraction))
    bits = _as_integers(code, code.select(denormal, raised, x))
    # The factor beside the power of two lies around 1: in [5/7, 10/7).
    start = (numbers.bias << numbers.fraction) - (4 << numbers.fraction) // 7
    offset = code.let(f"sub {lanes.integers} {bits}, {lanes.whole(start)}")
    power = code.let(f"ashr {lanes.integers} {offset}, {lanes.whole(numbers.fraction)}")
    up = code.let(f"shl {lanes.integers} {power}, {lanes.whole(numbers.fraction)}")
    factor = _as_floats(code, code.let(f"sub {lanes.integers} {bits}, {up}"))
    count = code.let(f"sitofp {lanes.integers} {power} to {lanes.type}")
    lowered = code.arithmetic("fsub", count, splat(numbers.fraction))
    count = code.select(denormal, lowered, count)
    low = code.arithmetic("fmul", count, splat(numbers.ln2[1]))
    result = _log1p(code, code.arithmetic("fsub", factor, splat(1.0)), low)
    result = code.fma(count, splat(numbers.ln2[0]), result)
    result = code.select(code.compare("oeq", x, splat(math.inf)), x, result)
    result = code.select(code.compare("oeq", x, splat(0.0)), splat(-math.inf), result)
    return code.select(code.compare("ult", x, splat(0.0)), splat(math.nan), result)


def sigmoid(code: Function, x: str) -> str:
    """Write the logistic function.

    With `-x = n ln(2) - r`, `p = 2^n` and `c = r / tanh(r / 2)` it is
    `(c + r) / ((c + r) + p (c - r))`.
    """
    numbers, splat = _NUMBERS[code.lanes.kind], code.lanes.splat
    x = _between(code, x, numbers.sigmoid_ends)
    shifted = code.fma(x, splat(-1 / math.log(2)), splat(_shift(numbers)))
    count = code.arithmetic("fsub", shifted, splat(_shift(numbers)))
    rest = code.fma(count, splat(numbers.ln2[0]), x)
    rest = code.fma(count, splat(numbers.ln2[1]), rest)
    ratio = _polynomial(code, code.arithmetic("fmul", rest, rest), numbers.ratio)
    up = code.arithmetic("fadd", ratio, rest)
    down = code.arithmetic("fsub", ratio, rest)
    return code.arithmetic("fdiv", up, code.fma(_power(code, shifted), down, up))


def tanh(code: Function, x: str) -> str:
    """Write the hyperbolic tangent.

    With `x = n ln(2) / 2 + r`, `p = 2^n` and `t = tanh(r)` it is
    `((p - 1) + (p + 1) t) / ((p + 1) + (p - 1) t)`, which near 0, where p is 1, is t.
    """
    numbers, splat = _NUMBERS[code.lanes.kind], code.lanes.splat
    x = _between(code, x, (-numbers.tanh_end, numbers.tanh_end))
    shifted = code.fma(x, splat(2 / math.log(2)), splat(_shift(numbers)))
    count = code.arithmetic("fsub", shifted, splat(_shift(numbers)))
    rest = code.fma(count, splat(-math.log(2) / 2), x)
    square = code.arithmetic("fmul", rest, rest)
    part = code.arithmetic("fmul", rest, _polynomial(code, square, numbers.tanh))
    power = _power(code, shifted)
    less = code.arithmetic("fsub", power, splat(1.0))
    more = code.arithmetic("fadd", power, splat(1.0))
    return code.arithmetic("fdiv", code.fma(more, part, less), code.fma(less, part, more))


def softplus(code: Function, x: str) -> str:
    """Write `log(1 + exp(x))`."""
    return code.arithmetic("fadd", relu(code, x), _log1p_decay(code, x))


def logsigmoid(code: Function, x: str) -> str:
    """Write `log(1 / (1 + exp(-x)))`."""
    return code.arithmetic("fsub", _at_most(code, x, 0.0), _log1p_decay(code, x))


def relu(code: Function, x: str) -> str:
    """Write the larger of x and 0."""
    return _at_least(code, x, 0.0)


def maximum(code: Function, a: str, b: str) -> str:
    """Write the larger of two, NaN where either is."""
    larger = code.select(code.compare("ogt", a, b), a, b)
    return code.select(code.compare("uno", a, a), a, larger)


def minimum(code: Function, a: str, b: str) -> str:
    """Write the smaller of two, NaN where either is."""
    smaller = code.select(code.compare("olt", a, b), a, b)
    return code.select(code.compare("uno", a, a), a, smaller)


def where(code: Function, a: str, b: str, then: str, other: str) -> str:
    """Write `then` where `a < b`, else `other`."""
    return code.select(code.compare("olt", a, b), then, other)


def negative(code: Function, x: str) -> str:
    """Write `-x`."""
    return code.let(f"fneg {code.lanes.type} {x}")


def _arithmetic(op: str) -> Callable[..., str]:
    return lambda code, a, b: code.arithmetic(op, a, b)


def _intrinsic(stem: str) -> Callable[..., str]:
    return lambda code, x: code.intrinsic(stem, x)


FUNCTIONS: dict[str, Callable[..., str]] = {
    "add": _arithmetic("fadd"),
    "sub": _arithmetic("fsub"),
    "mul": _arithmetic("fmul"),
    "div": _arithmetic("fdiv"),
    "neg": negative,
    "abs": _intrinsic("fabs"),
    "exp": exp,
    "log": log,
    "sqrt": _intrinsic("sqrt"),
    "sin": _intrinsic("sin"),
    "cos": _intrinsic("cos"),
    "floor": _intrinsic("floor"),
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "softplus": softplus,
    "logsigmoid": logsigmoid,
    "maximum": maximum,
    "minimum": minimum,
    "where": where,
}
"""Writes each primitive: takes a function's code and the operands' names, gives the result's."""


def _exp(code: Function, x: str, coefficients: Sequence[float]) -> str:
    """The exponential, with a polynomial for what lies between the powers of two."""
    numbers, splat = _NUMBERS[code.lanes.kind], code.lanes.splat
    x = _between(code, x, numbers.exp_ends)
    # A floor, unlike rounding to nearest, leaves the power finite wherever the result is.
    scaled = code.fma(x, splat(1 / math.log(2)), splat(numbers.floor))
    shifted = code.arithmetic("fadd", scaled, splat(_shift(numbers)))
    count = code.arithmetic("fsub", shifted, splat(_shift(numbers)))
    rest = code.fma(count, splat(-numbers.ln2[0]), x)
    rest = code.fma(count, splat(-numbers.ln2[1]), rest)
    return code.arithmetic("fmul", _power(code, shifted), _polynomial(code, rest, coefficients))


def _shift(numbers: _Numbers) -> float:
    """What, added to a number, rounds it and leaves its power's exponent in the lowest bits."""
    return 1.5 * 2.0**numbers.fraction + numbers.bias


def _power(code: Function, shifted: str) -> str:
    """Two to the power of what was shifted: 0 and infinity one below and above those of normals."""
    lanes, fraction = code.lanes, _NUMBERS[code.lanes.kind].fraction
    bits = _as_integers(code, shifted)
    return _as_floats(code, code.let(f"shl {lanes.integers} {bits}, {lanes.whole(fraction)}"))


def _log1p_decay(code: Function, x: str) -> str:
    """`log(1 + exp(-|x|))`, to its last bits also where it is tiny."""
    small = _exp(code, negative(code, code.intrinsic("fabs", x)), _NUMBERS[code.lanes.kind].fine)
    return _log1p(code, small)


def _log1p(code: Function, x: str, more: str | None = None) -> str:
    """`log(1 + x) + more` for x in [-0.3, 1]; more is small.

    With `s = x / (2 + x)` it is `x - (x^2 / 2 - s (x^2 / 2 + R))`, R being of order s^2: only x
    itself is not small against the result, and it has no error.
    """
    splat, numbers = code.lanes.splat, _NUMBERS[code.lanes.kind]
    s = code.arithmetic("fdiv", x, code.arithmetic("fadd", x, splat(2.0)))
    square = code.arithmetic("fmul", s, s)
    half = code.arithmetic("fmul", code.arithmetic("fmul", x, splat(0.5)), x)
    series = code.fma(square, _polynomial(code, square, numbers.log), half)
    small = code.arithmetic("fmul", s, series) if more is None else code.fma(s, series, more)
    return code.arithmetic("fsub", x, code.arithmetic("fsub", half, small))


def _polynomial(code: Function, x: str, coefficients: Sequence[float]) -> str:
    """A polynomial by Horner's rule."""
    *rest, value = (code.lanes.splat(c) for c in coefficients)
    for coefficient in reversed(rest):
        value = code.fma(value, x, coefficient)
    return value


def _between(code: Function, x: str, ends: tuple[float, float]) -> str:
    """X itself where it lies between two bounds, else the nearer one; NaN where x is."""
    return _at_most(code, _at_least(code, x, ends[0]), ends[1])


def _at_least(code: Function, x: str, bound: float) -> str:
    """The larger of x and a bound, NaN where x is; one instruction in this order of operands."""
    limit = code.lanes.splat(bound)
    return code.select(code.compare("ogt", limit, x), limit, x)


def _at_most(code: Function, x: str, bound: float) -> str:
    """The smaller of x and a bound, NaN where x is; one instruction in this order of operands."""
    limit = code.lanes.splat(bound)
    return code.select(code.compare("olt", limit, x), limit, x)


def _as_integers(code: Function, x: str) -> str:
    return code.let(f"bitcast {code.lanes.type} {x} to {code.lanes.integers}")


def _as_floats(code: Function, x: str) -> str:
    return code.let(f"bitcast {code.lanes.integers} {x} to {code.lanes.type}")
