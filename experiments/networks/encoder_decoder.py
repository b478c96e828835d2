"""The encoder and decoder of Cho et al. 2014: a sequence to one vector, and that to another."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gatewise.nn import Recurrent


class EncoderDecoder(nn.Module):
    """Read a sequence into a vector of fixed size; write another from it.

    After Cho et al. 2014 (https://arxiv.org/abs/1406.1078): the summary is `tanh(V h)` of the
    encoder's last state, the decoder starts from `tanh(V' c)` and sees the summary c and the last
    symbol at each step; what it says goes through a maxout layer of pairs, with direct paths from
    c and the last symbol.

    Args:
        cell: Name of the cell, with one state.
        source: Symbols of the source.
        target: Symbols of the target; the last one ends it, and is what the decoder sees first.
        hidden_size: Units of both layers, and of the summary.
        embedding: Features of a symbol.
    """

    def __init__(
        self, cell: str, source: int, target: int, hidden_size: int, embedding: int = 32
    ) -> None:
        super().__init__()
        self.end = target - 1
        self.read = nn.Embedding(source, embedding)
        self.encoder = Recurrent(cell, embedding, hidden_size)
        self.summary = nn.Linear(hidden_size, hidden_size)
        self.start = nn.Linear(hidden_size, hidden_size)
        self.written = nn.Embedding(target, embedding)
        self.decoder = Recurrent(cell, embedding + hidden_size, hidden_size)
        self.deep = nn.Linear(2 * hidden_size + embedding, 2 * hidden_size)
        self.out = nn.Linear(hidden_size, target)

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        """Log-odds of each target symbol given those before it, [batch, time, symbol].

        Args:
            source: Symbols, [batch, time].
            lengths: Symbols of each source, [batch].
            target: Symbols, [batch, time].
        """
        c = self._encoded(source, lengths)
        before = F.pad(target[:, :-1], (1, 0), value=self.end)
        last = self.written(before)
        seen = torch.cat([last, c.unsqueeze(1).expand(-1, target.shape[1], -1)], -1)
        h, _ = self.decoder(seen, self._first(c))
        return self._said(h, last, c.unsqueeze(1).expand_as(h))

    @torch.no_grad()
    def write(self, source: Tensor, lengths: Tensor, most: int) -> Tensor:
        """The likeliest symbol at each step, fed back, [batch, most]; the end repeats itself."""
        c = self._encoded(source, lengths)
        state, symbol = self._first(c), torch.full_like(lengths, self.end)
        ended = torch.zeros_like(lengths, dtype=torch.bool)
        found = []
        for _ in range(most):
            last = self.written(symbol)
            h, state = self.decoder.step(torch.cat([last, c], -1), state)
            symbol = self._said(h, last, c).argmax(-1)
            symbol = torch.where(ended, self.end, symbol)
            ended |= symbol == self.end
            found.append(symbol)
        return torch.stack(found, 1)

    def _encoded(self, source: Tensor, lengths: Tensor) -> Tensor:
        _, state = self.encoder(self.read(source), lengths=lengths)
        return torch.tanh(self.summary(state.h[0]))

    def _first(self, c: Tensor) -> Tensor:
        return torch.tanh(self.start(c)).unsqueeze(0)

    def _said(self, h: Tensor, last: Tensor, c: Tensor) -> Tensor:
        deep = self.deep(torch.cat([h, last, c], -1))
        return self.out(deep.unflatten(-1, (-1, 2)).amax(-1))
