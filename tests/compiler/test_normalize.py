"""Layer norm against its papers, written once more; where it stands among other transforms."""

import json
import pickle

import pytest
import torch
import torch.nn.functional as F

from gatewise import InputError, cells
from gatewise.cells import every_cell
from gatewise.compiler import (
    Cell,
    FromInput,
    FromState,
    Gate,
    Hyper,
    State,
    cell,
    equations,
    layer_norm,
    recurrent_dropout,
    sigmoid,
    step_source,
    tanh,
    vjp_source,
    zoneout,
)
from gatewise.connectivity import Dense
from gatewise.engines import parameters, recurrence
from gatewise.nn import Recurrent

from .running import HIDDEN, INPUT, agree, check_derivatives, drawn


def ln(v):
    return F.layer_norm(v, v.shape[-1:])


def gathered(w, name, gates):
    return torch.cat([w[f"{name}_{gate}"] for gate in gates])


def sides(x, h, w, gates):
    """Ba et al. 2016, the two normalised halves of equation 20, with gains, without the shift."""
    from_input = ln(x @ w["weight_ih"].T) * gathered(w, "gain_x", gates)
    from_state = ln(h @ w["weight_hh"].T) * gathered(w, "gain_h", gates)
    return from_input, from_state


def gates(x, h, w, names):
    from_input, from_state = sides(x, h, w, names)
    total = from_input + from_state + gathered(w, "shift", names)
    return dict(zip(names, total.chunk(len(names), -1), strict=True))


def lstm_ba(x, old, w, m):
    """Equations 20 to 22."""
    h, c = old
    a = gates(x, h, w, "ifgo")
    c = torch.sigmoid(a["f"]) * c + torch.sigmoid(a["i"]) * torch.tanh(a["g"])
    return torch.sigmoid(a["o"]) * torch.tanh(ln(c) * w["gain_c"] + w["shift_c"]), c


def lstm_stored(x, old, w, m):
    """The cell of PyTorch's benchmarks."""
    h, c = old
    a = gates(x, h, w, "ifgo")
    c = torch.sigmoid(a["f"]) * c + torch.sigmoid(a["i"]) * torch.tanh(a["g"])
    c = ln(c) * w["gain_c"] + w["shift_c"]
    return torch.sigmoid(a["o"]) * torch.tanh(c), c


def peephole(x, old, w, stored):
    h, c = old
    a = gates(x, h, w, "ifgo")
    i, f = torch.sigmoid(a["i"] + w["p_i"] * c), torch.sigmoid(a["f"] + w["p_f"] * c)
    c = f * c + i * torch.tanh(a["g"])
    normal = ln(c) * w["gain_c"] + w["shift_c"]
    c = normal if stored else c
    return torch.sigmoid(a["o"] + w["p_o"] * c) * torch.tanh(normal), c


def gru(x, old, w, m):
    """All three gates share their statistics; n has a shift on either side, as it has biases."""
    (h,) = old
    from_input, from_state = (s.chunk(3, -1) for s in sides(x, h, w, "rzn"))
    r = torch.sigmoid(from_input[0] + from_state[0] + w["shift_r"])
    z = torch.sigmoid(from_input[1] + from_state[1] + w["shift_z"])
    n = from_input[2] + w["shift_n"] + r * (from_state[2] + w["shift_h_n"])
    return ((1 - z) * torch.tanh(n) + z * h,)


def gru_reset_before(x, old, w, m):
    """The product with what has been reset is normalised by itself."""
    (h,) = old
    U = w["weight_hh"].split(HIDDEN)
    from_input = (ln(x @ w["weight_ih"].T) * gathered(w, "gain_x", "rzn")).chunk(3, -1)
    from_state = (ln(h @ torch.cat(U[:2]).T) * gathered(w, "gain_h", "rz")).chunk(2, -1)
    r = torch.sigmoid(from_input[0] + from_state[0] + w["shift_r"])
    z = torch.sigmoid(from_input[1] + from_state[1] + w["shift_z"])
    n = from_input[2] + ln(U[2] @ (r * h)) * w["gain_h_n"] + w["shift_n"]
    return (z * h + (1 - z) * torch.tanh(n),)


def coupled(x, old, w, m):
    h, c = old
    a = gates(x, h, w, "fgo")
    f = torch.sigmoid(a["f"])
    c = f * c + (1 - f) * torch.tanh(a["g"])
    return torch.sigmoid(a["o"]) * torch.tanh(ln(c) * w["gain_c"] + w["shift_c"]), c


def noaf(x, old, w, m):
    """The memory is shown without an activation: normalised all the same."""
    h, c = old
    a = gates(x, h, w, "ifgo")
    i, f = torch.sigmoid(a["i"] + w["p_i"] * c), torch.sigmoid(a["f"] + w["p_f"] * c)
    c = f * c + i * torch.tanh(a["g"])
    o = torch.sigmoid(a["o"] + w["p_o"] * c)
    return o * (ln(c) * w["gain_c"] + w["shift_c"]), c


