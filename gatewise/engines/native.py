"""What torch itself is best at: its own LSTM, GRU and tanh RNN (oneDNN, cuDNN)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import _VF, Tensor

from .. import cells
from ..compiler import Cell
from ..connectivity import Dense
from . import onednn
from .call import Call, Result
from .tracing import is_transformed

Kernel = Callable[..., tuple[Tensor, ...]]

_KERNELS: tuple[tuple[Cell, Kernel], ...] = (
    (cells.lstm, _VF.lstm),
    (cells.gru, _VF.gru),
    (cells.elman, _VF.rnn_tanh),
    (cells.elman_relu, _VF.rnn_relu),
)


_found: dict[str, Kernel | None] = {}


def kernel_for(cell: Cell) -> Kernel | None:
    """Find torch's kernel for a cell by its content: a cell of the same equations has it too."""
    if cell.key not in _found:
        kernels = (kernel for known, kernel in _KERNELS if _content(known) == _content(cell))
        _found[cell.key] = next(kernels, None)
    return _found[cell.key]


def _content(cell: Cell) -> tuple[object, ...]:
    """What a cell computes, without its name, the names of its values and its initial biases."""
    return (*((port.name, port.kind) for port in cell.ports), cell.outputs)


_ORDER = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")

# A sigmoid is exactly 0 or 1 at this distance, in every floating type, and float16 can hold it.
_SATURATED = 1e4


class Native:
    """torch's own kernels, for the cells and the connectivity that they are made for."""

    name = "native"

    def why_not(self, call: Call) -> str | None:
        """See `Engine.why_not`."""
        cell, connectivity, x = call.cell, call.connectivity, call.x
        if cell.noises:
            noises = ", ".join(cell.noises)
            return f"torch's kernels know no noise inside the recurrence, here {noises}"
        kernel = kernel_for(cell)
        if kernel is None:
            known = ", ".join(known.name for known, _ in _KERNELS)
            return f"torch has no kernel for {cell.name}, only for {known}"
        if not isinstance(connectivity, Dense):
            return f"torch's kernels know only the dense connectivity, not {connectivity}"
        if connectivity.proj_size and kernel is not _VF.lstm:
            return "torch has a projection for the lstm alone"
        if x.shape[1] == 0:
            return "torch's kernels want at least one time step"
        if not x.is_floating_point():
            return f"torch's kernels take real floating numbers, not {x.dtype}"
        if is_transformed():
            return "torch's kernels know no torch.func transforms and no forward-mode gradients"
        if kernel is _VF.lstm and _is_onednn(x, connectivity) and not onednn.can_run():
            return "torch's kernel for the lstm makes code as it runs, which this system forbids"
        return None

    def run(self, call: Call) -> Result:
        """See `Engine.run`."""
        if call.lengths is not None:
            return _run_ragged(call, call.lengths)
        x = call.x.flip(1) if call.reverse else call.x
        y, state = _run_full(call, x, _flat(call))
        return (y.flip(1) if call.reverse else y), state


def _is_onednn(x: Tensor, connectivity: Dense) -> bool:
    """Whether oneDNN is what torch runs an LSTM by."""
    usual = x.is_cpu and x.dtype != torch.float64 and not connectivity.proj_size
    return usual and onednn.is_used()


def _flat(call: Call) -> list[Tensor]:
    """The weights in torch's order."""
    return [call.weights[name] for name in _ORDER if name in call.weights]


def _run_full(call: Call, x: Tensor, weights: list[Tensor]) -> Result:
    """Run every sequence to the last step."""
    state = [s.unsqueeze(0) for s in call.state]
    kernel = kernel_for(call.cell)
    assert kernel is not None, "why_not lets no other cell pass"
    y, *last = kernel(
        x,
        state if len(state) > 1 else state[0],
        weights,
        "bias_ih" in call.weights,
        1,
        0.0,
        # cuDNN can only be differentiated after a forward pass in training mode.
        torch.is_grad_enabled(),
        False,
        True,
    )
    return y, tuple(s.squeeze(0) for s in last)


def _run_ragged(call: Call, lengths: Tensor) -> Result:
    """Run sequences of different lengths without packing, which would want them on the host.

    Outputs never look ahead, so those within a sequence are right whatever follows it, and the
    final `h` is the output at its last step. The final `c` of an LSTM is not among the outputs:
    one more input, 1 past the end, shuts `i` and `o` and opens `f` there, which carries `c` on
    unchanged.
    """
    steps = torch.arange(call.x.shape[1], device=lengths.device)
    inside = steps < lengths.unsqueeze(1)
    past = ~inside.unsqueeze(-1)
    x, weights = call.x.masked_fill(past, 0), _flat(call)
    # Steps in the order in which they are run: turned around within the length, [batch, time, 1].
    order = torch.where(inside, lengths.unsqueeze(1) - 1 - steps, steps).unsqueeze(-1)
    if call.reverse:
        x = x.take_along_dim(order, 1)
    if kernel_for(call.cell) is _VF.lstm:
        x = torch.cat([x, past.to(x.dtype)], -1)
        weights[0] = torch.cat([weights[0], _shut(weights[0])], 1)
    y, state = _run_full(call, x, weights)
    last = (lengths - 1).clamp(min=0).view(-1, 1, 1)
    state = (y.take_along_dim(last, 1).squeeze(1), *state[1:])
    empty = (lengths == 0).unsqueeze(-1)
    state = tuple(torch.where(empty, old, new) for old, new in zip(call.state, state, strict=True))
    y = y.masked_fill(past, 0)
    return (y.take_along_dim(order, 1) if call.reverse else y), state


def _shut(weight_ih: Tensor) -> Tensor:
    """The LSTM's input weights, [4 * hidden, 1], of a feature that freezes its memory."""
    column = weight_ih.new_tensor([-_SATURATED, _SATURATED, 0.0, -_SATURATED])
    return column.repeat_interleave(weight_ih.shape[0] // 4).unsqueeze(1)
