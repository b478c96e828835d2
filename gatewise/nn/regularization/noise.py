"""What a layer draws while it trains, and the cells that take it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from ...compiler import Cell, quiet, recurrent_dropout, zoneout
from ...errors import InputError
from ..arguments import check_rates
from .bernoulli import dropped, mask


def regularized(
    cell: Cell, zoneout_rate: Mapping[str, float] | float, dropout: float, kind: str
) -> tuple[Cell, Cell]:
    """Give the cell that a layer trains, with the noise it draws, and the one that it evaluates.

    The dropout's evaluation is the cell without it, so that it keeps its fast kernels.

    Args:
        cell: The equations of one step.
        zoneout_rate: A rate by state, or one for the memory `c`, else for the output.
        dropout: Rate of the recurrent dropout.
        kind: Kind of it.

    Raises:
        InputError: A rate is not in [0, 1), a name is no state, or the cell cannot take it.

    Example:
        >>> from gatewise.cells import lstm
        >>> training, evaluation = regularized(lstm, 0.5, 0.2, "semeniuta")
        >>> training.noises, evaluation.noises
        ({'zone_c': 0.5, 'drop_g': 1.0}, {})
    """
    if not isinstance(zoneout_rate, Mapping):
        zoneout_rate = {"c" if "c" in cell.states else cell.states[0]: zoneout_rate}
    zoned = zoneout(cell, zoneout_rate)
    noisy = recurrent_dropout(zoned, dropout, kind)
    # What is given from outside is not drawn, and not at rest in evaluation either.
    given = cell.noises.keys() - cell.draws.keys()
    return quiet(noisy, frozenset(noisy.draws) | given), quiet(zoned, frozenset(given))


def check_noise(
    cell: Cell, zoneout_rate: Mapping[str, float] | float, dropout: float, weight_dropout: float
) -> None:
    """Refuse a rate that is not in [0, 1), and weights to drop that there are none of.

    Args:
        cell: The equations of one step.
        zoneout_rate: As in `regularized`, which looks at rates by state.
        dropout: Rate of the recurrent dropout.
        weight_dropout: Rate of the entries of `weight_hh` that are dropped.

    Raises:
        InputError: A rate is not as above, or the cell has no recurrent weights.
    """
    rates = {"recurrent_dropout": dropout, "weight_dropout": weight_dropout}
    if not isinstance(zoneout_rate, Mapping):
        rates["zoneout"] = zoneout_rate
    check_rates(rates)
    if weight_dropout and not cell.state_rows:
        raise InputError(
            f"weight_dropout={weight_dropout!r}: the cell {cell.name} has no recurrent weights to "
            "drop; leave it at 0"
        )


def drawn(cell: Cell, x: Tensor, hidden_size: int) -> dict[str, Tensor]:
    """Draw a cell's noise from torch's generator, in the type and on the device of the input.

    Args:
        cell: A cell that says of its noise how to draw it.
        x: Input, [batch, time, input].
        hidden_size: Units of the layer.

    Returns:
        By name, [batch, time, hidden], or [batch, 1, hidden] for noise that a sequence shares.
    """
    noise = {}
    for name, draw in cell.draws.items():
        steps = x.shape[1] if draw.per == "step" else 1
        noise[name] = mask(x, (x.shape[0], steps, hidden_size), draw.chance, cell.noises[name])
    return noise


def expected(cell: Cell, x: Tensor, hidden_size: int) -> dict[str, Tensor]:
    """Give what `drawn` gives on average, without drawing."""
    shape = (*x.shape[:2], hidden_size)
    means = {name: cell.noises[name] for name in cell.draws}
    return {name: x.new_full((1, 1, 1), mean).expand(shape) for name, mean in means.items()}


def weights_dropped(
    weights: Sequence[Sequence[Mapping[str, Tensor]]], rate: float
) -> list[list[dict[str, Tensor]]]:
    """Drop entries of each `weight_hh`, and scale the others by `1 / (1 - rate)`."""
    return [
        [{**own, "weight_hh": dropped(own["weight_hh"], rate)} for own in layer]
        for layer in weights
    ]


def check_one_step(cell: Cell, weight_dropout: float, weight_noise: float = 0.0) -> None:
    """Refuse to train on a step alone what holds for a whole sequence.

    Raises:
        InputError: There is such noise.
    """
    held = [name for name, draw in cell.draws.items() if draw.per == "sequence"]
    held += ["weight_dropout"] if weight_dropout else []
    held += ["weight_noise"] if weight_noise else []
    if held:
        raise InputError(
            f"{', '.join(held)} holds for a whole sequence, which a step in training does not see: "
            "call layer.eval() to stream, or train with layer(x)"
        )
