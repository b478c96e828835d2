"""The gated recurrent unit that resets first and multiplies afterwards."""

from ..compiler import Gate, State, cell, sigmoid, tanh


@cell
def gru_reset_before(r: Gate, z: Gate, n: Gate, h: State):
    """Gated recurrent unit as published: the reset gate acts before the recurrent product.

    Cho et al., Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
    Translation, 2014 (https://arxiv.org/abs/1406.1078), equations 5 to 8. z keeps the old state.

    Use it for weights from Keras with `reset_after=False` or ONNX with
    `linear_before_reset=0`, and to follow the paper; its second product waits for the first, so
    `gru` is the faster one.
    """
    r, z = sigmoid(r), sigmoid(z)
    n = tanh(n(r * h))
    h = z * h + (1 - z) * n
    return h
