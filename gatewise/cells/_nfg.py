"""Long short-term memory without a forget gate."""

from ..compiler import Gate, State, Weight, cell, sigmoid, tanh


@cell
def nfg(i: Gate, g: Gate, o: Gate, h: State, c: State, p_i: Weight, p_o: Weight):
    """LSTM with peepholes and no forget gate: the cell only adds up.

    Greff et al., LSTM: A Search Space Odyssey, 2017 (https://arxiv.org/abs/1503.04069), variant
    NFG of the peephole LSTM.

    Use it as one of the paper's eight variants (`GREFF`), to see what forgetting is worth on a
    task; it was among the two that lost most.
    """
    i, g = sigmoid(i + p_i * c), tanh(g)
    c = c + i * g
    o = sigmoid(o + p_o * c)
    h = o * tanh(c)
    return h, c
