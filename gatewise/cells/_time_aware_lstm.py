"""Long short-term memory for steps that are not equally far apart."""

from math import e

from ..compiler import FromState, Gate, Given, State, cell, log, sigmoid, tanh


@cell(bias={"f": 1.0})
def time_aware_lstm(
    i: Gate, f: Gate, g: Gate, o: Gate, s: FromState, h: State, c: State, dt: Given = 1.0
):
    """LSTM that forgets the short-term part of its memory with the time that has passed (T-LSTM).

    Baytas et al., Patient Subtyping via Time-Aware LSTM Networks, 2017
    (https://doi.org/10.1145/3097983.3097997). s, a learned function of the cell, is its short-term
    part. It is divided by log(e + dt), the paper's choice for long times, where dt is the time
    since the step before; the rest of the cell is kept as it is.

    Use it for records at irregular intervals, such as visits of patients, where what is long ago
    should count less. At dt = 0 nothing is taken away, so the unit of dt says what is long: one
    unit leaves 0.76 of the short-term part, a hundred leave 0.22.
    """
    s = tanh(s(c))
    kept = c - s + s / log(e + dt)
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    c = f * kept + i * g
    h = o * tanh(c)
    return h, c
