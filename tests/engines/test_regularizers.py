"""Zoneout and recurrent dropout against their papers, written once more, with the masks given."""

import pytest
import torch

from gatewise import InputError, cells
from gatewise.compiler import quiet, recurrent_dropout, zoneout
from gatewise.engines import recurrence, step
from tests.compiler.running import BATCH, HIDDEN, TIME, agree, by_hand, drawn

RATES = {"h": 0.05, "c": 0.5}


def gates(x, h, w, order):
    """Each gate's `W x + U h + b`; no reset, so both halves may be summed."""
    total = x @ w["weight_ih"].T + w["bias_ih"] + h @ w["weight_hh"].T + w["bias_hh"]
    return dict(zip(order, total.chunk(len(order), -1), strict=True))


def lstm_parts(x, h, w):
    a = gates(x, h, w, "ifgo")
    return a["i"].sigmoid(), a["f"].sigmoid(), a["g"].tanh(), a["o"].sigmoid()


def zoneout_lstm(x, old, w, m):
    """Krueger et al. 2017: both masks act on the transition without zoneout."""
    h, c = old
    i, f, g, o = lstm_parts(x, h, w)
    d_c, d_h = m["zone_c"], m["zone_h"]
    return (
        d_h * h + (1 - d_h) * (o * torch.tanh(f * c + i * g)),
        d_c * c + (1 - d_c) * (f * c + i * g),
    )


def zoneout_gru(x, old, w, m):
    """Krueger et al. 2017: of any transition."""
    (h,) = old
    z, n = gru_parts(x, h, w)
    return (m["zone_h"] * h + (1 - m["zone_h"]) * (z * h + (1 - z) * n),)


def semeniuta_lstm(x, old, w, m):
    """Semeniuta et al. 2016: `c = f * c + i * d(g)`."""
    h, c = old
    i, f, g, o = lstm_parts(x, h, w)
    c = f * c + i * (g * m["drop_g"])
    return o * c.tanh(), c


def semeniuta_peephole(x, old, w, m):
    h, c = old
    a = gates(x, h, w, "ifgo")
    i, f = torch.sigmoid(a["i"] + w["p_i"] * c), torch.sigmoid(a["f"] + w["p_f"] * c)
    c = f * c + i * (a["g"].tanh() * m["drop_g"])
    return torch.sigmoid(a["o"] + w["p_o"] * c) * c.tanh(), c


def semeniuta_coupled(x, old, w, m):
    h, c = old
    a = gates(x, h, w, "fgo")
    f = a["f"].sigmoid()
    c = f * c + (1 - f) * (a["g"].tanh() * m["drop_g"])
    return a["o"].sigmoid() * c.tanh(), c


def gru_parts(x, h, w):
    from_input = (x @ w["weight_ih"].T + w["bias_ih"]).chunk(3, -1)
    from_state = (h @ w["weight_hh"].T + w["bias_hh"]).chunk(3, -1)
    r, z = (torch.sigmoid(a + b) for a, b in zip(from_input[:2], from_state[:2], strict=True))
    return z, torch.tanh(from_input[2] + r * from_state[2])


def semeniuta_gru(x, old, w, m):
    """Semeniuta et al. 2016, where z is torch's `1 - z`."""
    (h,) = old
    z, n = gru_parts(x, h, w)
    return (z * h + (1 - z) * (n * m["drop_n"]),)


def gal_lstm(x, old, w, m):
    """Gal and Ghahramani 2016: the same mask on h in the product of every gate."""
    h, c = old
    i, f, g, o = lstm_parts(x, h * m["drop_h"], w)
    c = f * c + i * g
    return o * c.tanh(), c


def gal_gru(x, old, w, m):
    """The same; the old state that z keeps is not dropped."""
    (h,) = old
    z, n = gru_parts(x, h * m["drop_h"], w)
    return (z * h + (1 - z) * n,)


