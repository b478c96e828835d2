"""The second architecture that a search over recurrent networks found."""

from ..compiler import Gate, State, cell, sigmoid, tanh


@cell
def mut2(r: Gate, z: Gate, n: Gate, h: State):
    """MUT2: a GRU whose reset gate adds the input as it is; projected here, it is the GRU.

    Jozefowicz, Zaremba and Sutskever, An Empirical Exploration of Recurrent Network
    Architectures, 2015 (https://proceedings.mlr.press/v37/jozefowicz15.html). Their r saves its
    input weights, which needs as many inputs as units. With the identity for those weights this
    is MUT2; with any others it is `gru_reset_before`, whose z keeps the old where this z writes
    the new.

    Use it to follow the paper with its own weights; for a new model `gru_reset_before` is the same.
    """
    r, z = sigmoid(r), sigmoid(z)
    n = tanh(n(r * h))
    h = z * n + (1 - z) * h
    return h
