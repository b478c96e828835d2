"""Networks that know what is usual: the next values, or the window that a reading ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from ..regularization.bernoulli import Dropout
from ..seq2seq.autoencoder import SequenceAutoencoder, VariationalSequenceAutoencoder

if TYPE_CHECKING:
    from ..layers.encoder import Encoder

LEAST, MOST = -5.0, 3.0
"""Bounds of the logarithm of a deviation: what never moved is not known to the last digit."""

WINDOWS = 512
"""Windows of an autoencoder that are scored at a time."""


class Expected(NamedTuple):
    """What a network expected of which values; [..., channels] each.

    Args:
        mean: Expected value.
        log_sigma: Logarithm of its deviation; None for an autoencoder.
        target: What came, 0 where missing.
        weight: 1 where it was seen and counts.
        code: Mean and log variance of a variational autoencoder's codes, [windows, code] each.
    """

    mean: Tensor
    log_sigma: Tensor | None
    target: Tensor
    weight: Tensor
    code: tuple[Tensor, Tensor] | None = None


class NextValues(nn.Module):
    """Say at each step what the next values will be, and how far off they may lie.

    A normal distribution for every channel at each of the next steps (Malhotra et al., Long Short
    Term Memory Networks for Anomaly Detection in Time Series, 2015,
    https://www.esann.org/sites/default/files/proceedings/legacy/es2015-56.pdf). A value is then
    judged by all that was said of it, by steps near and far.

    Args:
        encoder: The recurrent layer.
        input_size: Features of each step.
        channels: Channels that are predicted.
        horizon: Steps ahead.
        by_sigma: Whether an error counts in the deviations that were predicted.

    Example:
        >>> from gatewise.nn import Encoder
        >>> network = NextValues(Encoder(hidden_size=8), 3, channels=2, horizon=4)
        >>> errors, carry = network.errors(torch.zeros(5, 3), torch.zeros(5, 2).double())
        >>> errors.shape, bool(errors[0].isnan().all())
        (torch.Size([5, 2]), True)
    """

    def __init__(
        self,
        encoder: Encoder,
        input_size: int,
        channels: int,
        horizon: int,
        *,
        by_sigma: bool = False,
    ) -> None:
        super().__init__()
        self.channels, self.horizon, self.by_sigma = channels, horizon, by_sigma
        self.recurrent = encoder.build(input_size)
        self.dropout = Dropout(encoder.dropout)
        self.head = nn.Linear(encoder.output_size, 2 * horizon * channels)

    def forward(self, batch: Any) -> Expected:
        """Expect the next values at every step that has enough of them behind it."""
        steps = batch.inputs.shape[1] - self.horizon
        hidden, _ = self.recurrent(batch.inputs[:, :steps])
        mean, log_sigma = self._said(self.dropout(hidden))

        def ahead(values: Tensor) -> Tensor:
            return values[:, 1:].unfold(1, self.horizon, 1).transpose(-1, -2)

        return Expected(mean, log_sigma, ahead(batch.target), ahead(batch.weight))

    def errors(self, inputs: Tensor, target: Tensor, carry: Any = None) -> tuple[Tensor, Any]:
        """How far each value is from what was said of it before, on average.

        Args:
            inputs: [steps, features].
            target: NaN where missing, float64 [steps, channels].
            carry: What an earlier call gave, to go on from there.

        Returns:
            float64 [steps, channels], NaN where a value is missing, and in the first `lead` steps,
            of which too little was said by what had seen too little; and what the next call needs.
        """
        state, before, steps = (None, None, 0) if carry is None else carry
        hidden, state = self.recurrent(inputs.unsqueeze(0), state)
        mean, log_sigma = (part[0].double() for part in self._said(hidden))
        scale = torch.exp(-log_sigma) if self.by_sigma else torch.ones_like(log_sigma)
        said = torch.stack([mean, scale])
        if before is None:
            before = said.new_full((2, self.horizon, *mean.shape[1:]), torch.nan)
        said = torch.cat([before, said], 1)
        total = torch.zeros_like(target)
        for h in range(1, self.horizon + 1):
            first = self.horizon - h
            guess, unit = said[:, first : first + len(target), h - 1]
            total += (target - guess).abs() * unit
        total[: max(self.lead - steps, 0)] = torch.nan
        return total / self.horizon, (state, said[:, len(target) :], steps + len(target))

    @property
    def lead(self) -> int:
        """Steps at the beginning of a series whose errors say nothing."""
        return 2 * self.horizon

    def _said(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Means and log deviations, [..., horizon, channels]."""
        mean, log_sigma = self.head(hidden).chunk(2, -1)
        shape = (self.horizon, self.channels)
        return mean.unflatten(-1, shape), log_sigma.clamp(LEAST, MOST).unflatten(-1, shape)


class Reconstruction(nn.Module):
    """Say what a window would look like if it were a usual one.

    An autoencoder compresses the window that ends at a reading and unfolds it again; what is
    unusual does not fit through (Malhotra et al., LSTM-based Encoder-Decoder for Multi-sensor
    Anomaly Detection, 2016, https://arxiv.org/abs/1607.00148).

    Args:
        encoder: The recurrent layers of encoder and decoder.
        input_size: Features of each step.
        channels: The first features, which are judged.
        window: Steps of a window.
        judged: Last steps of a window, whose errors are a reading's error.
        kind: "autoencoder" or "variational".

    Example:
        >>> from gatewise.nn import Encoder
        >>> network = Reconstruction(Encoder(hidden_size=8), 3, channels=2, window=6, judged=2)
        >>> errors, carry = network.errors(torch.zeros(5, 3), torch.zeros(5, 2).double())
        >>> errors.shape
        torch.Size([5, 2])
    """

    def __init__(
        self,
        encoder: Encoder,
        input_size: int,
        channels: int,
        window: int,
        judged: int,
        kind: Literal["autoencoder", "variational"] = "autoencoder",
    ) -> None:
        super().__init__()
        self.channels, self.window, self.judged = channels, window, judged
        made = SequenceAutoencoder if kind == "autoencoder" else VariationalSequenceAutoencoder
        self.body = made(
            encoder.cell,
            input_size,
            encoder.hidden_size,
            max(4, encoder.hidden_size // 4),
            num_layers=encoder.num_layers,
            bidirectional=encoder.bidirectional,
            dropout=encoder.dropout,
        )

    def forward(self, batch: Any) -> Expected:
        """Reconstruct windows; longer stretches are cut into windows that overlap by half."""
        inputs, target, weight = batch.inputs, batch.target, batch.weight
        if inputs.shape[1] > self.window:
            inputs, target, weight = (
                t.unfold(1, self.window, self.window // 2).transpose(-1, -2).flatten(0, 1)
                for t in (inputs, target, weight)
            )
        out = self.body(inputs)
        code = (out.mu, out.logvar) if hasattr(out, "mu") else None
        return Expected(out.reconstruction[..., : self.channels], None, target, weight, code)

    def errors(self, inputs: Tensor, target: Tensor, carry: Any = None) -> tuple[Tensor, Any]:
        """How far the last values of the window that ends at each step are from its usual form.

        Arguments and result are those of `NextValues.errors`.
        """
        if carry is None:
            # Before a series begins, its first reading stands still and counts for nothing.
            ahead = self.window - 1
            carry = inputs[:1].expand(ahead, -1), target.new_full((ahead, self.channels), torch.nan)
        inputs, target = torch.cat([carry[0], inputs]), torch.cat([carry[1], target])
        windows = inputs.unfold(0, self.window, 1).transpose(-1, -2)
        came = target.unfold(0, self.window, 1).transpose(-1, -2)[:, -self.judged :]
        parts = []
        for part, real in zip(windows.split(WINDOWS), came.split(WINDOWS), strict=True):
            usual = self.body(part).reconstruction[:, -self.judged :, : self.channels]
            parts.append((real - usual.double()).abs().nanmean(1))
        keep = len(inputs) - self.window + 1
        return torch.cat(parts), (inputs[keep:], target[keep:])
