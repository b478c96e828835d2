"""Long short-term memory with a clock for each unit."""

from ..compiler import (
    Expr,
    Gate,
    Given,
    Hyper,
    State,
    Weight,
    cell,
    exp,
    floor,
    sigmoid,
    tanh,
    where,
)


def _fraction(a: Expr) -> Expr:
    return a - floor(a)


@cell(bias={"f": 1.0})
def phased_lstm(
    i: Gate, f: Gate, g: Gate, o: Gate, h: State, c: State, phase: State,
    log_period: Weight = 2.0, shift: Weight = 0.0, dt: Given = 1.0,
    r_on: Hyper = 0.05, alpha: Hyper = 1e-3,
):  # fmt: skip
    """LSTM with a clock per unit, which moves only in the share r_on of each of its periods.

    Neil, Pfeiffer and Liu, Phased LSTM: Accelerating Recurrent Network Training for Long or
    Event-based Sequences, 2016 (https://arxiv.org/abs/1610.09513), without the peepholes that the
    paper calls optional. Period and shift, in units of dt, are learned; k opens and closes in the
    first r_on of a period and then leaks by alpha. The clock is carried on as the state phase, the
    fraction of a period that has passed since the start, and moves by dt, the time since the step
    before: so phi is ((t - shift) mod period) / period of the paper, with t the sum of all dt, and
    long times lose no precision. The paper leaks while it trains only: `phased_lstm.with_(alpha=0)`
    is the cell that it evaluates, with the same weights.

    Use it for long sequences whose events come at irregular times, or from sensors of different
    rates: closed units keep their memory, and gradients pass them unchanged. Periods have to be
    of the order of the times that matter; all units start with the same one unless they are drawn.
    """
    rate = exp(-log_period)
    phase = _fraction(phase + dt * rate)
    phi = _fraction(phase - shift * rate)
    opening = 2 * phi / r_on
    k = where(phi < r_on / 2, opening, where(phi < r_on, 2 - opening, alpha * phi))
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    c_new = f * c + i * g
    h_new = o * tanh(c_new)
    c = k * c_new + (1 - k) * c
    h = k * h_new + (1 - k) * h
    return h, c, phase
