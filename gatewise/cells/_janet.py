"""The network with a forget gate only."""

from ..compiler import Gate, Hyper, State, cell, sigmoid, tanh


@cell(bias={"f": 1.0})
def janet(f: Gate, g: Gate, h: State, beta: Hyper = 1.0):
    """LSTM with nothing but its forget gate (JANET); it writes a little more than it forgets.

    Van der Westhuizen and Lasenby, The Unreasonable Effectiveness of the Forget Gate, 2018
    (https://arxiv.org/abs/1804.04849), which found beta = 1 best; beta = 0 couples exactly.

    Use it to remember over long lags with half of the LSTM's weights, where no gate has to hide
    what is stored; the paper's initial forget bias grows with the longest lag.
    """
    keep, write = sigmoid(f), 1 - sigmoid(f - beta)
    h = keep * h + write * tanh(g)
    return h
