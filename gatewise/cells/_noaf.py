"""Long short-term memory without an output activation function."""

from ..compiler import Gate, State, Weight, cell, sigmoid, tanh


@cell(bias={"f": 1.0})
def noaf(
    i: Gate, f: Gate, g: Gate, o: Gate, h: State, c: State, p_i: Weight, p_f: Weight, p_o: Weight
):
    """LSTM with peepholes and no output activation: it shows its cell as it is, times the gate.

    Greff et al., LSTM: A Search Space Odyssey, 2017 (https://arxiv.org/abs/1503.04069), variant
    NOAF of the peephole LSTM; the paper found it to lose the most, together with NFG.

    Use it as one of the paper's eight variants (`GREFF`), to see what bounding the output is worth
    on a task.
    """
    i, f, g = sigmoid(i + p_i * c), sigmoid(f + p_f * c), tanh(g)
    c = f * c + i * g
    o = sigmoid(o + p_o * c)
    h = o * c
    return h, c
