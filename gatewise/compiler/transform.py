"""Cell to cell: regularisers that act inside the recurrence, as equations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import lru_cache

from ..errors import InputError, nearest
from .expr import Expr, const, rewrite, var, walk
from .simplify import simplify
from .value import Cell, Draw, Port


def zoneout(cell: Cell, rates: Mapping[str, float]) -> Cell:
    """Let units keep their old state at random: `z * old + (1 - z) * new`.

    Krueger et al., Zoneout: Regularizing RNNs by Randomly Preserving Hidden Activations, 2017
    (https://arxiv.org/abs/1606.01305). The mask z of state `c` is the noise `zone_c`: 1 with
    probability `rate` at each step, and `rate` itself, the expectation, in evaluation. What the
    equations make of a new state, such as `o * tanh(c)`, they make of it before zoneout.

    Args:
        cell: The equations to regularise.
        rates: Each state's probability of being kept, from 0 (the plain state) to below 1.

    Raises:
        InputError: A name is no state of the cell, a rate is not in [0, 1), or the state has
            zoneout already.

    Example:
        >>> from gatewise.cells import gru
        >>> zoneout(gru, {"h": 0.1}).noises
        {'zone_h': 0.1}
    """
    for state, rate in rates.items():
        if state not in cell.states:
            raise InputError(
                f"zoneout names {state!r}, which is no state of cell {cell.name}: "
                f"{nearest(str(state), cell.states)}"
            )
        _check_rate(f"zoneout of {state}", rate)
    rates = {state: rates[state] for state in cell.states if rates.get(state)}
    if not rates:
        return cell
    masks = {state: f"zone_{state}" for state in rates}
    refuse_again(cell, masks.values(), "zoneout")
    outputs = tuple(
        _mixed(var(masks[state]), var(state), new) if state in rates else new
        for state, new in zip(cell.states, cell.outputs, strict=True)
    )
    ports = [Port(masks[state], "noise", rate, Draw(rate)) for state, rate in rates.items()]
    return replace(
        cell,
        name=f"{cell.name}_zoneout",
        ports=(*cell.ports, *ports),
        outputs=outputs,
        # A state's name is for the value that is kept, so what it was before gets another.
        labels=tuple((f"{s}_new" if s in rates else s, node) for s, node in cell.labels),
    )


def recurrent_dropout(cell: Cell, rate: float, kind: str = "semeniuta") -> Cell:
    """Drop inside the recurrence, without forgetting what is remembered.

    Args:
        cell: The equations to regularise.
        rate: Probability of being dropped, from 0 (the plain cell) to below 1. What stays is
            scaled by `1 / (1 - rate)`, so that evaluation takes no notice.
        kind: `"semeniuta"` drops the candidate, anew at each step: `c = f * c + i * (m * g)`
            (Semeniuta, Severyn and Barth, Recurrent Dropout without Memory Loss, 2016,
            https://arxiv.org/abs/1603.05118). The candidate is what the equations call `g` or
            `n`, if it is no sigmoid, and the noise is `drop_g` or `drop_n`. `"gal"` drops what the
            recurrent weights multiply, with one mask for the sequence, the noise `drop_h` (Gal and
            Ghahramani, A Theoretically Grounded Application of Dropout in Recurrent Neural
            Networks, 2016, https://arxiv.org/abs/1512.05287).

    Raises:
        InputError: The rate is not in [0, 1), there is no such kind, the cell has nothing to drop
            or has such dropout already.

    Example:
        >>> from gatewise.cells import lstm
        >>> recurrent_dropout(lstm, 0.2).draws
        {'drop_g': Draw(chance=0.8, per='step')}
    """
    if kind not in _KINDS:
        raise InputError(
            f"recurrent_dropout_kind={kind!r} is unknown: {nearest(str(kind), _KINDS)}"
        )
    _check_rate("recurrent dropout", rate)
    return _KINDS[kind](cell, rate) if rate else cell


def quiet(cell: Cell, noisy: frozenset[str] = frozenset()) -> Cell:
    """Put in for each noise the value that it has in evaluation, except for those in `noisy`.

    Example:
        >>> from gatewise.cells import lstm
        >>> quiet(recurrent_dropout(lstm, 0.2)).outputs == lstm.outputs
        True
    """
    return _quiet(cell, noisy) if cell.noises.keys() - noisy else cell


@lru_cache(maxsize=256)
def _quiet(cell: Cell, noisy: frozenset[str]) -> Cell:
    values = {name: const(v) for name, v in cell.noises.items() if name not in noisy}
    before = [*cell.outputs, *(node for _, node in cell.labels)]
    new = rewrite(before, lambda n: values.get(str(n.value), n) if n.op == "var" else n)
    after = simplify([new[node] for node in before])
    names = [name for name, _ in cell.labels]
    return replace(
        cell,
        ports=tuple(p for p in cell.ports if p.name not in values),
        outputs=after[: len(cell.outputs)],
        labels=tuple(zip(names, after[len(cell.outputs) :], strict=True)),
    )


_CANDIDATES = ("g", "n")


def _drop_candidate(cell: Cell, rate: float) -> Cell:
    named = [(name, node) for name, node in cell.labels if name in _CANDIDATES]
    # A gate that nothing is made of before it is written is a candidate as it is.
    bare = [(p.name, var(p.name)) for p in cell.ports if p.kind == "gate"]
    found = [
        (name, node)
        for name, node in named or [pair for pair in bare if pair[0] in _CANDIDATES]
        if node.op != "sigmoid" and name not in cell.states
    ]
    if len(found) != 1:
        raise InputError(
            f"cell {cell.name} has no one candidate, which its equations call g or n, for "
            "recurrent dropout of kind 'semeniuta' to drop: take the kind 'gal', or an LSTM or GRU"
        )
    ((name, candidate),) = found
    mask = _mask(cell, f"drop_{name}", rate, "step")
    new = rewrite(
        [*cell.outputs, *(node for _, node in cell.labels)],
        lambda node: var(mask.name) * node if node is candidate else node,
    )
    return replace(
        cell,
        name=f"{cell.name}_dropout",
        ports=(*cell.ports, mask),
        outputs=tuple(new[o] for o in cell.outputs),
        labels=tuple((s, n if n is candidate else new[n]) for s, n in cell.labels),
    )


def _drop_recurrent_input(cell: Cell, rate: float) -> Cell:
    if not cell.state_rows:
        raise InputError(
            f"cell {cell.name} has no recurrent weights whose input recurrent dropout of kind "
            "'gal' could drop"
        )
    mask = _mask(cell, "drop_h", rate, "sequence")
    kept, output = var(mask.name), var(cell.states[0])
    cell = halved(cell)

    def rule(node: Expr) -> Expr:
        if node.op == "product":
            return Expr("product", (kept * node.args[0],), node.value)
        if node.op == "var" and node.value in cell.state_rows:
            return Expr("product", (kept * output,), str(node.value))
        return node

    outputs, labels = rewritten(cell, rule)
    return replace(
        cell,
        name=f"{cell.name}_dropout",
        ports=(*cell.ports, mask),
        outputs=outputs,
        labels=labels,
    )


_KINDS = {"semeniuta": _drop_candidate, "gal": _drop_recurrent_input}


def halved(cell: Cell) -> Cell:
    """Write each gate as its two halves, `i` as `i_x + i_h`: the same weights, the same values."""
    gates = {p.name for p in cell.ports if p.kind == "gate"}

    def rule(node: Expr) -> Expr:
        if node.op == "var" and node.value in gates:
            return var(f"{node.value}_x") + var(f"{node.value}_h")
        return node

    outputs, labels = rewritten(cell, rule)
    ports = tuple(half for port in cell.ports for half in _halves(port))
    return replace(cell, ports=ports, outputs=outputs, labels=labels)


def rewritten(
    cell: Cell, rule: Callable[[Expr], Expr]
) -> tuple[tuple[Expr, ...], tuple[tuple[str, Expr], ...]]:
    """Give a cell's outputs and labels, each node replaced by what the rule makes of it."""
    new = rewrite([*cell.outputs, *(node for _, node in cell.labels)], rule)
    labels = tuple((name, new[node]) for name, node in cell.labels)
    return tuple(new[o] for o in cell.outputs), labels


def refuse_again(cell: Cell, names: Collection[str], what: str) -> None:
    """Refuse to apply a transform to a cell that has what the transform brings.

    Raises:
        InputError: One of the names is taken.
    """
    for name in names:
        if name in cell.inputs:
            raise InputError(f"cell {cell.name} has {name} already: apply {what} once")


def new_memory(cell: Cell, what: str) -> Expr | None:
    """Find the new memory, before zoneout or a clock mixes it with the old one.

    It is what the equations call `c_new`, else the new state `c`.

    Args:
        cell: The equations.
        what: Who asks, for the sentence.

    Returns:
        The value; nothing where there is no state `c`, or no equation for it.

    Raises:
        InputError: Zoneout has mixed it, and it has no name.
    """
    if "c" not in cell.states:
        return None
    state = cell.outputs[cell.states.index("c")]
    called = {node for name, node in cell.labels if name == "c_new"}
    # Zoneout calls so what a clock has mixed before; the first of them is not mixed.
    named = next((node for node in walk([state]) if node in called), None)
    if named is None and "zone_c" in cell.inputs:
        raise InputError(
            f"cell {cell.name} mixes the new c with the old one: apply {what} first, then zoneout"
        )
    memory = state if named is None else named
    return memory if memory.args else None


def _halves(port: Port) -> tuple[Port, ...]:
    if port.kind != "gate":
        return (port,)
    half = Port(f"{port.name}_x", "from_input", port.initial)
    return half, Port(f"{port.name}_h", "from_state")


def _mask(cell: Cell, name: str, rate: float, per: str) -> Port:
    refuse_again(cell, [name], "recurrent dropout")
    return Port(name, "noise", 1.0, Draw(1 - rate, per))


def _mixed(share: Expr, old: Expr, new: Expr) -> Expr:
    return share * old + (1 - share) * new


def _check_rate(what: str, rate: float) -> None:
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
        raise InputError(f"{what} has the rate {rate!r}: give at least 0 and below 1")
