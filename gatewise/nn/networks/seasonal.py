"""A forecaster's network: seasons repeated, gated and corrected by a recurrent layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from ..regularization.bernoulli import Dropout

if TYPE_CHECKING:
    from torch import Tensor

    from ..layers.encoder import Encoder
    from ..state import State


class SeasonalShape(NamedTuple):
    """Sizes of a seasonal network, in steps and channels.

    Args:
        horizon: Steps ahead.
        period: Short season; 1 for none.
        cycle: Season above it, or `period`.
        patch: Steps per step of the recurrent layer.
        lookback: Steps that a patch is seen together with.
        past: Channels known up to now.
        known: Channels known ahead.
        static: Channels of the series.
        params: Numbers per step ahead beside the point forecast (quantiles, a distribution's).
    """

    horizon: int
    period: int
    cycle: int
    patch: int
    lookback: int
    past: int = 0
    known: int = 0
    static: int = 0
    params: int = 0

    @property
    def bases(self) -> int:
        """Simple forecasts to choose from: the seasons, the last value, the recent level."""
        return (self.cycle > self.period) + (self.period > 1) + 2


class SeasonalOutput(NamedTuple):
    """What a seasonal network says at each fork.

    Args:
        point: Forecast in model units, [batch, forks, horizon].
        params: Raw numbers per step ahead, [batch, forks, params, horizon].
        spread: Size of the recent movement in model units, [batch, forks].
        state: Of the recurrent layer after the last real fork.
    """

    point: Tensor
    params: Tensor
    spread: Tensor
    state: State


def look(
    shape: SeasonalShape, values: Tensor, missing: Tensor, unit: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Cut windows at their forks and see each from its own level, in its own units.

    Args:
        shape: Sizes.
        values: Model units, [batch, lookback + (forks - 1) * patch].
        missing: 1 where a value was filled, like `values`.
        unit: Scale at each fork, [batch, forks, 1].

    Returns:
        The views [batch, forks, lookback], what of them is missing, each one's level in model
        units and the size of its movement in its own units, both [batch, forks, 1].
    """
    window = values.unfold(1, shape.lookback, shape.patch)
    gone = missing.unfold(1, shape.lookback, shape.patch)
    seen = _seen(gone[..., -shape.cycle :])
    level = (window[..., -shape.cycle :] * seen).sum(-1, keepdim=True)
    view = (window - level) / unit
    # Without a season the level is the last value: how a series moves shows in more than that.
    moving = view
    if shape.cycle > 1:
        moving = view[..., -shape.cycle :]
    else:
        seen = _seen(gone)
    return view, gone, level, (moving.square() * seen).sum(-1, keepdim=True).sqrt()


def _seen(gone: Tensor) -> Tensor:
    """What each step of a window counts in a mean of what was seen, [batch, forks, steps]."""
    seen = 1 - gone
    count = seen.sum(-1, keepdim=True)
    # Where nothing was seen, what was filled has to do.
    none = count == 0
    return (seen + none) / (count + none * gone.shape[-1])


def simple_forecasts(shape: SeasonalShape, view: Tensor) -> Tensor:
    """Repeat the last cycle, the last period, the last value and the level.

    Args:
        shape: Sizes.
        view: Windows from their own level, [batch, forks, lookback].

    Returns:
        [batch, forks, bases, horizon].

    Example:
        >>> shape = SeasonalShape(horizon=3, period=2, cycle=2, patch=2, lookback=2)
        >>> simple_forecasts(shape, torch.tensor([[[1.0, -1.0]]]))[0, 0]
        tensor([[ 1., -1.,  1.],
                [-1., -1., -1.],
                [ 0.,  0.,  0.]])
    """
    bases = []
    if shape.cycle > shape.period:
        bases.append(_repeated(view, shape.cycle, shape.horizon))
    if shape.period > 1:
        bases.append(_repeated(view, shape.period, shape.horizon))
    last = view[..., -1:].expand(*view.shape[:-1], shape.horizon)
    return torch.stack([*bases, last, torch.zeros_like(last)], dim=-2)


def _repeated(view: Tensor, season: int, horizon: int) -> Tensor:
    """The last season over and over, [..., horizon]."""
    last = view[..., view.shape[-1] - season :]
    if horizon > season:
        last = last.repeat(*[1] * (view.dim() - 1), -(-horizon // season))
    return last[..., :horizon]


class SeasonalNetwork(nn.Module):
    """Forecast at the end of every patch by simple forecasts, a linear map and a recurrence.

    forecast = level + sum of gate_k * base_k + linear(recent values) + residual, where the bases
    repeat the last cycle, the last period, the last value and the level, and gates and residual
    come from a recurrent layer that takes one patch a step. All of it happens in units of the
    window, so the network sees shapes rather than sizes. The idea of a level, a season and a
    recurrence in one model is ES-RNN's (Smyl 2020,
    https://doi.org/10.1016/j.ijforecast.2019.03.017); forecasting from every fork is that of
    forking sequences (Wen et al. 2017, https://arxiv.org/abs/1711.11053).

    Args:
        encoder: The recurrent layer.
        shape: Sizes.
        base_logits: How much each base is trusted at first, [bases, horizon]: what the training
            data says of their errors.
        linear: Where the linear map begins, its constant last, [horizon, lookback + 1]; at zero
            when left out.

    Example:
        >>> from gatewise.nn import Encoder
        >>> shape = SeasonalShape(horizon=2, period=2, cycle=2, patch=2, lookback=4, params=1)
        >>> network = SeasonalNetwork(Encoder(hidden_size=4), shape, torch.zeros(3, 2))
        >>> out = network(torch.rand(5, 8), torch.zeros(5, 8), torch.ones(5, 3))
        >>> out.point.shape, out.params.shape
        (torch.Size([5, 3, 2]), torch.Size([5, 3, 1, 2]))
    """

    HIDDEN_KNOWN = 16
    SLOW = 0.1
    """Adam moves every weight alike; a sum over a whole lookback should move less at once."""

    TRUST = 0.5
    """Of the first linear map: all of it led long trainings astray (docs/log.md)."""

    start: Tensor

    def __init__(
        self,
        encoder: Encoder,
        shape: SeasonalShape,
        base_logits: Tensor,
        linear: Tensor | None = None,
    ) -> None:
        super().__init__()
        s = self.shape = shape
        inputs = 2 * s.patch + 2 + s.static
        inputs += s.horizon if s.cycle > s.period else 0
        self.past_in = nn.Linear(s.patch * (s.past + s.known), 32) if s.past + s.known else None
        inputs += 32 if self.past_in is not None else 0
        self.missing_in = _silent(nn.Linear(s.patch, s.patch, bias=False))
        self.recurrent = encoder.build(inputs)
        self.dropout = Dropout(encoder.dropout)
        self.head = nn.Linear(encoder.hidden_size, s.horizon * (s.bases + 1 + s.params))
        with torch.no_grad():
            self.head.weight.mul_(0.01)
            self.head.bias.zero_()
        start = torch.zeros(s.horizon, s.lookback + 1) if linear is None else linear * self.TRUST
        self.register_buffer("start", start.clone())
        self.linear = _silent(nn.Linear(s.lookback, s.horizon, bias=False))
        self.offset = nn.Parameter(torch.zeros(s.horizon))
        self.base_logits = nn.Parameter(base_logits.clone().float())
        if s.known:
            self.known_in = nn.Linear(2 * s.known, self.HIDDEN_KNOWN)
            self.known_gate = nn.Linear(encoder.hidden_size, self.HIDDEN_KNOWN)
            self.known_out = _silent(nn.Linear(self.HIDDEN_KNOWN, 1))

    def forward(
        self,
        values: Tensor,
        missing: Tensor,
        scale: Tensor,
        *,
        forks: Tensor | None = None,
        past: Tensor | None = None,
        known: Tensor | None = None,
        static: Tensor | None = None,
        state: State | None = None,
    ) -> SeasonalOutput:
        """Forecast at every fork.

        Args:
            values: Model units, [batch, lookback + (forks - 1) * patch].
            missing: 1 where a value was filled, like `values`.
            scale: Units at each fork, [batch, forks].
            forks: Real forks per window, int64 [batch]; None when all are.
            past: [batch, steps, channels].
            known: [batch, steps + horizon, channels].
            static: [batch, channels].
            state: Of the recurrent layer, when the window goes on from an earlier one.
        """
        s = self.shape
        unit = scale.unsqueeze(-1)
        view, gone, level, spread = look(s, values, missing, unit)
        base = simple_forecasts(s, view)
        inputs = self._inputs(view, gone, base, spread, past, known, static)
        hidden, after = self.recurrent(inputs, state, lengths=forks)
        hidden = self.dropout(hidden)
        parts = [s.bases, 1, s.params]
        # Biases afterwards: a linear layer would first write them down for every fork.
        out = F.linear(hidden, self.head.weight).unflatten(-1, (sum(parts), s.horizon))
        gate, residual, params = out.split(parts, dim=-2)
        biases = self.head.bias.view(sum(parts), s.horizon).split(parts)
        gate = torch.softmax(gate + (biases[0] + self.base_logits), dim=-2)
        params = params + biases[2]
        point = (gate * base).sum(-2) + (residual + biases[1]).squeeze(-2)
        point = point + self._straight(view, spread)
        if known is not None:
            point = point + self._known(known, hidden)
        return SeasonalOutput(
            point * unit + level, params, ((spread + 0.01) * unit).squeeze(-1), after
        )

    def _straight(self, view: Tensor, spread: Tensor) -> Tensor:
        """The linear map: where it began, and what was learned since, slowly."""
        weights = self.start[:, :-1] + self.SLOW * self.linear.weight
        constant = self.start[:, -1] + self.SLOW * self.offset
        # The constant of a map between views in their own deviations is in those, too.
        return F.linear(view, weights) + constant * spread

    def _inputs(
        self,
        view: Tensor,
        gone: Tensor,
        base: Tensor,
        spread: Tensor,
        past: Tensor | None,
        known: Tensor | None,
        static: Tensor | None,
    ) -> Tensor:
        s = self.shape
        patch = view[..., -s.patch :]
        before = view[..., -2 * s.patch : -s.patch] if s.lookback >= 2 * s.patch else 0 * patch
        patch = patch + self.missing_in(gone[..., -s.patch :])
        parts = [patch, patch - before, patch.mean(-1, keepdim=True), spread]
        if s.cycle > s.period:
            parts.append(base[..., 0, :])
        if self.past_in is not None:
            channels = [c for c in (past, known) if c is not None]
            until = (view.shape[1] - 1) * s.patch + s.lookback
            steps = torch.cat([c[:, s.lookback - s.patch : until] for c in channels], -1)
            parts.append(torch.tanh(self.past_in(steps.unfold(1, s.patch, s.patch).flatten(2))))
        if static is not None:
            parts.append(static[:, None].expand(-1, view.shape[1], -1))
        return torch.cat(parts, -1)

    def _known(self, known: Tensor, hidden: Tensor) -> Tensor:
        """What covariates ahead add, [batch, forks, horizon]: themselves and their change."""
        s = self.shape
        forks = hidden.shape[1]
        ahead = known[:, s.lookback :].unfold(1, s.horizon, s.patch)[:, :forks]
        lag = s.cycle * -(-s.horizon // s.cycle)
        if lag <= s.lookback:
            before = known[:, s.lookback - lag :].unfold(1, s.horizon, s.patch)[:, :forks]
        else:
            before = known[:, s.lookback - 1 :].unfold(1, 1, s.patch)[:, :forks]
        pair = torch.cat([ahead, ahead - before], dim=2).transpose(2, 3)
        mixed = F.silu(self.known_in(pair)) * (1 + self.known_gate(hidden)).unsqueeze(2)
        return self.known_out(mixed).squeeze(-1)


def _silent(layer: nn.Linear) -> nn.Linear:
    """Start a layer at zero: it adds nothing until the data asks for it."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