def elman(x, old, w, m):
    return (torch.tanh(gates(x, old[0], w, "a")["a"]),)


@cell
def multiplied(i: Gate, g: Gate, m_x: FromInput, m_h: FromState, h: State):
    """Rows of the state that multiply different values, two of them the same one."""
    m = m_x * m_h
    return sigmoid(i(m)) * tanh(g(m)) + h


def multiplied_step(x, old, w, _):
    (h,) = old
    U = w["weight_hh"].split(HIDDEN)
    from_input = ln(x @ w["weight_ih"].T) * gathered(w, "gain_x", "igm")
    i, g, m = from_input.chunk(3, -1)
    m = (m + w["shift_m"]) * (ln(U[2] @ h) * w["gain_h_m"] + w["shift_h_m"])
    from_m = (ln(torch.cat(U[:2]) @ m) * gathered(w, "gain_h", "ig")).chunk(2, -1)
    i, g = i + from_m[0] + w["shift_i"], g + from_m[1] + w["shift_g"]
    return (torch.sigmoid(i) * torch.tanh(g) + h,)


def zoneout_lstm(x, old, w, m):
    """Krueger et al. 2017, of the transition of Ba et al. 2016."""
    new = lstm_ba(x, old, w, m)
    d = m["zone_h"], m["zone_c"]
    return tuple(z * before + (1 - z) * after for z, before, after in zip(d, old, new, strict=True))


def semeniuta_lstm(x, old, w, m):
    h, c = old
    a = gates(x, h, w, "ifgo")
    c = torch.sigmoid(a["f"]) * c + torch.sigmoid(a["i"]) * (torch.tanh(a["g"]) * m["drop_g"])
    return torch.sigmoid(a["o"]) * torch.tanh(ln(c) * w["gain_c"] + w["shift_c"]), c


def gal_gru(x, old, w, m):
    (h,) = old
    from_input, from_state = (s.chunk(3, -1) for s in sides(x, h * m["drop_h"], w, "rzn"))
    r = torch.sigmoid(from_input[0] + from_state[0] + w["shift_r"])
    z = torch.sigmoid(from_input[1] + from_state[1] + w["shift_z"])
    n = from_input[2] + w["shift_n"] + r * (from_state[2] + w["shift_h_n"])
    return ((1 - z) * torch.tanh(n) + z * h,)


