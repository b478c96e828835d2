"""Cell to cell: values that are limited, as programs of before limit them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..errors import InputError, nearest
from .expr import Expr, var, walk, where
from .transform import new_memory, refuse_again, rewritten
from .value import Cell, Port

_WHAT = ("c", "gates")
_ROWS = ("gate", "from_input", "from_state")
_ARITHMETIC = ("add", "sub", "mul", "div", "neg")


def clip(cell: Cell, limit: float, what: str = "c") -> Cell:
    """Hold the memory, or what the gates' activations are applied to, within `[-limit, limit]`.

    Beyond the limit no gradient flows, on it and within it all of it does, as in `torch.clamp`.

    Args:
        cell: The equations to limit.
        limit: The largest magnitude, above 0; the constant `clip_c` or `clip_gates` of the new
            cell, which `Cell.with_` changes.
        what: `"c"` limits the new memory before anything is made of it, peepholes included (Sak,
            Senior and Beaufays, Long Short-Term Memory Recurrent Neural Network Architectures for
            Large Scale Acoustic Modeling, 2014, https://arxiv.org/abs/1402.1128; TensorFlow's
            `cell_clip`). `"gates"` limits what each gate sums up, of the input, of the state, its
            bias and its peephole, before the activation, as ONNX's attribute `clip` does
            (https://onnx.ai/onnx/operators/onnx__LSTM.html). Layer norm comes afterwards.

    Raises:
        InputError: The limit is not a number above 0, the cell has no memory or no gates, is
            limited so already, or has layer norm of the gates that are to be limited.

    Example:
        >>> from gatewise.cells import lstm
        >>> clip(lstm, 50).hypers
        {'clip_c': 50.0}
    """
    if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not 0 < limit < math.inf:
        raise InputError(f"limit={limit!r}: clip takes a finite number above 0")
    if what not in _WHAT:
        raise InputError(f"what={what!r}: clip knows these; {nearest(str(what), _WHAT)}")
    port = Port(f"clip_{what}", "hyper", float(limit))
    refuse_again(cell, [port.name], "clip")
    given = replace(cell, ports=(*cell.ports, port))
    clipped = _clipped_memory(given) if what == "c" else _clipped_gates(given)
    return replace(clipped, name=f"{cell.name}_clip")


def _clipped_memory(cell: Cell) -> Cell:
    memory = new_memory(cell, "clip")
    if memory is None:
        raise InputError(
            f"cell {cell.name} computes no memory c that clip could limit: give what='gates'"
        )
    outputs, labels = rewritten(
        cell, lambda node: _limited(node, var("clip_c")) if node is memory else node
    )
    return replace(cell, outputs=outputs, labels=labels)


def _clipped_gates(cell: Cell) -> Cell:
    if any(name.startswith(("gain_x_", "gain_h_")) for name in cell.weights):
        raise InputError(
            f"the gates of cell {cell.name} have layer norm: apply clip first, then layer_norm"
        )
    sums = set(_sums(cell))
    if not sums:
        raise InputError(
            f"cell {cell.name} has no gates that clip could limit: give it a Gate, a FromInput or "
            "a FromState"
        )
    before = [*cell.outputs, *(node for _, node in cell.labels)]
    new: dict[Expr, Expr] = {}
    for node in walk(before):
        again = Expr(node.op, tuple(new[a] for a in node.args), node.value)
        # Told apart as they were before: a peephole's sum holds other gates.
        new[node] = _limited(again, var("clip_gates")) if node in sums else again
    labels = tuple((name, new[node]) for name, node in cell.labels)
    return replace(cell, outputs=tuple(new[o] for o in cell.outputs), labels=labels)


def _limited(value: Expr, limit: Expr) -> Expr:
    return where(value < -limit, -limit, where(limit < value, limit, value))


def _sums(cell: Cell) -> Iterator[Expr]:
    """What each gate sums up: from its rows upwards, as far as there is nothing but addition."""
    users: dict[Expr, list[Expr]] = {}
    rows: dict[str, Expr] = {}
    for node in walk(cell.outputs):
        for argument in node.args:
            users.setdefault(argument, []).append(node)
        if node.op in ("var", "product") and cell.inputs[str(node.value)] in _ROWS:
            rows[str(node.value)] = node
    covered: set[Expr] = set()
    for row in (*cell.input_rows, *cell.state_rows):
        # The GRU's n holds r times its state's half, which is no sum of its own.
        if row in rows and rows[row] not in covered:
            sum_ = _whole(cell, rows[row], users)
            covered.update(_terms(cell, sum_))
            yield sum_


def _whole(cell: Cell, node: Expr, users: Mapping[Expr, list[Expr]]) -> Expr:
    """The largest sum that a row is a term of; a new state is none."""
    while node not in cell.outputs:
        above = users[node]
        if len(above) != 1 or above[0].op not in ("add", "sub") or above[0] in cell.outputs:
            break
        left, right = above[0].args
        if _is_state(cell, right if left is node else left):
            break  # As the stabiliser of the xLSTM, which shifts a gate from outside.
        node = above[0]
    return node


def _is_state(cell: Cell, node: Expr) -> bool:
    """Whether a value depends on the state of before and on nothing learned."""
    kinds = {cell.inputs[str(n.value)] for n in walk([node]) if n.op in ("var", "product")}
    return "state" in kinds and kinds.isdisjoint((*_ROWS, "weight"))


def _terms(cell: Cell, sum_: Expr) -> set[Expr]:
    """The nodes that a sum consists of, down to activations and new states."""
    found: set[Expr] = set()
    pending = [sum_]
    while pending:
        node = pending.pop()
        if node not in found:
            found.add(node)
            if node.op in _ARITHMETIC and node not in cell.outputs:
                pending.extend(node.args)
    return found
