"""The scalar memory of the xLSTM."""

from ..compiler import Gate, State, cell, exp, logsigmoid, maximum, sigmoid, tanh, where


@cell(bias={"f": 1.0})
def slstm(i: Gate, f: Gate, g: Gate, o: Gate, h: State, c: State, n: State, m: State):
    """LSTM with an exponential input gate, a normaliser and a stabiliser, of one head (sLSTM).

    Beck et al., xLSTM: Extended Long Short-Term Memory, 2024 (https://arxiv.org/abs/2405.04517),
    equations 8 to 17, with the sigmoid forget gate; g is their z. Both gates act in the log
    domain, less their larger one m, so no exponential exceeds 1. Where n is 0, before the first
    step, there is nothing to keep and m is i, as in the authors' code, else a small i would give
    0 / 0. A learned first n below 0 counts as 0.

    Use it where a later input must be able to replace what was stored: the exponential gate can
    outweigh all of the past at once, which a sigmoid cannot.
    """
    kept = where(n > 0, logsigmoid(f) + m, i)
    m = maximum(kept, i)
    f, i = where(n > 0, exp(kept - m), 0), exp(i - m)
    c = f * c + i * tanh(g)
    n = f * n + i
    h = sigmoid(o) * (c / n)
    return h, c, n, m
