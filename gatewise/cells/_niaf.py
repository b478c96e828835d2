"""Long short-term memory without an input activation function."""

from ..compiler import Gate, State, Weight, cell, sigmoid, tanh


@cell(bias={"f": 1.0})
def niaf(
    i: Gate, f: Gate, g: Gate, o: Gate, h: State, c: State, p_i: Weight, p_f: Weight, p_o: Weight
):
    """LSTM with peepholes and no input activation: the block input is linear.

    Greff et al., LSTM: A Search Space Odyssey, 2017 (https://arxiv.org/abs/1503.04069), variant
    NIAF of the peephole LSTM.

    Use it as one of the paper's eight variants (`GREFF`), to see what bounding the block input is
    worth on a task.
    """
    i, f = sigmoid(i + p_i * c), sigmoid(f + p_f * c)
    c = f * c + i * g
    o = sigmoid(o + p_o * c)
    h = o * tanh(c)
    return h, c
