"""Long short-term memory without an output gate."""

from ..compiler import Gate, State, Weight, cell, sigmoid, tanh


@cell(bias={"f": 1.0})
def nog(i: Gate, f: Gate, g: Gate, h: State, c: State, p_i: Weight, p_f: Weight):
    """LSTM with peepholes and no output gate: it shows all of its cell.

    Greff et al., LSTM: A Search Space Odyssey, 2017 (https://arxiv.org/abs/1503.04069), variant
    NOG of the peephole LSTM.

    Use it as one of the paper's eight variants (`GREFF`), to see what hiding the cell is worth on
    a task.
    """
    i, f, g = sigmoid(i + p_i * c), sigmoid(f + p_f * c), tanh(g)
    c = f * c + i * g
    h = tanh(c)
    return h, c
