"""The scalar memory of the xLSTM with an exponential forget gate."""

from ..compiler import Gate, State, cell, exp, maximum, sigmoid, tanh, where


@cell
def slstm_exp(i: Gate, f: Gate, g: Gate, o: Gate, h: State, c: State, n: State, m: State):
    """LSTM as `slstm`, with a forget gate that is exponential too.

    Beck et al., xLSTM: Extended Long Short-Term Memory, 2024 (https://arxiv.org/abs/2405.04517),
    equations 8 to 17: the paper leaves the choice between this forget gate and the sigmoid. With
    it m, the scale of the memory, grows without bound, and no state overflows for that.

    Use it as `slstm`, where the past may also have to gain weight against what comes: a forget
    gate of 0 keeps all of it, one above raises it.
    """
    kept = where(n > 0, f + m, i)
    m = maximum(kept, i)
    f, i = where(n > 0, exp(kept - m), 0), exp(i - m)
    c = f * c + i * tanh(g)
    n = f * n + i
    h = sigmoid(o) * (c / n)
    return h, c, n, m