def gal_reset_before(x, old, w, m):
    (h,) = old
    W, U = w["weight_ih"].chunk(3), w["weight_hh"].chunk(3)
    b = [p + q for p, q in zip(w["bias_ih"].chunk(3), w["bias_hh"].chunk(3), strict=True)]
    kept = h * m["drop_h"]
    r, z = (torch.sigmoid(x @ W[k].T + kept @ U[k].T + b[k]) for k in (0, 1))
    n = torch.tanh(x @ W[2].T + (r * kept) @ U[2].T + b[2])
    return (z * h + (1 - z) * n,)


CASES = {
    "zoneout_lstm": (zoneout(cells.lstm, RATES), zoneout_lstm),
    "zoneout_gru": (zoneout(cells.gru, {"h": 0.3}), zoneout_gru),
    "semeniuta_lstm": (recurrent_dropout(cells.lstm, 0.3), semeniuta_lstm),
    "semeniuta_peephole": (recurrent_dropout(cells.peephole_lstm, 0.3), semeniuta_peephole),
    "semeniuta_coupled": (recurrent_dropout(cells.coupled_lstm, 0.3), semeniuta_coupled),
    "semeniuta_gru": (recurrent_dropout(cells.gru, 0.3), semeniuta_gru),
    "gal_lstm": (recurrent_dropout(cells.lstm, 0.3, "gal"), gal_lstm),
    "gal_gru": (recurrent_dropout(cells.gru, 0.3, "gal"), gal_gru),
    "gal_reset_before": (recurrent_dropout(cells.gru_reset_before, 0.3, "gal"), gal_reset_before),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("lengths", [None, [TIME, 0, 3]], ids=["full", "ragged"])
def test_values_and_gradients_are_those_of_the_papers(name, reverse, lengths):
    cell, step = CASES[name]
    agree(drawn(cell, reverse=reverse, lengths=lengths), step)


@pytest.mark.parametrize("name", CASES)
def test_evaluation_takes_the_expectation(name):
    cell, step = CASES[name]
    shape = BATCH, TIME, HIDDEN
    means = {n: torch.full(shape, mean, dtype=torch.float64) for n, mean in cell.noises.items()}
    call = drawn(cell)._replace(noise={})
    want = by_hand(step, call._replace(noise=means))
    for same in (call, call._replace(cell=quiet(cell)), call._replace(noise=means)):
        y, state = recurrence(*same)
        torch.testing.assert_close([y, *state], want)


def test_the_expectation_of_zoneout_is_the_rate_and_of_dropout_the_plain_cell():
    assert CASES["zoneout_lstm"][0].noises == {"zone_h": 0.05, "zone_c": 0.5}
    call = drawn(CASES["semeniuta_lstm"][0])._replace(noise={})
    torch.testing.assert_close(recurrence(*call), recurrence(*call._replace(cell=cells.lstm)))


def test_no_gradient_flows_to_noise():
    call = drawn(CASES["semeniuta_lstm"][0])
    noise = {name: value.requires_grad_() for name, value in call.noise.items()}
    y, _ = recurrence(*call._replace(noise=noise))
    y.sum().backward()
    first = {name: value[:, 0] for name, value in noise.items()}
    h, _ = step(call.cell, call.connectivity, call.x[:, 0], call.weights, call.state, first)
    h.sum().backward()
    assert noise["drop_g"].grad is None


@pytest.mark.parametrize(
    ("noise", "says"),
    [
        ({"drop_f": torch.ones(BATCH, TIME, HIDDEN)}, "did you mean 'drop_g'"),
        ({"drop_g": torch.ones(BATCH, HIDDEN)}, r"drop_g of shape \(3, 4\)"),
        ({"drop_g": torch.ones(BATCH, 2, HIDDEN)}, "here .3, 5, 4., or one step"),
        ({"drop_g": torch.ones(BATCH, TIME, 1)}, r"drop_g of shape \(3, 5, 1\)"),
    ],
)
def test_wrong_noise_is_one_sentence(noise, says):
    call = drawn(CASES["semeniuta_lstm"][0])
    with pytest.raises(InputError, match=says):
        recurrence(*call._replace(noise=noise))
