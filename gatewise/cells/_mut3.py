"""The third architecture that a search over recurrent networks found."""

from ..compiler import Gate, State, cell, sigmoid, tanh


@cell
def mut3(r: Gate, z: Gate, n: Gate, h: State):
    """MUT3: a GRU whose update gate sees the old state through a tanh.

    Jozefowicz, Zaremba and Sutskever, An Empirical Exploration of Recurrent Network
    Architectures, 2015 (https://proceedings.mlr.press/v37/jozefowicz15.html). z writes the new.

    Use it to follow the paper; as with `mut1`, it won on some tasks and not on others.
    """
    r, z = sigmoid(r), sigmoid(z(tanh(h)))
    n = tanh(n(r * h))
    h = z * n + (1 - z) * h
    return h
