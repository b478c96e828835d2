"""From a sequence to one vector and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ...compiler import Cell
from ...errors import InputError
from ..arguments import check_sizes
from ..inputs import check_input
from ..layers.recurrent import Recurrent
from ..masks import all_lengths, turned, zeroed
from .initial_state import InitialState, started


class Autoencoded(NamedTuple):
    """What an autoencoder makes of sequences.

    Attributes:
        reconstruction: As the input, [batch, time, input], zero past a sequence's end.
        future: The steps that come next, [batch, horizon, input].
        code: The vector in between, [batch, code_size].
    """

    reconstruction: Tensor
    future: Tensor
    code: Tensor


class VariationalAutoencoded(NamedTuple):
    """What a variational autoencoder makes of sequences.

    Attributes:
        reconstruction: As the input, [batch, time, input], zero past a sequence's end.
        code: What was decoded, [batch, code_size]: drawn while training, else `mu`.
        mu: Mean of the code's distribution, [batch, code_size].
        logvar: Logarithm of its variance, [batch, code_size].
    """

    reconstruction: Tensor
    code: Tensor
    mu: Tensor
    logvar: Tensor


class SequenceAutoencoder(nn.Module):
    """Compress a sequence to one vector, and unfold that again, backwards in time.

    Srivastava, Mansimov & Salakhutdinov, Unsupervised Learning of Video Representations using
    LSTMs, 2015 (https://arxiv.org/abs/1502.04681): the decoder writes the last step first, as it
    lies nearest, and sees none of the true steps; with a `horizon` a second decoder writes what
    comes next (their composite model). Other than there, the code is a vector of a size of its
    own instead of the encoder's whole state, and is the decoders' input at each step.

    Args:
        cell: Equations of one step, as in `Recurrent`.
        input_size: Features of each time step.
        hidden_size: Units of each layer.
        code_size: Features of the code.
        num_layers: Layers of the encoder and of each decoder.
        bidirectional: Whether the encoder reads time in both directions.
        dropout: Rate of what is dropped between layers while training.
        horizon: Steps ahead that are predicted, from 0.

    Raises:
        InputError: An argument is not one of the above.

    Example:
        >>> import torch
        >>> model = SequenceAutoencoder("lstm", 3, 16, 8, horizon=2)
        >>> out = model(torch.randn(4, 6, 3), lengths=[6, 2, 1, 0])
        >>> out.reconstruction.shape, out.future.shape, out.code.shape
        (torch.Size([4, 6, 3]), torch.Size([4, 2, 3]), torch.Size([4, 8]))
        >>> model.decode(out.code, 5).shape
        torch.Size([4, 5, 3])
    """

    def __init__(
        self,
        cell: Cell | str,
        input_size: int,
        hidden_size: int,
        code_size: int,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        horizon: int = 0,
    ) -> None:
        super().__init__()
        check_sizes({"code_size": code_size}, dropout)
        if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 0:
            raise InputError(f"horizon={horizon!r}: give a whole number of steps, 0 for none")
        self.encoder = _Summary(cell, input_size, hidden_size, num_layers, bidirectional, dropout)
        self.code = nn.Linear(self.encoder.output_size, code_size)
        sizes = (cell, code_size, hidden_size, input_size, num_layers, dropout)
        self.decoder = _Unfold(*sizes)
        self.horizon = horizon
        self.predictor = _Unfold(*sizes) if horizon else None

    def forward(self, x: Tensor, *, lengths: Tensor | Sequence[int] | None = None) -> Autoencoded:
        """Compress and unfold.

        Args:
            x: Input, [batch, time, input].
            lengths: Steps of each sequence, [batch], from 0 to `time`.

        Returns:
            Reconstruction, future and code by name.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        code = self.encode(x, lengths=lengths)
        future = x.new_zeros(len(x), 0, x.shape[2])
        if self.predictor is not None:
            future = self.predictor(code, self.horizon)
        return Autoencoded(self.decode(code, x.shape[1], lengths=lengths), future, code)

    def encode(self, x: Tensor, *, lengths: Tensor | Sequence[int] | None = None) -> Tensor:
        """The code of sequences, [batch, code_size]; arguments as in `forward`."""
        return self.code(self.encoder(x, lengths))

    def decode(
        self, code: Tensor, steps: int, *, lengths: Tensor | Sequence[int] | None = None
    ) -> Tensor:
        """Unfold a code.

        Args:
            code: [batch, code_size].
            steps: Time steps to write.
            lengths: Steps of each sequence, [batch], from 0 to `steps`.

        Returns:
            [batch, steps, input], in the order of time, zero past a sequence's end.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        return _unfolded_backwards(self.decoder, code, steps, lengths)


class VariationalSequenceAutoencoder(nn.Module):
    """Compress a sequence to a distribution over vectors, and unfold a draw from it.

    Bowman et al., Generating Sentences from a Continuous Space, 2016
    (https://arxiv.org/abs/1511.06349), with their inputless decoder: it sees the code alone, no
    true step, so it cannot do without the code, as taught decoders learn to. It writes backwards
    like `SequenceAutoencoder`. Train it on the error of the reconstruction and
    `gatewise.objectives.latent.kl_to_standard_normal`; `decode` of standard normal codes then
    makes new sequences.

    Args:
        cell: Equations of one step, as in `Recurrent`.
        input_size: Features of each time step.
        hidden_size: Units of each layer.
        code_size: Features of the code.
        num_layers: Layers of encoder and decoder.
        bidirectional: Whether the encoder reads time in both directions.
        dropout: Rate of what is dropped between layers while training.

    Raises:
        InputError: An argument is not one of the above.

    Example:
        >>> import torch
        >>> model = VariationalSequenceAutoencoder("gru", 3, 16, 8)
        >>> out = model(torch.randn(4, 6, 3), lengths=[6, 2, 1, 0])
        >>> out.reconstruction.shape, out.mu.shape, out.logvar.shape
        (torch.Size([4, 6, 3]), torch.Size([4, 8]), torch.Size([4, 8]))
        >>> model.decode(torch.randn(2, 8), 5).shape
        torch.Size([2, 5, 3])
    """

    def __init__(
        self,
        cell: Cell | str,
        input_size: int,
        hidden_size: int,
        code_size: int,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_sizes({"code_size": code_size}, dropout)
        self.encoder = _Summary(cell, input_size, hidden_size, num_layers, bidirectional, dropout)
        self.code = nn.Linear(self.encoder.output_size, 2 * code_size)
        self.decoder = _Unfold(cell, code_size, hidden_size, input_size, num_layers, dropout)

    def forward(
        self, x: Tensor, *, lengths: Tensor | Sequence[int] | None = None
    ) -> VariationalAutoencoded:
        """Compress, draw and unfold.

        Args:
            x: Input, [batch, time, input].
            lengths: Steps of each sequence, [batch], from 0 to `time`.

        Returns:
            Reconstruction, code, mean and log variance by name.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        mu, logvar = self.encode(x, lengths=lengths)
        code = mu
        if self.training:
            code = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
        return VariationalAutoencoded(
            self.decode(code, x.shape[1], lengths=lengths), code, mu, logvar
        )

    def encode(
        self, x: Tensor, *, lengths: Tensor | Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the codes, [batch, code_size]; arguments as in `forward`."""
        mu, logvar = self.code(self.encoder(x, lengths)).chunk(2, -1)
        return mu, logvar

    def decode(
        self, code: Tensor, steps: int, *, lengths: Tensor | Sequence[int] | None = None
    ) -> Tensor:
        """Unfold a code; as `SequenceAutoencoder.decode`."""
        return _unfolded_backwards(self.decoder, code, steps, lengths)


class _Summary(nn.Module):
    """What layers end with: the last layer's output, of both directions, [batch, features]."""

    def __init__(
        self,
        cell: Cell | str,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bidirectional: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.recurrent = Recurrent(
            cell, input_size, hidden_size, num_layers=num_layers, bidirectional=bidirectional,
            dropout=dropout,
        )  # fmt: skip
        self.output_size = self.recurrent.output_size

    def forward(self, x: Tensor, lengths: Tensor | Sequence[int] | None) -> Tensor:
        check_input("x", x, "[batch, time, input]", self.recurrent.input_size)
        _, state = self.recurrent(x, lengths=lengths)
        directions = 2 if self.recurrent.bidirectional else 1
        return state[0][-directions:].transpose(0, 1).flatten(1)


class _Unfold(nn.Module):
    """A vector to a sequence: it sets the initial state, and is the input of each step."""

    def __init__(
        self,
        cell: Cell | str,
        code_size: int,
        hidden_size: int,
        output_size: int,
        num_layers: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.recurrent = Recurrent(
            cell, code_size, hidden_size, num_layers=num_layers, dropout=dropout
        )
        self.initial = InitialState(code_size, self.recurrent)
        self.output = nn.Linear(hidden_size, output_size)

    def forward(self, code: Tensor, steps: int, lengths: Tensor | None = None) -> Tensor:
        state = started(self.recurrent, code, self.initial(code))
        inputs = code.unsqueeze(1).expand(-1, steps, -1)
        y, _ = self.recurrent(inputs, state, lengths=lengths)
        return self.output(y)


def _unfolded_backwards(
    decoder: _Unfold, code: Tensor, steps: int, lengths: Tensor | Sequence[int] | None
) -> Tensor:
    check_input("code", code, "[batch, code]", decoder.recurrent.input_size, decoder.output.weight)
    if lengths is None:
        return decoder(code, steps).flip(1)
    counts = all_lengths(lengths, code.unsqueeze(1).expand(-1, steps, -1))
    return zeroed(turned(decoder(code, steps, counts), counts), counts)
