"""The LSTM with a matrix for a memory (mLSTM)."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import init

from ...errors import InputError, nearest
from ..arguments import check_sizes
from .input_gated import InputGated, States, Weights
from .matrix_memory import Inputs, Memory, chunkwise, stepwise

FORMS = ("chunkwise", "parallel", "recurrent")
"""Ways to compute the same numbers."""


class MatrixLSTM(InputGated):
    """LSTM whose memory is a matrix per head, written by keys and read by queries (mLSTM).

    Beck et al., xLSTM: Extended Long Short-Term Memory, 2024 (https://arxiv.org/abs/2405.04517),
    equations 19 to 27, with the sigmoid forget gate:

        C = f * C + exp(i) * outer(k, v),   n = f * n + exp(i) * k
        h = sigmoid(o) * norm(q C / max(|q n|, 1))

    with k divided by the root of its size, gates i and f per head, and C and n kept less a factor
    exp(m) so that no exponential overflows. norm is a layer norm of each head (Ba et al. 2016,
    https://arxiv.org/abs/1607.06450) with a learned scale. Since no gate sees the output, time
    runs in parallel; recall of many keys is its strength, following a state (parity, counters) is
    not. This is the recurrent layer alone: the paper's block puts a projection, a convolution
    and a skip around it.

    Args:
        input_size: Features of each time step.
        hidden_size: Units of each layer and direction: keys, queries and values of all heads.
        num_heads: Memories side by side, each a matrix of `hidden_size / num_heads` rows and
            columns.
        form: How the same numbers come about. `"chunkwise"`: products within chunks and a scan
            over chunks, linear in time. `"parallel"`: one chunk of all steps, quadratic in time
            and memory. `"recurrent"`: step by step, constant memory without gradients.
        chunk_size: Steps of a chunk.
        num_layers: Layers, each fed with the outputs of the one before.
        bidirectional: Whether a second set of layers reads time backwards; outputs are side by
            side.
        dropout: Rate of what is dropped between layers while training.
        device: Device of the weights.
        dtype: Type of the weights; the memory of 16-bit layers is kept in float32.

    Attributes:
        weight_ih_l0: Input weights of the first layer, rows q, k, v, o, i, f, [4 * hidden_size +
            2 * num_heads, input_size]. At the start Glorot uniform, and 0 for the gates i and f.
        bias_ih_l0: Biases of these rows; at the start 0, for i drawn from N(0, 0.1), for f from 3
            in the first head to 6 in the last, as in the authors' code.
        norm_l0: Scale of the normalised output, [hidden_size].
        output_size: Features of the output.

    Raises:
        InputError: An argument is not one of the above.

    Example:
        >>> layer = MatrixLSTM(3, 8, num_heads=2)
        >>> x = torch.randn(2, 5, 3)
        >>> y, state = layer(x, lengths=[5, 2])
        >>> y.shape, state.c.shape, state.n.shape, state.m.shape
        (torch.Size([2, 5, 8]), torch.Size([1, 2, 2, 4, 4]), torch.Size([1, 2, 2, 4]),
         torch.Size([1, 2, 2]))
        >>> layer.form = "recurrent"
        >>> torch.allclose(layer(x, lengths=[5, 2])[0], y, atol=1e-5)
        True
    """

    states = ("c", "n", "m")
    defaults: ClassVar = {
        "num_heads": 4, "form": "chunkwise", "chunk_size": 64, **InputGated.defaults,
    }  # fmt: skip

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        num_heads: int = 4,
        form: str = "chunkwise",
        chunk_size: int = 64,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bidirectional, dropout)
        check_sizes({"num_heads": num_heads, "chunk_size": chunk_size}, dropout)
        if hidden_size % num_heads or hidden_size == num_heads:
            raise InputError(
                f"hidden_size={hidden_size} and num_heads={num_heads}: give each head the same "
                "number of units, at least two"
            )
        if form not in FORMS:
            raise InputError(f"form={form!r}: give one of these; {nearest(str(form), FORMS)}")
        self.num_heads = num_heads
        self.form = form
        self.chunk_size = chunk_size
        self._register(device, dtype)

    @property
    def head_size(self) -> int:
        """Units of each head."""
        return self.hidden_size // self.num_heads

    def _weight_shapes(self, width: int) -> dict[str, tuple[int, ...]]:
        rows = 4 * self.hidden_size + 2 * self.num_heads
        return {"weight_ih": (rows, width), "bias_ih": (rows,), "norm": (self.hidden_size,)}

    def _state_shapes(self) -> tuple[tuple[int, ...], ...]:
        heads, size = self.num_heads, self.head_size
        return (heads, size, size), (heads, size), (heads,)

    def _initialize(self, weights: Weights) -> None:
        *blocks, i, f = self._blocks(weights["weight_ih"], 0)
        for block in blocks:
            init.xavier_uniform_(block)
        init.zeros_(i)
        init.zeros_(f)
        *blocks, i, f = self._blocks(weights["bias_ih"], 0)
        for block in blocks:
            init.zeros_(block)
        init.normal_(i, std=0.1)
        f.copy_(torch.linspace(3.0, 6.0, self.num_heads))
        init.ones_(weights["norm"])

    def _blocks(self, rows: Tensor, axis: int) -> tuple[Tensor, ...]:
        """Rows q, k, v, o, i, f."""
        return rows.split([self.hidden_size] * 4 + [self.num_heads] * 2, axis)

    def _run(
        self, x: Tensor, weights: Weights, state: States, inside: Tensor | None
    ) -> tuple[Tensor, States]:
        product = F.linear(x, weights["weight_ih"], weights["bias_ih"])
        wide = torch.promote_types(product.dtype, torch.float32)
        q, k, v, o, i, f = self._blocks(product.to(wide), -1)
        q, k, v = (block.unflatten(-1, (self.num_heads, -1)) for block in (q, k, v))
        k, f = k * self.head_size**-0.5, F.logsigmoid(f)
        if inside is not None:
            i, f = i.masked_fill(~inside, -torch.inf), f.masked_fill(~inside, 0)
        given, memory = Inputs(q, k, v, i, f), Memory(*(part.to(wide) for part in state))
        if self.form == "recurrent" or x.shape[1] == 1:
            y, last = stepwise(given, memory)
        else:
            size = x.shape[1] if self.form == "parallel" else self.chunk_size
            y, last = chunkwise(given, memory, max(1, size))
        y = F.layer_norm(y, (self.head_size,)).flatten(-2) * weights["norm"]
        return (o.sigmoid() * y).to(product.dtype), tuple(last)
