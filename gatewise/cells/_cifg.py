"""Long short-term memory with peepholes that writes what it forgets."""

from ..compiler import Gate, State, Weight, cell, sigmoid, tanh


@cell(bias={"f": 1.0})
def cifg(f: Gate, g: Gate, o: Gate, h: State, c: State, p_f: Weight, p_o: Weight):
    """LSTM with peepholes and coupled input and forget gate: it writes as much as it forgets.

    Greff et al., LSTM: A Search Space Odyssey, 2017 (https://arxiv.org/abs/1503.04069), variant
    CIFG of the peephole LSTM. The paper says f = 1 - i; the gate that has weights here is f, which
    is the same with the signs of the weights turned.

    Use it as one of the paper's eight variants (`GREFF`), which it found no worse than all gates;
    elsewhere `coupled_lstm` is the same without peepholes.
    """
    f, g = sigmoid(f + p_f * c), tanh(g)
    c = f * c + (1 - f) * g
    o = sigmoid(o + p_o * c)
    h = o * tanh(c)
    return h, c
