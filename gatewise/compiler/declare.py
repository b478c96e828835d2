"""`@cell`: a function's signature is the cell's declaration."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import FrameType
from typing import Annotated, Any, get_type_hints, overload

from ..errors import InputError, nearest
from .expr import Expr, rewrite, var, walk
from .value import Cell, Draw, Port

Gate = Annotated[Expr, "gate"]
"""`W x_t + U h_{t-1} + b`: one row block of the input weights, recurrent weights and bias."""

FromInput = Annotated[Expr, "from_input"]
"""`W x_t + b`: a row block of the input weights only."""

FromState = Annotated[Expr, "from_state"]
"""`U h_{t-1} + b`: a row block of the recurrent weights only.

Called with a value, `n_h(r * h)`, the rows are applied to that value instead of `h`. A `Gate` can
be called too: its input half stays, its recurrent half is applied to the value.
"""

State = Annotated[Expr, "state"]
"""Carried in time. The first is the layer's output, and what `U` multiplies."""

Weight = Annotated[Expr, "weight"]
"""A learnable vector, one number per unit; starts from the parameter's default, else 0."""

Hyper = Annotated[Expr, "hyper"]
"""A constant: the parameter's default, which `Cell.with_` changes."""

Noise = Annotated[Expr, "noise"]
"""Given per unit and step from outside, such as a mask of 0 and 1; no gradient flows to it.

The parameter's default is its value where none is given, as in evaluation.
"""

Given = Annotated[Expr, "given"]
"""Given per unit and step from outside and not drawn, such as the time since the step before.

To engines it is `Noise` without a draw: no gradient flows to it, and the parameter's default is
its value where none is given.
"""

_KINDS = {"Gate": "gate", "FromInput": "from_input", "FromState": "from_state",
          "State": "state", "Weight": "weight", "Hyper": "hyper", "Noise": "noise",
          "Given": "given"}  # fmt: skip


@overload
def cell(function: Callable[..., Any], /) -> Cell: ...
@overload
def cell(
    *, bias: Mapping[str, float] = ..., draws: Mapping[str, Draw] = ...
) -> Callable[[Callable[..., Any]], Cell]: ...
def cell(
    function: Callable[..., Any] | None = None,
    /,
    *,
    bias: Mapping[str, float] | None = None,
    draws: Mapping[str, Draw] | None = None,
) -> Cell | Callable[[Callable[..., Any]], Cell]:
    """Make a cell of a function: its signature declares, its body is traced once.

    Args:
        function: Takes `Gate`, `FromInput`, `FromState`, `State`, `Weight`, `Hyper`, `Noise` and
            `Given` parameters, returns the new states in the declared order. The order of the
            gates is the order of their row blocks in the weights.
        bias: Initial bias by name. `n_x: FromInput` and `n_h: FromState` share the name `n`.
        draws: How a layer in training draws its `Noise`, by name; what is not here keeps its
            value.

    Returns:
        A frozen `Cell`, or a decorator that makes one.

    Raises:
        InputError: The signature, the bias, the draws or what the function returns cannot be a
            cell.

    Example:
        >>> from gatewise.compiler import Gate, State, cell, sigmoid, tanh
        >>> @cell(bias={"f": 1.0})
        ... def minimal(f: Gate, g: Gate, h: State):
        ...     f = sigmoid(f)
        ...     return f * h + (1 - f) * tanh(g)
        >>> minimal
        <cell minimal(f: gate, g: gate, h: state)>
    """
    if function is None:
        return lambda function: _declare(function, bias or {}, draws or {})
    if not inspect.isfunction(function):
        raise InputError(f"cell takes a function, not {type(function).__name__}: def it first")
    return _declare(function, {}, {})


def _declare(
    function: Callable[..., Any], bias: Mapping[str, float], draws: Mapping[str, Draw]
) -> Cell:
    name = function.__name__
    ports = _ports(function)
    returned, labels = _trace(function, {p.name: var(p.name) for p in ports})
    outputs = returned if isinstance(returned, tuple) else (returned,)
    for output in outputs:
        if not isinstance(output, Expr):
            raise InputError(
                f"cell {name} returns {type(output).__name__} {output!r}: return one expression "
                "per State, in the declared order"
            )
    ports, outputs, labels = _halve_applied_gates(ports, outputs, labels)
    return Cell(
        name=name,
        ports=_with_draws(name, _with_bias(name, ports, bias), draws),
        outputs=outputs,
        labels=_labels(ports, outputs, labels),
        doc=inspect.getdoc(function) or "",
    )


def _labels(
    ports: Sequence[Port], outputs: Sequence[Expr], local: Mapping[str, Expr]
) -> tuple[tuple[str, Expr], ...]:
    """Name values as the function did; an unnamed activation of a gate is named as the gate.

    So `sigmoid(f) * c` reads as well as `f = sigmoid(f)` and then `f * c`. A state's name is for
    its new value.
    """
    nodes = walk(outputs)
    states = [p.name for p in ports if p.kind == "state"]
    new = dict(zip(states, outputs, strict=False))
    named = {
        name: node
        for name, node in local.items()
        if node.args and node in nodes and new.get(name, node) is node
    }
    uses: dict[Expr, list[Expr]] = {}
    for node in nodes:
        for argument in node.args:
            uses.setdefault(argument, []).append(node)
    for name in (p.name for p in ports if p.kind == "gate"):
        users = uses.get(var(name), [])
        alone = name not in named and len(users) == 1 and len(users[0].args) == 1
        if alone and users[0] not in (*named.values(), *outputs):
            named[name] = users[0]
    return tuple((name, named[name]) for name in local if name in named)


