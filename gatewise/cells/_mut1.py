"""The first architecture that a search over recurrent networks found."""

from ..compiler import FromInput, FromState, Gate, State, cell, sigmoid, tanh


@cell
def mut1(r: Gate, z: FromInput, n_x: FromInput, n_h: FromState, h: State):
    """MUT1: a GRU whose update gate sees only the input, which enters through a tanh of its own.

    Jozefowicz, Zaremba and Sutskever, An Empirical Exploration of Recurrent Network
    Architectures, 2015 (https://proceedings.mlr.press/v37/jozefowicz15.html), which adds tanh(x)
    as it is and so needs as many inputs as units; here x is projected first. z writes the new.

    Use it in place of a GRU where a search over cells is worth its time: the paper found it ahead
    of LSTM and GRU on some tasks, not on all.
    """
    r, z = sigmoid(r), sigmoid(z)
    n = tanh(n_h(r * h) + tanh(n_x))
    h = z * n + (1 - z) * h
    return h
