"""The simple recurrent network with a rectifier."""

from ..compiler import Gate, State, cell, relu


@cell
def elman_relu(a: Gate, h: State):
    """Simple recurrent network of rectified units, as in `torch.nn.RNN(nonlinearity="relu")`.

    Le, Jaitly and Hinton, A Simple Way to Initialize Recurrent Networks of Rectified Linear
    Units, 2015 (https://arxiv.org/abs/1504.00941), who start the recurrent weights from identity.

    Use it to sum up over many steps with one matrix, started from the identity; without gates
    nothing bounds its state.
    """
    h = relu(a)
    return h
