"""The long short-term memory of a grid."""

from ..compiler import Gate, State, cell, sigmoid, tanh


@cell(bias={"f": 1.0})
def grid_lstm(i: Gate, f: Gate, g: Gate, o: Gate, h: State, c: State):
    """LSTM whose output gate acts before the output's tanh, as in the blocks of Grid LSTM.

    Kalchbrenner, Danihelka and Graves, Grid Long Short-Term Memory, 2015
    (https://arxiv.org/abs/1507.01526), equation 1. The grid itself is `gatewise.nn.GridLSTM`.

    Use it in `GridLSTM`, to follow the paper; elsewhere `lstm` is the usual form, which has kernels
    in torch.
    """
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    c = f * c + i * g
    h = tanh(o * c)
    return h, c
