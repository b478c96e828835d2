"""Long short-term memory."""

from ..compiler import Gate, State, cell, sigmoid, tanh


@cell(bias={"f": 1.0})
def lstm(i: Gate, f: Gate, g: Gate, o: Gate, h: State, c: State):
    """Long short-term memory with forget gate, as in `torch.nn.LSTM`.

    The memory is due to Hochreiter and Schmidhuber, Long Short-Term Memory, 1997
    (https://doi.org/10.1162/neco.1997.9.8.1735), the forget gate to Gers, Schmidhuber and
    Cummins, Learning to Forget, 2000 (https://doi.org/10.1162/089976600300015015), and its
    initial bias of 1 to Jozefowicz, Zaremba and Sutskever, 2015
    (https://proceedings.mlr.press/v37/jozefowicz15.html).

    Use it where nothing speaks for another cell: it has kernels in torch and cuDNN, formats such
    as ONNX know it, and most published figures are its.
    """
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    c = f * c + i * g
    h = o * tanh(c)
    return h, c
