"""A batch of sequences to one vector each, and back: an autoencoder that starts from PCA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from ...errors import InputError
from ..layers.encoder import Encoder
from ..masks import zeroed
from ..seq2seq.autoencoder import SequenceAutoencoder, VariationalSequenceAutoencoder

if TYPE_CHECKING:
    import numpy as np

FIRST_LOGVAR = -4.0
"""Logarithm of the codes' variance at the start: drawn codes say what their means say."""


class Embedded(NamedTuple):
    """What the network makes of a batch.

    Attributes:
        reconstruction: [batch, time, channels], zero past a sequence's end.
        code: What was decoded, [batch, code].
        mu: Mean of the code's distribution, [batch, code]; the code itself where it has none.
        logvar: Logarithm of its variance, [batch, code]; None where it has none.
    """

    reconstruction: Tensor
    code: Tensor
    mu: Tensor
    logvar: Tensor | None


class SequenceEmbedder(nn.Module):
    """A sequence autoencoder beside a linear one, which begins as principal components.

    The code is the sum of what the recurrent encoder says and a linear map of the sequence
    stretched to a grid; the reconstruction is the sum of what the recurrent decoder writes and a
    linear map of the code, stretched back. The linear maps are the components and stay so; at
    the start the recurrent parts say nothing, so training goes on from the best linear code.

    Args:
        encoder: Cell and sizes; of its options only these are used.
        features: Of each step of the input.
        channels: The first so many of them, which are reconstructed.
        code_size: Features of the code.
        grid: Steps that the linear part stretches sequences to.
        start: Mean sequence [grid * channels] and components [code, grid * channels]; None for
            no linear part.
        variational: Whether a code is drawn from a distribution while training.
        input_noise: Deviation of what is added to the input while training.

    Raises:
        InputError: The encoder has an option that autoencoders have not.

    Example:
        >>> from gatewise.data.labels.batches import LabelBatch
        >>> network = SequenceEmbedder(Encoder(hidden_size=8), 3, 2, 4, grid=6)
        >>> out = network(LabelBatch(torch.randn(5, 7, 3), torch.tensor([7, 7, 3, 1, 2])))
        >>> out.reconstruction.shape, out.code.shape
        (torch.Size([5, 7, 2]), torch.Size([5, 4]))
    """

    def __init__(
        self,
        encoder: Encoder,
        features: int,
        channels: int,
        code_size: int,
        grid: int,
        *,
        start: tuple[np.ndarray, np.ndarray] | None = None,
        variational: bool = False,
        input_noise: float = 0.0,
    ) -> None:
        super().__init__()
        check_options(encoder)
        self.channels, self.grid, self.input_noise = channels, grid, input_noise
        self.variational = variational
        kind = VariationalSequenceAutoencoder if variational else SequenceAutoencoder
        self.core = kind(
            encoder.cell,
            features,
            encoder.hidden_size,
            code_size,
            num_layers=encoder.num_layers,
            bidirectional=encoder.bidirectional,
            dropout=encoder.dropout,
        )
        self.down = self.up = None
        if start is not None:
            self._begin_at(*start)

    def _begin_at(self, mean: np.ndarray, components: np.ndarray) -> None:
        size, code_size = mean.size, len(components)
        self.down, self.up = nn.Linear(size, code_size), nn.Linear(code_size, size)
        center = torch.as_tensor(mean, dtype=torch.float32)
        rows = torch.as_tensor(components, dtype=torch.float32)
        scale = size**0.5
        with torch.no_grad():
            self.down.weight.copy_(rows / scale)
            self.down.bias.copy_(-(rows @ center) / scale)
            self.up.weight.copy_(rows.T * scale)
            self.up.bias.copy_(center)
            for layer in (self.core.code, self.core.decoder.output):
                layer.weight.zero_()
                layer.bias.zero_()
            if self.variational:
                self.core.code.bias[code_size:] = FIRST_LOGVAR
        # They are the best linear code already: learned on, they only lost (docs/log.md).
        for layer in (self.down, self.up):
            layer.requires_grad_(False)

    def forward(self, batch: Any) -> Embedded:
        """Compress and unfold a batch of `gatewise.data.labels.batches`."""
        x = batch.x
        if self.training and self.input_noise:
            x = zeroed(x + self.input_noise * torch.randn_like(x), batch.lengths)
        mu, logvar = self._encode(x, batch.lengths)
        code = mu
        if logvar is not None and self.training:
            code = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
        return Embedded(self.decode(code, x.shape[1], batch.lengths), code, mu, logvar)

    def encode(self, batch: Any) -> Tensor:
        """The codes of a batch, [batch, code]; means where codes are drawn."""
        return self._encode(batch.x, batch.lengths)[0]

    def decode(self, code: Tensor, steps: int, lengths: Tensor) -> Tensor:
        """Unfold codes [batch, code] to [batch, steps, channels], zero past each length."""
        written = self.core.decode(code, steps, lengths=lengths)[..., : self.channels]
        if self.up is None:
            return written
        rows = self.up(code).reshape(len(code), self.grid, self.channels)
        whole = torch.full_like(lengths, self.grid)
        return written + stretched(rows, whole, lengths, steps)

    def _encode(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor | None]:
        found = self.core.encode(x, lengths=lengths)
        mu, logvar = found if isinstance(found, tuple) else (found, None)
        if self.down is not None:
            whole = torch.full_like(lengths, self.grid)
            rows = stretched(x[..., : self.channels], lengths, whole, self.grid)
            mu = mu + self.down(rows.flatten(1))
        return mu, logvar


def check_options(encoder: Encoder) -> None:
    """Refuse options of the encoder that autoencoders have not.

    Raises:
        InputError: There is one.
    """
    plain = Encoder(
        encoder.cell,
        encoder.hidden_size,
        encoder.num_layers,
        encoder.dropout,
        encoder.bidirectional,
    )
    for name, value in encoder.to_dict().items():
        if name != "cell" and value != getattr(plain, name):
            raise InputError(
                f"encoder.{name} is {value!r}, and an autoencoder has only a cell, hidden_size, "
                "num_layers, dropout and bidirectional: leave it out"
            )


def stretched(x: Tensor, lengths: Tensor, wanted: Tensor, steps: int) -> Tensor:
    """Sequences at other, evenly spaced steps, by straight lines between their own.

    Args:
        x: [batch, time, features].
        lengths: Steps of each sequence, int64 [batch].
        wanted: Steps that each is stretched to, int64 [batch], at most `steps`.
        steps: Steps of the result.

    Returns:
        [batch, steps, features], zero past what is wanted.

    Example:
        >>> x = torch.tensor([[[0.0], [2.0], [9.0]]])
        >>> stretched(x, torch.tensor([2]), torch.tensor([3]), 3).flatten().tolist()
        [0.0, 1.0, 2.0]
    """
    last = (lengths - 1).clamp(min=0).unsqueeze(1)
    place = torch.arange(steps, device=x.device) / (wanted - 1).clamp(min=1).unsqueeze(1)
    at = place.clamp(max=1) * last
    low = at.floor().long()
    share = (at - low).unsqueeze(-1).to(x)
    before = x.gather(1, low.unsqueeze(-1).expand(-1, -1, x.shape[2]))
    after = x.gather(1, torch.minimum(low + 1, last).unsqueeze(-1).expand(-1, -1, x.shape[2]))
    return zeroed(before + share * (after - before), wanted)
