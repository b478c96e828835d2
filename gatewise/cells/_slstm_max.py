"""The scalar memory of the xLSTM with a normaliser of at least 1."""

from ..compiler import Gate, State, cell, exp, logsigmoid, maximum, sigmoid, tanh, where


@cell(bias={"f": 1.0})
def slstm_max(i: Gate, f: Gate, g: Gate, o: Gate, h: State, c: State, n: State, m: State):
    """LSTM as `slstm`, with the other published normaliser: n = max(f n + i, 1).

    Pöppel, Beck and Hochreiter, FlashRNN: I/O-Aware Optimization of Traditional RNNs on modern
    hardware, 2024 (https://arxiv.org/abs/2412.07752), whose kernels bound n; those of the xLSTM
    (`slstm`) do not. From a new state the two are one function: at each step one of both gates is
    1, so n is never below 1. They differ where a state is given whose n lies between 0 and 1.

    Use it to run weights and states of FlashRNN; for all else take `slstm`.
    """
    kept = where(n > 0, logsigmoid(f) + m, i)
    m = maximum(kept, i)
    f, i = where(n > 0, exp(kept - m), 0), exp(i - m)
    c = f * c + i * tanh(g)
    total = f * n + i
    n = where(total < 1, 1, total)
    h = sigmoid(o) * (c / n)
    return h, c, n, m
