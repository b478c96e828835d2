"""Long short-term memory without an input gate."""

from ..compiler import Gate, State, Weight, cell, sigmoid, tanh


@cell(bias={"f": 1.0})
def nig(f: Gate, g: Gate, o: Gate, h: State, c: State, p_f: Weight, p_o: Weight):
    """LSTM with peepholes and no input gate: it writes all of each block input.

    Greff et al., LSTM: A Search Space Odyssey, 2017 (https://arxiv.org/abs/1503.04069), variant
    NIG of the peephole LSTM.

    Use it as one of the paper's eight variants (`GREFF`), to see what choosing what to write is
    worth on a task.
    """
    f, g = sigmoid(f + p_f * c), tanh(g)
    c = f * c + g
    o = sigmoid(o + p_o * c)
    h = o * tanh(c)
    return h, c
