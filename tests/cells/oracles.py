"""The cells once more, in NumPy, written from their papers and not from the package.

Each takes the input `x` [batch, input], the old states, and by row block the input weights `W`
[hidden, input], recurrent weights `U` [hidden, hidden] and biases `b` [hidden], then the vectors
`p` of peepholes and their like [hidden] and what is given, such as the time since the last step.
Each returns the new states.
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


def grid_lstm(x, old, W, U, b, p):
    """Kalchbrenner et al. 2015, equation 1; H is what they multiply, both outputs side by side."""
    h, m = old
    H = np.concatenate([h, x], axis=1)
    joined = {unit: np.concatenate([U[unit], W[unit]], axis=1) for unit in "ifog"}
    u, f, o = (logistic(H @ joined[unit].T + b[unit]) for unit in "ifo")
    c = np.tanh(H @ joined["g"].T + b["g"])
    m = f * m + u * c
    return np.tanh(o * m), m


def _scalar_memory(x, old, W, U, b, forget, least=0):
    """Beck et al. 2024, equations 8 to 14, not stabilised; the states hold them less exp(m).

    The paper's n is positive, or 0 where nothing was written yet: then nothing is kept.
    """
    h, c, n, m = old

    def net(unit):
        return x @ W[unit].T + h @ U[unit].T + b[unit]

    i, f, z, o = np.exp(net("i")), forget(net("f")), np.tanh(net("g")), logistic(net("o"))
    written = n > 0
    cell = written * f * (c * np.exp(m)) + i * z
    normaliser = written * f * (n * np.exp(m)) + i
    stabiliser = np.where(written, np.maximum(np.log(f) + m, np.log(i)), np.log(i))
    scale = np.exp(stabiliser)
    normaliser = np.maximum(normaliser, least * scale)
    return o * cell / normaliser, cell / scale, normaliser / scale, stabiliser


def slstm(x, old, W, U, b, p):
    """Beck et al. 2024 with the sigmoid forget gate."""
    return _scalar_memory(x, old, W, U, b, logistic)


def slstm_max(x, old, W, U, b, p):
    """Pöppel et al. 2024: with the sigmoid forget gate, and at least 1 once stabilised."""
    return _scalar_memory(x, old, W, U, b, logistic, least=1)


def slstm_exp(x, old, W, U, b, p):
    """Beck et al. 2024 with the exponential forget gate."""
    return _scalar_memory(x, old, W, U, b, np.exp)


def mut1(x, old, W, U, b, p):
    """Jozefowicz et al. 2015, MUT1; what the paper writes as x_t is projected first."""
    (h,) = old
    projected = x @ W["n_x"].T + b["n_x"]
    z = logistic(x @ W["z"].T + b["z"])
    r = logistic(x @ W["r"].T + h @ U["r"].T + b["r"])
    tilde = np.tanh((r * h) @ U["n_h"].T + np.tanh(projected) + b["n_h"])
    return (tilde * z + h * (1 - z),)


def mut2(x, old, W, U, b, p):
    """Jozefowicz et al. 2015, MUT2; what the paper writes as x_t in r is projected first."""
    (h,) = old
    projected = x @ W["r"].T
    z = logistic(x @ W["z"].T + h @ U["z"].T + b["z"])
    r = logistic(projected + h @ U["r"].T + b["r"])
    tilde = np.tanh((r * h) @ U["n_h"].T + x @ W["n_x"].T + b["n_x"] + b["n_h"])
    return (tilde * z + h * (1 - z),)


def mut3(x, old, W, U, b, p):
    """Jozefowicz et al. 2015, MUT3; one bias is two here where the recurrent half has its own."""
    (h,) = old
    z = logistic(x @ W["z_x"].T + np.tanh(h) @ U["z_h"].T + b["z_x"] + b["z_h"])
    r = logistic(x @ W["r"].T + h @ U["r"].T + b["r"])
    tilde = np.tanh((r * h) @ U["n_h"].T + x @ W["n_x"].T + b["n_x"] + b["n_h"])
    return (tilde * z + h * (1 - z),)


def janet(x, old, W, U, b, p):
    """Van der Westhuizen and Lasenby 2018, equation 3, with beta = 1; h and c are the same."""
    (c,) = old
    s = x @ W["f"].T + c @ U["f"].T + b["f"]
    tilde = np.tanh(x @ W["g"].T + c @ U["g"].T + b["g"])
    return (logistic(s) * c + (1 - logistic(s - 1)) * tilde,)


def minimal_gated_unit(x, old, W, U, b, p):
    """Zhou et al. 2016, table 1."""
    (h,) = old
    f = logistic(x @ W["f"].T + h @ U["f"].T + b["f"])
    tilde = np.tanh(x @ W["n_x"].T + (f * h) @ U["n_h"].T + b["n_x"] + b["n_h"])
    return ((1 - f) * h + f * tilde,)


def indrnn(x, old, W, U, b, p):
    """Li et al. 2018, equation 2."""
    (h,) = old
    net = x @ W["a"].T + p["u"] * h + b["a"]
    return (np.where(net > 0, net, 0),)


def _vanilla(
    x, old, W, U, b, p, *, g=np.tanh, h=np.tanh, without="", recurrence=lambda gate: 0
):  # fmt: skip
    """Greff et al. 2017, section 2, with one change; gives also the gates."""
    y, c = old

    def net(unit):
        return x @ W[unit].T + y @ U[unit].T + b[unit]

    def gate(name, cell):
        if name == without:
            return np.ones_like(cell)
        return logistic(net(name) + recurrence(name) + p[f"p_{name}"] * cell)

    z, i, f = g(net("g")), gate("i", c), gate("f", c)
    c = z * i + c * f
    o = gate("o", c)
    return h(c) * o, c, i, f, o


def nig(x, old, W, U, b, p):
    """Greff et al. 2017, variant NIG: i = 1."""
    return _vanilla(x, old, W, U, b, p, without="i")[:2]


def nfg(x, old, W, U, b, p):
    """Greff et al. 2017, variant NFG: f = 1."""
    return _vanilla(x, old, W, U, b, p, without="f")[:2]


def nog(x, old, W, U, b, p):
    """Greff et al. 2017, variant NOG: o = 1."""
    return _vanilla(x, old, W, U, b, p, without="o")[:2]


def niaf(x, old, W, U, b, p):
    """Greff et al. 2017, variant NIAF: g(x) = x."""
    return _vanilla(x, old, W, U, b, p, g=lambda a: a)[:2]


def noaf(x, old, W, U, b, p):
    """Greff et al. 2017, variant NOAF: h(x) = x."""
    return _vanilla(x, old, W, U, b, p, h=lambda a: a)[:2]


def fgr(x, old, W, U, b, p):
    """Greff et al. 2017, variant FGR: the gates see the gates of the last step."""
    *old, i, f, o = old
    last = {"i": i, "f": f, "o": o}

    def recurrence(to):
        return sum(last[of] @ U[f"{to}_{of}"].T + b[f"{to}_{of}"] for of in last)

    return _vanilla(x, old, W, U, b, p, recurrence=recurrence)


def cifg(x, old, W, U, b, p):
    """Greff et al. 2017, variant CIFG: f = 1 - i; i has the weights of f with signs turned."""
    y, c = old
    i = logistic(-(x @ W["f"].T + y @ U["f"].T + p["p_f"] * c + b["f"]))
    z = np.tanh(x @ W["g"].T + y @ U["g"].T + b["g"])
    c = z * i + c * (1 - i)
    o = logistic(x @ W["o"].T + y @ U["o"].T + p["p_o"] * c + b["o"])
    return np.tanh(c) * o, c


def lstm_1997(x, old, W, U, b, p):
    """Hochreiter and Schmidhuber 1997, appendix: g(x) = 4 s(x) - 2 and h(x) = 2 s(x) - 1."""
    y, s = old

    def net(unit):
        return x @ W[unit].T + y @ U[unit].T + b[unit]

    s = s + logistic(net("i")) * (4 / (1 + np.exp(-net("g"))) - 2)
    return logistic(net("o")) * (2 / (1 + np.exp(-s)) - 1), s


def multiplicative_lstm(x, old, W, U, b, p):
    """Krause et al. 2016, with a bias for each row block."""
    h, c = old
    m = (x @ W["m_x"].T + b["m_x"]) * (h @ U["m_h"].T + b["m_h"])

    def net(unit):
        return x @ W[f"{unit}_x"].T + m @ U[f"{unit}_h"].T + b[f"{unit}_x"] + b[f"{unit}_h"]

    new = logistic(net("f")) * c + logistic(net("i")) * np.tanh(net("g"))
    return np.tanh(new) * logistic(net("o")), new


def lem(x, old, W, U, b, p):
    """Rusch et al. 2022, the discrete system with a longest step of 1; y leaves the layer."""
    y, z = old
    step_1 = logistic(y @ U["a"].T + x @ W["a"].T + b["a"])
    step_2 = logistic(y @ U["b"].T + x @ W["b"].T + b["b"])
    z = (1 - step_1) * z + step_1 * np.tanh(y @ U["u"].T + x @ W["u"].T + b["u"])
    drive = np.tanh(z @ U["v_h"].T + x @ W["v_x"].T + b["v_x"] + b["v_h"])
    return (1 - step_2) * y + step_2 * drive, z


def time_aware_lstm(x, old, W, U, b, p):
    """Baytas et al. 2017: the memory is decomposed, discounted and put together."""
    h, c = old
    short = np.tanh(c @ U["s"].T + b["s"])
    long = c - short
    adjusted = long + short * (1 / np.log(np.e + p["dt"]))

    def net(unit):
        return x @ W[unit].T + h @ U[unit].T + b[unit]

    new = logistic(net("f")) * adjusted + logistic(net("i")) * np.tanh(net("g"))
    return logistic(net("o")) * np.tanh(new), new


def phased_lstm(x, old, W, U, b, p):
    """Neil et al. 2016, section 2; the time that has passed is known but for whole periods."""
    h, c, phase = old
    period = np.exp(p["log_period"])
    time = phase * period + p["dt"]
    phi = np.mod(time - p["shift"], period) / period
    rising, falling = phi < 0.05 / 2, (phi >= 0.05 / 2) & (phi < 0.05)
    k = np.select([rising, falling], [2 * phi / 0.05, 2 - 2 * phi / 0.05], 0.001 * phi)

    def net(unit):
        return x @ W[unit].T + h @ U[unit].T + b[unit]

    c_tilde = logistic(net("f")) * c + logistic(net("i")) * np.tanh(net("g"))
    h_tilde = logistic(net("o")) * np.tanh(c_tilde)
    return k * h_tilde + (1 - k) * h, k * c_tilde + (1 - k) * c, np.mod(time, period) / period