def _ports(function: Callable[..., Any]) -> tuple[Port, ...]:
    name = function.__name__
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as unknown:
        raise InputError(
            f"cell {name} has an annotation that cannot be found ({unknown}): import Gate, State "
            "and their like at the top of the file"
        ) from None
    ports = []
    for parameter in inspect.signature(function).parameters.values():
        metadata = getattr(hints.get(parameter.name), "__metadata__", ())
        kind = str(metadata[0]) if metadata else ""
        if kind not in _KINDS.values():
            got = (
                "no annotation"
                if parameter.name not in hints
                else f"the annotation {function.__annotations__[parameter.name]!r}"
            )
            raise InputError(f"{parameter.name} of cell {name} has {got}: use {', '.join(_KINDS)}")
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise InputError(f"cell {name} takes *{parameter.name}: name each parameter")
        given = parameter.default is not parameter.empty
        if kind in ("hyper", "noise", "given") and not given:
            word = kind.capitalize()
            raise InputError(
                f"{parameter.name} of cell {name} is a {word} without a value: "
                f"give it a default, {parameter.name}: {word} = 1.0"
            )
        if given and kind not in ("hyper", "weight", "noise", "given"):
            raise InputError(
                f"{parameter.name} of cell {name} has a default: only Weight, Hyper, Noise and "
                'Given can have one, and initial biases go in @cell(bias={"name": 1.0})'
            )
        port_kind = "noise" if kind == "given" else kind
        ports.append(Port(parameter.name, port_kind, parameter.default if given else 0.0))
    return tuple(ports)


def _trace(function: Callable[..., Any], arguments: dict[str, Expr]) -> tuple[Any, dict[str, Expr]]:
    """Call the function on variables; give its result and the local names of its values."""
    labels: dict[str, Expr] = {}

    def on_return(frame: FrameType, event: str, _: Any) -> None:
        # The names are there to be read while the frame lives, and only there.
        if event == "return" and frame.f_code is function.__code__:
            labels.update({k: v for k, v in frame.f_locals.items() if isinstance(v, Expr)})

    before = sys.getprofile()
    sys.setprofile(on_return)
    try:
        returned = function(**arguments)
    finally:
        sys.setprofile(before)
    return returned, labels


def _halve_applied_gates(
    ports: tuple[Port, ...], outputs: tuple[Expr, ...], labels: dict[str, Expr]
) -> tuple[tuple[Port, ...], tuple[Expr, ...], dict[str, Expr]]:
    """Write a gate that is applied to a value as its two halves: `n(e)` is `n_x + n_h(e)`."""
    gates = {p.name for p in ports if p.kind == "gate"}
    halved: set[str] = set()

    def rule(node: Expr) -> Expr:
        if node.op == "product" and node.value in gates:
            halved.add(str(node.value))
            return var(f"{node.value}_x") + Expr("product", node.args, f"{node.value}_h")
        return node

    new = rewrite([*outputs, *labels.values()], rule)
    if not halved:
        return ports, outputs, labels
    halves: list[Port] = []
    for port in ports:
        if port.name in halved:
            halves.append(Port(f"{port.name}_x", "from_input"))
            halves.append(Port(f"{port.name}_h", "from_state"))
        else:
            halves.append(port)
    return (
        tuple(halves),
        tuple(new[o] for o in outputs),
        {name: new[node] for name, node in labels.items()},
    )


def _with_bias(name: str, ports: tuple[Port, ...], bias: Mapping[str, float]) -> tuple[Port, ...]:
    """Put the initial biases on their row blocks; a shared name goes to the input half."""
    home = {p.name: p.name for p in ports if p.kind in ("gate", "from_input", "from_state")}
    home |= {
        p.name[:-2]: p.name
        for p in ports
        if p.kind == "from_input" and p.name.endswith("_x") and f"{p.name[:-2]}_h" in home
    }
    initial: dict[str, float] = {}
    for block, value in bias.items():
        if block not in home:
            raise InputError(
                f"bias of cell {name} names {block!r}, which is no gate: {nearest(block, home)}"
            )
        initial[home[block]] = value
    return tuple(replace(p, initial=initial[p.name]) if p.name in initial else p for p in ports)


def _with_draws(name: str, ports: tuple[Port, ...], draws: Mapping[str, Draw]) -> tuple[Port, ...]:
    noises = [p.name for p in ports if p.kind == "noise"]
    for noise in draws:
        if noise not in noises:
            raise InputError(
                f"draws of cell {name} names {noise!r}, which is no Noise: {nearest(noise, noises)}"
            )
    return tuple(replace(p, draw=draws[p.name]) if p.name in draws else p for p in ports)
