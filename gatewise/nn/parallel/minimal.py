"""LSTM and GRU reduced to what can be run in parallel: gates that see the input alone."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import init

from ...errors import InputError, nearest
from .input_gated import InputGated, States, Weights
from .scan import linear_scan

VERSIONS = ("log", "vanilla")
"""The candidate of the paper's log-space version, which is positive, and that of the plain one."""


class _Minimal(InputGated):
    """A recurrence `h = a * h + b` in which a and b come from the input."""

    states = ("h",)
    defaults: ClassVar = {"version": "log", **InputGated.defaults}
    rows: ClassVar[dict[str, float]]
    """Blocks of `weight_ih` and the initial bias of each."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        version: str = "log",
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bidirectional, dropout)
        if version not in VERSIONS:
            raise InputError(
                f"version={version!r}: give one of these; {nearest(str(version), VERSIONS)}"
            )
        self.version = version
        self._register(device, dtype)

    def _kept_and_added(self, blocks: States) -> tuple[Tensor, Tensor]:
        """Give a and b, [batch, time, hidden], from the blocks of the input's product."""
        raise NotImplementedError

    def _candidate(self, x: Tensor) -> Tensor:
        return positive(x) if self.version == "log" else x

    def _weight_shapes(self, width: int) -> dict[str, tuple[int, ...]]:
        rows = len(self.rows) * self.hidden_size
        return {"weight_ih": (rows, width), "bias_ih": (rows,)}

    def _state_shapes(self) -> tuple[tuple[int, ...], ...]:
        return ((self.hidden_size,),)

    def _initialize(self, weights: Weights) -> None:
        for block in weights["weight_ih"].split(self.hidden_size):
            init.xavier_uniform_(block)
        blocks = weights["bias_ih"].split(self.hidden_size)
        for block, value in zip(blocks, self.rows.values(), strict=True):
            block.fill_(value)

    def _run(
        self, x: Tensor, weights: Weights, state: States, inside: Tensor | None
    ) -> tuple[Tensor, States]:
        product = F.linear(x, weights["weight_ih"], weights["bias_ih"])
        kept, added = self._kept_and_added(product.split(self.hidden_size, -1))
        if inside is not None:
            kept, added = kept.masked_fill(~inside, 1), added.masked_fill(~inside, 0)
        h = linear_scan(kept, added, state[0])
        return h[:, 1:], (h[:, -1],)


class MinLSTM(_Minimal):
    """LSTM without an output gate whose gates see the input alone: all of time at once.

    Feng et al., Were RNNs All We Needed?, 2024 (https://arxiv.org/abs/2410.01201). Its gates
    share one unit between what is kept and what is added:

        i, f = sigmoid(W_i x), sigmoid(W_f x)
        h = f / (f + i) * h + i / (f + i) * g(W_g x)

    Since no gate sees the state, it cannot follow state as an LSTM can (parity, counters), and
    its work is a matrix product and a scan, linear in time. The scan multiplies where the paper's
    log-space code adds logarithms; the numbers are the same, and gates saturated at 0 or 1 are
    exact. State starts at 0 and is h itself.

    Args:
        input_size: Features of each time step.
        hidden_size: Units of each layer and direction.
        version: `"log"`, as in the paper's experiments: g makes the candidate positive,
            `x + 0.5` from 0 on and `sigmoid(x)` below. `"vanilla"`: g is the identity.
        num_layers: Layers, each fed with the outputs of the one before.
        bidirectional: Whether a second set of layers reads time backwards; outputs are side by
            side.
        dropout: Rate of what is dropped between layers while training.
        device: Device of the weights.
        dtype: Type of the weights.

    Attributes:
        weight_ih_l0: Input weights of the first layer, rows i, f, g, [3 * hidden_size, input_size],
            Glorot uniform at the start.
        bias_ih_l0: Biases, rows i, f, g; that of f starts at 1, so that a unit forgets slowly.
        output_size: Features of the output.

    Raises:
        InputError: An argument is not one of the above.

    Example:
        >>> layer = MinLSTM(3, 8, num_layers=2)
        >>> y, state = layer(torch.randn(2, 5, 3), lengths=[5, 2])
        >>> y.shape, state.h.shape
        (torch.Size([2, 5, 8]), torch.Size([2, 2, 8]))
    """

    rows: ClassVar = {"i": 0.0, "f": 1.0, "g": 0.0}

    def _kept_and_added(self, blocks: States) -> tuple[Tensor, Tensor]:
        i, f, g = blocks
        # The logarithm of f / i; its sigmoid is f / (f + i), also where both are nearly 0.
        lead = F.logsigmoid(f) - F.logsigmoid(i)
        return lead.sigmoid(), (-lead).sigmoid() * self._candidate(g)


class MinGRU(_Minimal):
    """GRU without a reset gate whose gate sees the input alone: all of time at once.

    Feng et al., Were RNNs All We Needed?, 2024 (https://arxiv.org/abs/2410.01201):

        z = sigmoid(W_z x)
        h = (1 - z) * h + z * g(W_n x)

    The gate z weighs the candidate, as in the paper; in `GRU` and torch's it weighs the state.
    What `MinLSTM` says of the scan and of state holds here too.

    Args:
        input_size: Features of each time step.
        hidden_size: Units of each layer and direction.
        version: `"log"`, as in the paper's experiments: g makes the candidate positive,
            `x + 0.5` from 0 on and `sigmoid(x)` below. `"vanilla"`: g is the identity.
        num_layers: Layers, each fed with the outputs of the one before.
        bidirectional: Whether a second set of layers reads time backwards; outputs are side by
            side.
        dropout: Rate of what is dropped between layers while training.
        device: Device of the weights.
        dtype: Type of the weights.

    Attributes:
        weight_ih_l0: Input weights of the first layer, rows z, n, [2 * hidden_size, input_size],
            Glorot uniform at the start.
        bias_ih_l0: Biases, rows z, n; they start at 0.
        output_size: Features of the output.

    Raises:
        InputError: An argument is not one of the above.

    Example:
        >>> layer = MinGRU(3, 8, version="vanilla")
        >>> x = torch.randn(2, 5, 3)
        >>> y, state = layer(x)
        >>> later, _ = layer.step(x[:, 0], state)
        >>> y.shape, later.shape
        (torch.Size([2, 5, 8]), torch.Size([2, 8]))
    """

    rows: ClassVar = {"z": 0.0, "n": 0.0}

    def _kept_and_added(self, blocks: States) -> tuple[Tensor, Tensor]:
        z, n = blocks
        return (-z).sigmoid(), z.sigmoid() * self._candidate(n)


def positive(x: Tensor) -> Tensor:
    """The g of the paper: `x + 0.5` from 0 on and `sigmoid(x)` below.

    Example:
        >>> positive(torch.tensor([-1.0, 0.0, 2.0]))
        tensor([0.2689, 0.5000, 2.5000])
    """
    # Written so, it is one pass less than a choice, and its gradient two.
    return x.relu() + x.clamp(max=0).sigmoid()
