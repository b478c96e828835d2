"""Long short-term memory whose gates see the cell."""

from ..compiler import Gate, State, Weight, cell, sigmoid, tanh


@cell(bias={"f": 1.0})
def peephole_lstm(
    i: Gate, f: Gate, g: Gate, o: Gate, h: State, c: State, p_i: Weight, p_f: Weight, p_o: Weight
):
    """LSTM with peepholes: the gates also see the cell, the output gate the new one.

    Gers, Schraudolph and Schmidhuber, Learning Precise Timing with LSTM Recurrent Networks, 2002
    (https://www.jmlr.org/papers/v3/gers02a.html); the vanilla LSTM of Greff et al., LSTM: A Search
    Space Odyssey, 2017 (https://arxiv.org/abs/1503.04069). The peepholes start from 0, which is
    the plain LSTM.

    Use it where exact durations matter, such as the time between two events, and as the
    vanilla LSTM that the paper's variants (`GREFF`) are compared with.
    """
    i, f, g = sigmoid(i + p_i * c), sigmoid(f + p_f * c), tanh(g)
    c = f * c + i * g
    o = sigmoid(o + p_o * c)
    h = o * tanh(c)
    return h, c
