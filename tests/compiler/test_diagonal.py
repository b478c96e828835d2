"""A diagonal cell is the dense one whose recurrent matrices are diagonal."""

import json

import pytest
import torch

from gatewise import InputError, cells
from gatewise.cells import every_cell
from gatewise.compiler import (
    Cell,
    FromState,
    Gate,
    State,
    Weight,
    cell,
    clip,
    diagonal,
    equations,
    layer_norm,
    recurrent_dropout,
    step_source,
    tanh,
    vjp_source,
    zoneout,
)
from gatewise.compiler.expr import rewrite, var
from gatewise.engines import ENGINES
from gatewise.nn import Recurrent

from .running import HIDDEN, agree, check_derivatives, drawn, gradients

DENSE = {name: plain for name, plain in every_cell().items() if plain.state_rows}


def dense(call, plain):
    """The same layer with matrices, which are 0 but on the diagonal."""
    w = call.weights
    vectors = [w[f"u_{plain.block(row)}"] for row in plain.state_rows]
    kept = {name: w[name] for name in ("weight_ih", "bias_ih", *plain.weights)}
    return call._replace(
        cell=plain,
        weights=kept | {
            "weight_hh": torch.cat([torch.diag(u) for u in vectors]),
            "bias_hh": torch.zeros(len(vectors) * HIDDEN, dtype=torch.float64),
        },
    )  # fmt: skip


@pytest.mark.parametrize("name", DENSE)
def test_it_is_the_dense_cell_with_diagonal_matrices(name):
    plain = DENSE[name]
    call = drawn(diagonal(plain), lengths=[5, 0, 2], reverse=True)
    y, state = ENGINES[-1].run(dense(call, plain))
    want, slopes = [y, *state], gradients(call, [y, *state])
    for engine in ENGINES:
        if engine.why_not(call) is None:
            got, last = engine.run(call)
            torch.testing.assert_close([got, *last], want)
            torch.testing.assert_close(gradients(call, [got, *last]), slopes)


def lstm_step(x, old, w, m):
    """ParaRNN's LSTM without its peepholes: gates see one unit each."""
    h, c = old
    a = (x @ w["weight_ih"].T + w["bias_ih"]).chunk(4, -1)
    i, f, g, o = (v + w[f"u_{name}"] * h for v, name in zip(a, "ifgo", strict=True))
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def indrnn_step(x, old, w, m):
    """Li et al. 2018, equation 2."""
    return (torch.relu(x @ w["weight_ih"].T + w["bias_ih"] + w["u_a"] * old[0]),)


@pytest.mark.parametrize(
    ("plain", "step"), [(cells.lstm, lstm_step), (cells.elman_relu, indrnn_step)]
)
def test_values_are_those_of_the_papers(plain, step):
    agree(drawn(diagonal(plain)), step)
    agree(drawn(diagonal(plain), lengths=[5, 0, 2]), step)


def test_of_a_rectified_network_it_is_indrnn():
    made, (known,) = diagonal(cells.elman_relu), cells.indrnn.outputs
    named = rewrite([known], lambda node: var("u_a") if node is var("u") else node)
    assert made.outputs == (named[known],)
    assert made.inputs == {"a": "from_input", "h": "state", "u_a": "weight"}


def test_derivatives():
    check_derivatives(drawn(diagonal(cells.gru_reset_before)))


def test_ports():
    made = diagonal(cells.lstm)
    assert made.inputs == dict.fromkeys("ifgo", "from_input") | dict.fromkeys("hc", "state") | {
        f"u_{name}": "weight" for name in "ifgo"
    }
    assert made.weights == {f"u_{name}": 0.5 for name in "ifgo"}
    assert made.bias == {"f": 1.0}
    assert made.state_rows == ()
    assert diagonal(cells.gru).input_rows == ("r", "z", "n_x")
    assert list(diagonal(cells.gru).weights) == ["u_r", "u_z", "u_n"]
    assert all(not stage.products for stage in diagonal(cells.gru_reset_before).stages)


@pytest.mark.parametrize("name", DENSE)
def test_it_survives_as_data(name):
    made = diagonal(DENSE[name])
    again = Cell.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again == made == Cell.from_key(made.key)
    assert again.key == diagonal(DENSE[name]).key != DENSE[name].key
    for emit in (step_source, vjp_source, equations):
        assert emit(again) == emit(made)


def test_latex():
    assert equations(diagonal(cells.elman)).splitlines()[1] == (
        r"h_{t} &= \tanh(W_{a} x_{t} + b_{a} + u_{a} \odot h_{t-1})"
    )


def normal(v):
    return torch.nn.functional.layer_norm(v, v.shape[-1:])


def test_with_layer_norm_the_order_says_what_is_normalised():
    def inside(x, old, w, m):
        a = normal(x @ w["weight_ih"].T) * w["gain_x_a"]
        return (torch.tanh(a + w["shift_a"] + normal(w["u_a"] * old[0]) * w["gain_h_a"]),)

    def beside(x, old, w, m):
        a = normal(x @ w["weight_ih"].T) * w["gain_x_a"]
        return (torch.tanh(a + w["shift_a"] + w["u_a"] * old[0]),)

    agree(drawn(diagonal(layer_norm(cells.elman)), bias=False), inside)
    agree(drawn(layer_norm(diagonal(cells.elman)), bias=False), beside)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_the_order_of_other_transforms_makes_no_difference(name):
    plain = every_cell()[name]
    for other in (
        lambda c: zoneout(c, dict.fromkeys(c.states, 0.2)),
        lambda c: recurrent_dropout(c, 0.3),
        lambda c: clip(c, 1.0, "gates"),
    ):
        assert other(diagonal(plain)).outputs == diagonal(other(plain)).outputs
    masked = diagonal(recurrent_dropout(plain, 0.3, "gal"))
    assert masked.noises == {"drop_h": 1.0}
    assert set(masked.weights) == set(diagonal(plain).weights)


def test_a_layer_takes_it():
    layer = Recurrent(diagonal(cells.lstm), 3, 4, num_layers=2)
    assert "weight_hh_l0" not in layer.state_dict()
    x = torch.randn(2, 5, 3)
    y, state = layer(x)
    y.sum().backward()
    assert all(p.grad is not None for p in layer.parameters())
    stream = layer.stream(batch=2)
    for t in range(5):
        torch.testing.assert_close(stream.step(x[:, t].contiguous()), y[:, t].detach())
    torch.testing.assert_close(stream.state.h, state.h.detach())


def taken(a: Gate, h: State, u_a: Weight = 0.5):
    return tanh(a + u_a * h)


@cell
def only_state(v: FromState, a: Gate, h: State, k: State):
    return tanh(a + v(k)), h


def test_rows_of_another_state():
    def step(x, old, w, m):
        h, k = old
        a = x @ w["weight_ih"].T + w["bias_ih"] + w["u_a"] * h
        return torch.tanh(a + w["u_v"] * k), h

    agree(drawn(diagonal(only_state)), step)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: diagonal(cells.indrnn), "indrnn has no recurrent matrix"),
        (lambda: diagonal(diagonal(cells.lstm)), "apply diagonal once"),
        (lambda: diagonal(cell(taken)), "taken has u_a already"),
        (lambda: recurrent_dropout(diagonal(cells.lstm), 0.2, "gal"), "no recurrent weights"),
    ],
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