RATES = {"h": 0.05, "c": 0.5}
CASES = {
    "lstm": (layer_norm(cells.lstm), lstm_ba),
    "lstm_stored": (layer_norm(cells.lstm, "stored"), lstm_stored),
    "peephole": (layer_norm(cells.peephole_lstm), lambda *a: peephole(*a[:3], False)),
    "peephole_stored": (
        layer_norm(cells.peephole_lstm, "stored"), lambda *a: peephole(*a[:3], True)
    ),
    "gru": (layer_norm(cells.gru), gru),
    "gru_reset_before": (layer_norm(cells.gru_reset_before), gru_reset_before),
    "coupled": (layer_norm(cells.coupled_lstm), coupled),
    "noaf": (layer_norm(cells.noaf), noaf),
    "elman": (layer_norm(cells.elman), elman),
    "multiplied": (layer_norm(multiplied), multiplied_step),
    "zoneout": (zoneout(layer_norm(cells.lstm), RATES), zoneout_lstm),
    "zoneout_before": (layer_norm(zoneout(cells.lstm, RATES)), zoneout_lstm),
    "semeniuta": (recurrent_dropout(layer_norm(cells.lstm), 0.3), semeniuta_lstm),
    "gal": (recurrent_dropout(layer_norm(cells.gru), 0.3, "gal"), gal_gru),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("options", [{}, {"reverse": True, "lengths": [5, 0, 2]}], ids=["", "odd"])
def test_values_and_gradients_are_those_of_the_papers(name, options):
    made, step = CASES[name]
    agree(drawn(made, bias=False, **options), step)


@pytest.mark.parametrize("name", ["lstm", "peephole_stored", "gru_reset_before"])
def test_derivatives(name):
    check_derivatives(drawn(CASES[name][0], bias=False))


def test_what_is_learned():
    assert CASES["lstm"][0].weights == (
        dict.fromkeys(["gain_x_i", "gain_x_f", "gain_x_g", "gain_x_o"], 1.0)
        | dict.fromkeys(["gain_h_i", "gain_h_f", "gain_h_g", "gain_h_o"], 1.0)
        | {"shift_i": 0.0, "shift_f": 1.0, "shift_g": 0.0, "shift_o": 0.0}
        | {"gain_c": 1.0, "shift_c": 0.0}
    )
    assert CASES["lstm"][0].bias == {}
    assert [n for n in CASES["gru"][0].weights if n.startswith("shift")] == [
        "shift_r", "shift_z", "shift_n", "shift_h_n"
    ]  # fmt: skip
    assert [n for n in CASES["gru_reset_before"][0].weights if n.startswith("shift")] == [
        "shift_r", "shift_z", "shift_n"
    ]  # fmt: skip


def test_the_scale_of_the_weights_makes_no_difference():
    call = drawn(layer_norm(cells.gru).with_(eps=0.0), bias=False)
    scaled = {n: w * 3 if n == "weight_ih" else w / 7 if n == "weight_hh" else w
              for n, w in call.weights.items()}  # fmt: skip
    torch.testing.assert_close(recurrence(*call._replace(weights=scaled)), recurrence(*call))


@pytest.mark.parametrize("name", every_cell())
@pytest.mark.parametrize("placement", ["ba", "stored"])
def test_every_cell_can_be_normalised(name, placement):
    plain = every_cell()[name]
    made = layer_norm(plain, placement)
    again = Cell.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again == made == Cell.from_key(made.key) == pickle.loads(pickle.dumps(made))
    assert again.key == made.key == layer_norm(plain, placement).key != plain.key
    for emit in (step_source, vjp_source, equations):
        assert emit(again) == emit(made)
    assert made.bias == {}
    assert sum(made.weights[n] for n in made.weights if n.startswith("shift_")) == sum(
        plain.bias.values()
    ) + plain.weights.get("shift_c", 0.0)
    before, after = (parameters(c, Dense(), INPUT, HIDDEN, bias=False) for c in (plain, made))
    assert before.items() <= after.items()


def test_what_is_no_memory_of_its_own_stays():
    assert "gain_c" not in layer_norm(cells.slstm).weights
    assert "gain_c" not in layer_norm(cells.gru).weights

    @cell
    def same(f: Gate, g: Gate, h: State, c: State):
        c = sigmoid(f) * c + tanh(g)
        return c, c

    first, second = layer_norm(same).outputs
    assert first is not second
    assert layer_norm(same, "stored").outputs[0] is layer_norm(same, "stored").outputs[1]


@pytest.mark.parametrize("placement", ["ba", "stored"])
@pytest.mark.parametrize("name", ["lstm", "peephole_lstm", "gru", "gru_reset_before"])
def test_the_order_of_transforms_makes_no_difference(name, placement):
    plain = every_cell()[name]
    others = [
        lambda c: zoneout(c, dict.fromkeys(c.states, 0.2)),
        lambda c: recurrent_dropout(c, 0.3),
        lambda c: recurrent_dropout(c, 0.3, "gal"),
    ]
    for other in others:
        one, two = other(layer_norm(plain, placement)), layer_norm(other(plain), placement)
        assert one.outputs == two.outputs
        assert one.weights == two.weights
        assert one.inputs == two.inputs


def test_latex():
    lines = equations(layer_norm(cells.elman)).splitlines()
    assert lines[1] == r"\mu_{x,t} &= \overline{W_{a} x_{t} + b_{a}} \\"
    assert r"\rho_{x,t} \odot \mathrm{gain}_{x\_a} + \mathrm{shift}_{a}" in lines[-3]
    text = equations(layer_norm(cells.lstm))
    assert r"\mu_{c,t} &= \overline{c_{t}}" in text
    assert text.index("i_{t} &=") < text.index("o_{t} &=") < text.index(r"\mu_{c,t} &=")
    assert text.splitlines()[-2].startswith("h_{t} &= o_{t}")


def test_a_layer_takes_it():
    layer = Recurrent(layer_norm(cells.lstm), 3, 4, num_layers=2, bidirectional=True, bias=False)
    assert torch.equal(layer.get_parameter("shift_f_l1_reverse"), torch.ones(4))
    y, _ = layer(torch.randn(2, 5, 3), lengths=[5, 2])
    y.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in layer.parameters())


@cell
def own_eps(a: Gate, h: State, eps: Hyper = 0.1):
    return tanh(a) + eps * h


@cell
def blind(h: State):
    return tanh(h)


def nameless(i: Gate, g: Gate, h: State, c: State):
    return tanh(c + sigmoid(i) * tanh(g)), c + sigmoid(i) * tanh(g)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: layer_norm(cells.lstm, "Ba"), "placement='Ba': layer_norm knows these; there are"),
        (lambda: layer_norm(cells.lstm, "store"), "did you mean 'stored'"),
        (lambda: layer_norm(layer_norm(cells.gru)), "gain_x_r already: apply layer_norm once"),
        (lambda: layer_norm(own_eps), "own_eps has eps already"),
        (lambda: layer_norm(blind), "blind has no gates"),
        (
            lambda: layer_norm(zoneout(cell(nameless), {"c": 0.1})),
            "apply layer_norm first, then zoneout",
        ),
    ],
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
