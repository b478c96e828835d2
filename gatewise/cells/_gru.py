"""The gated recurrent unit that multiplies first and resets afterwards."""

from ..compiler import FromInput, FromState, Gate, State, cell, sigmoid, tanh


@cell
def gru(r: Gate, z: Gate, n_x: FromInput, n_h: FromState, h: State):
    """Gated recurrent unit with the reset after the product, as in `torch.nn.GRU` and cuDNN.

    Cho et al., Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
    Translation, 2014 (https://arxiv.org/abs/1406.1078v1): the first version of the paper resets
    after the product, the later ones before it (`gru_reset_before`). Here z keeps the old state.

    Use it where three quarters of the LSTM's weights and one state have to do, and for weights
    that come from or go to torch and cuDNN.
    """
    r, z = sigmoid(r), sigmoid(z)
    n = tanh(n_x + r * n_h)
    h = (1 - z) * n + z * h
    return h
