"""The simple recurrent network."""

from ..compiler import Gate, State, cell, tanh


@cell
def elman(a: Gate, h: State):
    """Simple recurrent network, as in `torch.nn.RNN`.

    Elman, Finding Structure in Time, 1990 (https://doi.org/10.1207/s15516709cog1402_1).

    Use it as the baseline that a gated cell has to beat, or where what matters lies few steps
    back; over many its gradients vanish or explode.
    """
    h = tanh(a)
    return h
