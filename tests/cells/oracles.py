"""The cells once more, in NumPy, written from their papers and not from the package.

Each takes the input `x` [batch, input], the old states, and by row block the input weights `W`
[hidden, input], recurrent weights `U` [hidden, hidden] and biases `b` [hidden], then the vectors
`p` [hidden] of peepholes. Each returns the new states.
"""

import numpy as np


def logistic(a):
    return 1 / (1 + np.exp(-a))


def elman(x, old, W, U, b, p):
    """Elman 1990: the hidden layer sees the input and its own copy in the context units."""
    (context,) = old
    return (np.tanh(x @ W["a"].T + context @ U["a"].T + b["a"]),)


def elman_relu(x, old, W, U, b, p):
    """Le, Jaitly and Hinton 2015: the same with rectified units."""
    (context,) = old
    net = x @ W["a"].T + context @ U["a"].T + b["a"]
    return (np.where(net > 0, net, 0),)


def lstm(x, old, W, U, b, p):
    """Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000."""
    y, s = old

    def net(unit):
        return x @ W[unit].T + y @ U[unit].T + b[unit]

    s = s * logistic(net("f")) + np.tanh(net("g")) * logistic(net("i"))
    return np.tanh(s) * logistic(net("o")), s


def gru(x, old, W, U, b, p):
    """Cho et al. 2014, first version, in torch's convention: z weighs the old state."""
    (h,) = old
    reset = logistic(x @ W["r"].T + h @ U["r"].T + b["r"])
    update = logistic(x @ W["z"].T + h @ U["z"].T + b["z"])
    candidate = np.tanh((x @ W["n_x"].T + b["n_x"]) + reset * (h @ U["n_h"].T + b["n_h"]))
    return (update * h + (1 - update) * candidate,)


def gru_reset_before(x, old, W, U, b, p):
    """Cho et al. 2014, equations 5 to 8; the paper has no biases, here each row block has one."""
    (h,) = old
    r = logistic(x @ W["r"].T + h @ U["r"].T + b["r"])
    z = logistic(x @ W["z"].T + h @ U["z"].T + b["z"])
    tilde = np.tanh(x @ W["n_x"].T + (r * h) @ U["n_h"].T + b["n_x"] + b["n_h"])
    return (z * h + (1 - z) * tilde,)


def peephole_lstm(x, old, W, U, b, p):
    """Greff et al. 2017, section 2: block input, gates with peepholes, cell, block output."""
    y, c = old
    block_input = np.tanh(x @ W["g"].T + y @ U["g"].T + b["g"])
    input_gate = logistic(x @ W["i"].T + y @ U["i"].T + p["p_i"] * c + b["i"])
    forget_gate = logistic(x @ W["f"].T + y @ U["f"].T + p["p_f"] * c + b["f"])
    new = block_input * input_gate + c * forget_gate
    output_gate = logistic(x @ W["o"].T + y @ U["o"].T + p["p_o"] * new + b["o"])
    return np.tanh(new) * output_gate, new


def coupled_lstm(x, old, W, U, b, p):
    """Greff et al. 2017, variant CIFG (i = 1 - f), here without peepholes."""
    y, c = old
    forget = logistic(x @ W["f"].T + y @ U["f"].T + b["f"])
    block_input = np.tanh(x @ W["g"].T + y @ U["g"].T + b["g"])
    output = logistic(x @ W["o"].T + y @ U["o"].T + b["o"])
    new = forget * c + (1 - forget) * block_input
    return output * np.tanh(new), new
