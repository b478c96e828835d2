"""`explain_step`: the arithmetic of one step is the layer's own, whatever the cell."""

import math

import pytest
import torch

from gatewise import InputError
from gatewise.cells import every_cell, gru_reset_before, lstm
from gatewise.compiler import Gate, State, cell, layer_norm, tanh
from gatewise.inspection import explain_step
from gatewise.nn import LSTM, Recurrent


@cell
def product_of_states(a: Gate, s: State, m: State):
    """The states have names of their own, and one value none."""
    return tanh(a) * m, m + s


def drawn(own, layers=1, **options):
    torch.manual_seed(0)
    layer = Recurrent(own, 3, 4, num_layers=layers, dtype=torch.float64, **options)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    x = torch.randn(2, 3, dtype=torch.float64)
    _, state = layer.eval().step(x[0])
    return layer, x[1], state


CELLS = [*every_cell().values(), product_of_states, layer_norm(lstm), layer_norm(gru_reset_before)]


@pytest.mark.parametrize("own", CELLS, ids=lambda c: c.name)
@pytest.mark.parametrize("depth", [0, 1])
def test_values_are_those_of_the_step(own, depth):
    layer, x, state = drawn(own, layers=2)
    after = layer.step(x, state)[1]
    for unit in (0, 3):
        found = explain_step(layer, x, state, unit, depth=depth)
        for name, part in zip(own.states, after, strict=True):
            assert found[name] == pytest.approx(part[depth, unit].item(), abs=1e-12)


def test_an_lstms_lines_are_the_textbooks():
    layer, x, state = drawn("lstm")
    found = explain_step(layer, x, state, 2)
    assert [term.name for term in found.terms] == [
        "net_i", "net_f", "net_g", "net_o", "i", "f", "g", "o", "c", "h",
    ]  # fmt: skip
    by_name = {term.name: term for term in found.terms}
    assert by_name["net_f"].equation == "input + recurrent + bias"
    assert by_name["c"].equation == "f * c[t-1] + i * g"
    assert by_name["h"].equation == "o * tanh(c)"
    f, c, i, g = (found[name] for name in "fcig")
    assert c == pytest.approx(f * state.c[0, 2].item() + i * g)
    assert f == pytest.approx(1 / (1 + math.exp(-found["net_f"])))
    assert f"{f:.3f} * {state.c[0, 2]:.3f} + {i:.3f} * {g:.3f}" in str(found)


def test_lines_come_after_what_they_need():
    for own in every_cell().values():
        layer, x, state = drawn(own)
        found = explain_step(layer, x, state)
        seen = {"input", "recurrent", "bias"}
        for term in found.terms:
            words = set(term.equation.replace("(", " ").replace(")", " ").split())
            named = {t.name for t in found.terms} & words
            assert named <= seen, (own.name, term)
            seen.add(term.name)


def test_no_state_is_the_initial_state():
    layer, x, _ = drawn("lstm", learn_state=True)
    want = layer.step(x)[1]
    assert explain_step(layer, x)["c"] == pytest.approx(want.c[0, 0].item())


def test_a_layer_in_training_is_explained_as_in_evaluation():
    layer, x, state = drawn("lstm", zoneout=0.5, recurrent_dropout=0.5)
    want = layer.step(x, state)[1]
    found = explain_step(layer.train(), x, state, 1)
    assert found["h"] == pytest.approx(want.h[0, 1].item())


def test_no_bias_no_bias_line():
    layer, x, state = drawn("lstm", bias=False)
    assert explain_step(layer, x, state).terms[0].equation == "input + recurrent"


def test_a_projected_output_is_explained_before_its_projection():
    layer, x, state = drawn("lstm", proj_size=2)
    found = explain_step(layer, x, state, 3)
    c = layer.step(x, state)[1].c[0, 3].item()
    assert found["c"] == pytest.approx(c)
    assert found["h"] == pytest.approx(found["o"] * math.tanh(c))


def test_a_sparse_layer_is_explained():
    layer, x, state = drawn("lstm", connectivity="heads:2")
    want = layer.step(x, state)[1]
    assert explain_step(layer, x, state, 3)["h"] == pytest.approx(want.h[0, 3].item())


def test_wrong_input_is_said():
    layer, x, state = drawn("lstm")
    with pytest.raises(InputError, match="unit=4: give a whole number from 0 to 3"):
        explain_step(layer, x, state, 4)
    with pytest.raises(InputError, match="depth=1: give a whole number from 0 to 0"):
        explain_step(layer, x, state, depth=1)
    with pytest.raises(InputError, match=r"x of shape \(1, 3\)"):
        explain_step(layer, x[None], state)
    with pytest.raises(InputError, match="Recurrent"):
        explain_step(LSTM(3, 4), x)
    with pytest.raises(InputError, match="bidirectional=True"):
        explain_step(Recurrent("lstm", 3, 4, bidirectional=True), x)
    with pytest.raises(InputError, match="no value 'forget'"):
        explain_step(layer, x, state)["forget"]
