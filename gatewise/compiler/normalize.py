"""Cell to cell: layer norm inside the recurrence, placed as papers and programs place it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import add

from ..errors import InputError, nearest
from .expr import Expr, mean, sqrt, var, walk
from .transform import halved, new_memory, refuse_again, rewritten
from .value import Cell, Port

_PLACEMENTS = ("ba", "stored")
_EPS = "eps"


def layer_norm(cell: Cell, placement: str = "ba") -> Cell:
    """Normalise over the units what reaches the gates, and the memory that the output is made of.

    Ba, Kiros and Hinton, Layer Normalization, 2016 (https://arxiv.org/abs/1607.06450), equations
    20 to 22. A gate's `W x + U h + b` becomes `LN(W x) + LN(U h) + shift`, where LN subtracts the
    mean, divides by the standard deviation and multiplies by a learned gain. Mean and deviation
    are those of all units of all gates together: of all rows that multiply the input, and of all
    rows that multiply the same value. So the GRU's three gates share theirs on either side (the
    paper's own GRU normalises its candidate apart), and rows that are applied to a value, such as
    `r * h`, have their own, taken from that product.

    The memory is the state `c`, unless it is the output itself or counts only in relation to
    another state, as in sLSTM's `c / n`. Cells without one are normalised at the gates only.

    The new weights, by gate `i`: `gain_x_i` of the input's half and `gain_h_i` of the state's,
    from 1; `shift_i`, from the gate's initial bias, which thereby moves out of the rows; where the
    equations do more with the halves than add them (the GRU's `n`), `shift_n` is for the input's
    and `shift_h_n` for the state's; `gain_c` and `shift_c` for the memory. A shift takes the place
    of the biases, so build the layer with `bias=False`: what it has of them would be added before
    the normalisation. The constant `eps`, 1e-5, is added to the variance.

    Args:
        cell: The equations to normalise. Zoneout and recurrent dropout may come before or
            afterwards: the result is the same.
        placement: What becomes of the memory. `"ba"` stores it as it is and makes the output of
            its normal form: `h = o * tanh(LN(c))`; peepholes, vectors of weights times the
            memory, see what is stored. `"stored"` stores the normal form, so that the next step
            and the peepholes see it too: `c = LN(f * c + i * g)`, as the LSTM of PyTorch's
            benchmarks does (https://github.com/pytorch/pytorch/tree/main/benchmarks/fastrnns).

    Raises:
        InputError: There is no such placement, the cell has no gates or layer norm already, or
            zoneout has mixed a memory that has no name in the equations.

    Example:
        >>> from gatewise.cells import elman
        >>> normal = layer_norm(elman)
        >>> normal.weights, normal.hypers
        ({'gain_x_a': 1.0, 'gain_h_a': 1.0, 'shift_a': 0.0}, {'eps': 1e-05})
    """
    if placement not in _PLACEMENTS:
        raise InputError(
            f"placement={placement!r}: layer_norm knows these; "
            f"{nearest(str(placement), _PLACEMENTS)}"
        )
    normal = _normal_memory(_normal_gates(cell), placement)
    return replace(normal, name=f"{cell.name}_layer_norm")


def shift_of(cell: Cell, row: str) -> str | None:
    """Name the vector into which layer norm has moved the bias of a row block, if it has one.

    Example:
        >>> from gatewise.cells import gru
        >>> [shift_of(layer_norm(gru), row) for row in ("r_x", "r_h", "n_x", "n_h")]
        ['shift_r', None, 'shift_n', 'shift_h_n']
    """
    block, from_input = cell.block(row), row in cell.input_rows
    if f"gain_{'x' if from_input else 'h'}_{block}" not in cell.weights:
        return None
    alone = from_input or all(cell.block(other) != block for other in cell.input_rows)
    name = f"shift_{block}" if alone else f"shift_h_{block}"
    return name if name in cell.weights else None


def _normal_gates(cell: Cell) -> Cell:
    plain = halved(cell)
    nodes = _rows(plain)
    if not nodes:
        raise InputError(
            f"cell {cell.name} has no gates that layer_norm could normalise: give it a Gate, a "
            "FromInput or a FromState"
        )
    gains, shifts = _gains(plain, nodes), _shifts(plain, nodes)
    weights = (*gains.values(), *shifts.values())
    refuse_again(cell, [*(port.name for port in weights), _EPS], "layer_norm")
    sides = _sides(plain, nodes)
    statistics: dict[str, Expr] = {}

    def rule(node: Expr) -> Expr:
        row = str(node.value)
        if node.op not in ("var", "product") or row not in nodes:
            return node
        side, members = sides[row]
        # What the rows are applied to may hold gates, which are normalised by now.
        mu, rho = _statistics([
            Expr("product", node.args, n.value) if n.args and node.args else n
            for n in members
        ])  # fmt: skip
        statistics.update({f"mu_{side}": mu, f"rho_{side}": rho})
        normal = (node - mu) * rho * var(gains[row].name)
        return normal + var(shifts[row].name) if row in shifts else normal

    outputs, labels = rewritten(plain, rule)
    return replace(
        plain,
        ports=(
            *(replace(p, initial=0.0) if p.name in nodes else p for p in plain.ports),
            *weights,
            Port(_EPS, "hyper", 1e-5),
        ),
        outputs=outputs,
        labels=(*statistics.items(), *labels),
    )


def _rows(cell: Cell) -> dict[str, Expr]:
    """Each row block's place in the equations, in declared order."""
    kinds = ("from_input", "from_state")
    found = {
        str(node.value): node
        for node in walk(cell.outputs)
        if node.op == "product" or (node.op == "var" and cell.inputs[str(node.value)] in kinds)
    }
    return {p.name: found[p.name] for p in cell.ports if p.name in found}


def _sides(cell: Cell, nodes: Mapping[str, Expr]) -> dict[str, tuple[str, list[Expr]]]:
    """For each row block a short name, and the rows, for what is normalised together with it."""
    output = var(cell.states[0])
    sides: dict[Expr | None, tuple[str, list[Expr]]] = {}
    found: dict[str, tuple[str, list[Expr]]] = {}
    for row, node in nodes.items():
        operand = None if row in cell.input_rows else node.args[0] if node.args else output
        name = "x" if operand is None else "h" if operand is output else row
        found[row] = sides.setdefault(operand, (name, []))
        found[row][1].append(node)
    return found


def _gains(cell: Cell, nodes: Mapping[str, Expr]) -> dict[str, Port]:
    return {
        row: Port(f"gain_{half}_{cell.block(row)}", "weight", 1.0)
        for half, rows in (("x", cell.input_rows), ("h", cell.state_rows))
        for row in rows
        if row in nodes
    }


def _shifts(cell: Cell, nodes: Mapping[str, Expr]) -> dict[str, Port]:
    """One for each gate, on its input half; the state's half has one where it is not just added."""
    users: dict[Expr, list[Expr]] = {}
    for node in walk(cell.outputs):
        for argument in node.args:
            users.setdefault(argument, []).append(node)
    initial = {p.name: p.initial for p in cell.ports}
    halves = {cell.block(row): row for row in cell.input_rows if row in nodes}
    total = {row: initial[row] for row in halves.values()}
    names = {row: block for block, row in halves.items()}
    for row in cell.state_rows:
        if row not in nodes:
            continue
        block, above = cell.block(row), users.get(nodes[row], [])
        half = halves.get(block)
        if half is None:
            total[row], names[row] = initial[row], block
        elif len(above) == 1 and above[0] in (nodes[half] + nodes[row], nodes[row] + nodes[half]):
            total[half] += initial[row]
        else:
            total[row], names[row] = initial[row], f"h_{block}"
    return {row: Port(f"shift_{names[row]}", "weight", total[row]) for row in total}


def _normal_memory(cell: Cell, placement: str) -> Cell:
    memory = new_memory(cell, "layer_norm") if "c" in cell.states[1:] else None
    related = any(n.op == "div" and n.args[0] is memory for n in walk(cell.outputs))
    if memory is None or related:
        return cell
    gain, shift = Port("gain_c", "weight", 1.0), Port("shift_c", "weight")
    refuse_again(cell, [gain.name, shift.name], "layer_norm")
    mu, rho = _statistics([memory])
    normal = (memory - mu) * rho * var(gain.name) + var(shift.name)

    def stored(node: Expr) -> Expr:
        return normal if node is memory else node

    def seen(node: Expr) -> Expr:
        if memory not in node.args or _is_peephole(cell, node):
            return node
        return Expr(node.op, tuple(map(stored, node.args)), node.value)

    outputs, labels = rewritten(cell, stored if placement == "stored" else seen)
    if placement == "ba":
        own = cell.outputs[cell.states.index("c")]
        outputs = tuple(
            own if state == "c" else stored(new)
            for state, new in zip(cell.states, outputs, strict=True)
        )
        labels = tuple((name, own if name == "c" else node) for name, node in labels)
    return replace(
        cell,
        ports=(*cell.ports, gain, shift),
        outputs=outputs,
        labels=(*labels, ("mu_c", mu), ("rho_c", rho)),
    )


def _is_peephole(cell: Cell, node: Expr) -> bool:
    return node.op == "mul" and any(a.op == "var" and a.value in cell.weights for a in node.args)


def _statistics(values: Sequence[Expr]) -> tuple[Expr, Expr]:
    """Mean and reciprocal standard deviation of all units of some values together."""
    mu = mean(reduce(add, values)) / len(values)
    variance = mean(reduce(add, [(v - mu) ** 2 for v in values])) / len(values)
    return mu, 1 / sqrt(variance + var(_EPS))
