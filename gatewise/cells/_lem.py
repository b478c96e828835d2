"""Long expressive memory."""

from ..compiler import Gate, Hyper, State, cell, sigmoid, tanh


@cell
def lem(a: Gate, b: Gate, u: Gate, v: Gate, h: State, z: State, delta: Hyper = 1.0):
    """Long expressive memory (LEM): two coupled states, each with a time step of its own.

    Rusch et al., Long Expressive Memory for Sequence Modeling, 2022
    (https://arxiv.org/abs/2110.04744), in discrete time: h is their y, delta their longest step,
    and a and b are the time steps of z and h, learned and different at each step and unit.

    Use it for long sequences in which slow and fast things happen together; as many weights as the
    LSTM, and a second product that waits for the first. A smaller delta slows all units down, as
    for a signal that is sampled more often.
    """
    a, b = delta * sigmoid(a), delta * sigmoid(b)
    z = (1 - a) * z + a * tanh(u)
    h = (1 - b) * h + b * tanh(v(z))
    return h, z
