"""The recurrent unit with one gate."""

from ..compiler import Gate, State, cell, sigmoid, tanh


@cell
def minimal_gated_unit(f: Gate, n: Gate, h: State):
    """Minimal gated unit (MGU): a GRU whose one gate both resets and updates.

    Zhou et al., Minimal Gated Unit for Recurrent Neural Networks, 2016
    (https://arxiv.org/abs/1603.09420); two thirds of the weights of the GRU. f writes the new.

    Use it where the GRU is still too large; its two products in a step wait for each other.
    """
    f = sigmoid(f)
    n = tanh(n(f * h))
    h = (1 - f) * h + f * n
    return h
