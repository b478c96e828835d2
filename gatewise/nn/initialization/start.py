"""How the weights of a recurrent layer start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import log

from torch import Tensor

from ...compiler import Cell
from ...connectivity import Connectivity, Dense
from .chosen import Chosen, Schemes, shifts
from .chrono import keepers
from .schemes import memory_biases

_DENSE = Dense()
_LONGEST = 1000
"""Periods of a phased LSTM start between 1 and so many times the unit of `dt`."""


def initialize(
    cell: Cell,
    weights: Mapping[str, Tensor],
    hidden_size: int,
    scheme: Schemes = "default",
    connectivity: Connectivity = _DENSE,
) -> None:
    """Fill the weights of one layer in one direction, in place.

    By default, gate by gate: recurrent weights orthogonal, input weights Glorot uniform. Vectors
    start where the cell says. A gate's initial bias is in total what the cell or the scheme says,
    so it stands in one of its two bias vectors only; `uniform` alone draws both, as torch does. The
    clocks of a phased LSTM are drawn: periods from 1 to 1,000 evenly in their logarithm, shifts
    within a period (Neil, Pfeiffer & Liu 2016, https://arxiv.org/abs/1610.09513, who choose the
    range by the task: `{"log_period": 2.0}` sets all alike).

    Args:
        cell: The cell that they belong to.
        weights: As `engines.parameters` names them; call it where no gradient is recorded.
        hidden_size: Rows of each gate.
        scheme: A scheme for the layer as text, such as `"orthogonal"`, `"chrono:784"` or `"irnn"`
            (`Scheme` lists them), which applies where it has a meaning; or schemes by what they
            start: `"weight_ih"`, `"weight_hh"`, `"weight_hr"`, `"bias"`, a vector of the cell such
            as `"p_i"`, or one gate, `"weight_hh.f"`, `"bias.f"`, which goes before. A number is a
            constant. The halves `n_x` and `n_h` of a gate can be named apart or, as `n`, together;
            their bias then stands in `n_x`. Under layer norm `"bias"` names the shifts, which are
            in the place of the biases. What is not named starts by default.
        connectivity: Which recurrent weights there are; its class says how they take a scheme.

    Raises:
        InputError: A scheme or what it starts is unknown, the layer does not have it, or the
            scheme has no meaning there.

    Example:
        >>> import torch
        >>> from gatewise.cells import lstm
        >>> weights = {"bias_ih": torch.ones(8), "bias_hh": torch.ones(8)}
        >>> initialize(lstm, weights, 2)
        >>> (weights["bias_ih"] + weights["bias_hh"]).tolist()
        [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
        >>> initialize(lstm, weights, 2, {"bias.f": 2.0, "bias.i": -1})
        >>> (weights["bias_ih"] + weights["bias_hh"]).tolist()
        [-1.0, -1.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0]
    """
    chosen = Chosen(cell, scheme, weights)
    gates = cell.state_rows

    def fill(gate: int, matrix: Tensor, gain: Tensor | float) -> None:
        chosen.at("weight_hh", gates[gate]).fill(matrix, matrix.shape[0], gain)

    if "weight_ih" in weights:
        blocks = weights["weight_ih"].split(hidden_size)
        for row, block in zip(cell.input_rows, blocks, strict=True):
            chosen.at("weight_ih", row).fill(block, hidden_size)
    own = connectivity.parameters(len(gates), hidden_size).keys() - {"weight_hr"}
    if own & weights.keys():
        connectivity.initialize(weights, len(gates), hidden_size, fill)
    _start_biases(cell, weights, hidden_size, chosen)
    biases = {"bias_ih", "bias_hh", *shifts(cell, weights).values()}
    for name, weight in weights.items():
        if name not in own | biases | {"weight_ih"}:
            chosen.at(name).fill(weight, hidden_size)
    if {"log_period", "shift"} <= weights.keys():
        _start_clock(weights["log_period"], weights["shift"], chosen)


def _start_clock(log_period: Tensor, shift: Tensor, chosen: Chosen) -> None:
    """Draw what no scheme was given for: units of a phased LSTM have clocks of their own."""
    if chosen.is_default("log_period"):
        log_period.uniform_(0, log(_LONGEST))
    if chosen.is_default("shift"):
        shift.uniform_(0, 1).mul_(log_period.exp())


def _start_biases(
    cell: Cell, weights: Mapping[str, Tensor], hidden_size: int, chosen: Chosen
) -> None:
    # By row, the one of its two blocks that holds the total; and the gates that have theirs.
    totals: dict[str, Tensor] = {}
    done: set[str] = set()
    for row, block in _biases(cell, weights, hidden_size):
        scheme = chosen.at("bias", row)
        gate = cell.block(row)
        again = row in totals or (gate in done and chosen.is_shared("bias", row))
        if again and scheme.name != "uniform":
            block.zero_()
            continue
        totals.setdefault(row, block)
        done.add(gate)
        if scheme.name == "chrono":  # Of its gates below, of the others here.
            scheme = chosen.default("bias", row)
        scheme.fill(block, hidden_size)
    _start_memory(cell, totals, chosen)


def _biases(
    cell: Cell, weights: Mapping[str, Tensor], hidden_size: int
) -> Iterator[tuple[str, Tensor]]:
    """Row blocks with their biases, or with the shifts that layer norm has in place of them."""
    for name, rows in (("bias_ih", cell.input_rows), ("bias_hh", cell.state_rows)):
        if name in weights:
            yield from zip(rows, weights[name].split(hidden_size), strict=True)
    for row, name in shifts(cell, weights).items():
        yield row, weights[name]


def _start_memory(cell: Cell, totals: Mapping[str, Tensor], chosen: Chosen) -> None:
    """Give the gates that keep the memory, and the input gate beside them, chrono's biases."""
    timed = {row: scheme for row in totals if (scheme := chosen.at("bias", row)).name == "chrono"}
    for row, sign in keepers(cell).items() if timed else ():
        if row in timed:
            bias = sign * memory_biases(timed[row].number or 0.0, totals[row])
            totals[row].copy_(bias)
            beside = [name for name in timed if cell.block(name) == "i" != cell.block(row)]
            for name in beside[:1]:
                totals[name].copy_(-bias)
