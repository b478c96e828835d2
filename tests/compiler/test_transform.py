"""Regularisers as equations: what they add to a cell, what they leave alone, what they refuse."""

import json
import math
import pickle

import pytest

from gatewise import InputError, cells
from gatewise.cells import every_cell
from gatewise.compiler import (
    Cell,
    Draw,
    FromInput,
    Gate,
    Hyper,
    Noise,
    Port,
    State,
    Weight,
    cell,
    equations,
    quiet,
    recurrent_dropout,
    sigmoid,
    step_source,
    tanh,
    vjp_source,
    zoneout,
)
from gatewise.compiler.expr import evaluate, var


@cell(draws={"m": Draw(0.8), "s": Draw(0.5, per="sequence")})
def own(a: Gate, h: State, m: Noise = 0.9, s: Noise = 1, k: Noise = 0.2):
    """Noise that a user declared, some of it drawn by layers."""
    return m * tanh(a) + (1 - m) * h * s + k


@cell
def diagonal(a: FromInput, h: State, u: Weight = 0.5):
    return tanh(a + u * h)


@cell
def two_candidates(g: Gate, n: Gate, h: State):
    g, n = tanh(g), tanh(n)
    return g * n + h


NOISY = {
    "own": own,
    "zoneout": zoneout(cells.lstm, {"c": 0.5, "h": 0.05}),
    "semeniuta": recurrent_dropout(cells.gru, 0.2),
    "gal": recurrent_dropout(cells.peephole_lstm, 0.3, "gal"),
    "both": recurrent_dropout(zoneout(cells.coupled_lstm, {"c": 0.1}), 0.4, "gal"),
}


def test_declared_noise():
    assert own.noises == {"m": 0.9, "s": 1.0, "k": 0.2}
    assert own.draws == {"m": Draw(0.8, "step"), "s": Draw(0.5, "sequence")}
    assert own.stages[0].reads == ("a", "h", "m", "s", "k")
    assert own.hypers == own.weights == {}
    assert repr(own).endswith("k: noise)>")


def test_no_gradient_is_written_for_noise():
    source = vjp_source(own)
    assert "def stage_0_vjp(a, h, m, s, k, d_h_t):" in source
    assert source.rstrip().endswith("return d_a, d_h")


def test_latex_of_noise():
    text = equations(own)
    assert "m_{t}" in text
    assert "k_{t}" in text
    assert "s \\odot" in text or "\\odot s" in text
    assert r"\tilde" not in equations(NOISY["zoneout"])
    assert equations(NOISY["zoneout"]).splitlines()[-2:] == [
        r"c_{t} &= \mathrm{zone}_{c,t} \odot c_{t-1} + (1 - \mathrm{zone}_{c,t}) \odot c_{new,t}",
        r"\end{aligned}",
    ]


@pytest.mark.parametrize("name", NOISY)
def test_noisy_cells_survive_as_data(name):
    noisy = NOISY[name]
    again = Cell.from_dict(json.loads(json.dumps(noisy.to_dict())))
    assert again == noisy == Cell.from_key(noisy.key) == pickle.loads(pickle.dumps(noisy))
    assert again.draws == noisy.draws
    for emit in (step_source, vjp_source, equations):
        assert emit(again) == emit(noisy)


def test_cells_without_noise_are_saved_as_ever():
    assert cells.lstm.to_dict()["format"] == 1
    assert all(len(row) == 3 for row in cells.lstm.to_dict()["ports"])


@pytest.mark.parametrize("name", NOISY)
def test_quiet_puts_the_values_of_evaluation_in(name):
    noisy = NOISY[name]
    silent = quiet(noisy)
    assert silent.noises == {}
    assert silent.states == noisy.states
    first = next(iter(noisy.noises))
    assert list(quiet(noisy, frozenset([first])).noises) == [first]
    assert quiet(noisy, frozenset(noisy.noises)) is noisy
    if any(stage.products for stage in noisy.stages):
        return
    values = {port.name: 0.1 * (k + 1) for k, port in enumerate(noisy.ports)}
    want = evaluate(noisy.outputs, values | noisy.noises)
    assert evaluate(silent.outputs, values) == pytest.approx(want)


@pytest.mark.parametrize("name", every_cell())
def test_zero_rates_give_the_cell_itself(name):
    plain = every_cell()[name]
    assert zoneout(plain, {}) is zoneout(plain, dict.fromkeys(plain.states, 0)) is plain
    assert recurrent_dropout(plain, 0) is recurrent_dropout(plain, 0.0, "gal") is plain
    assert quiet(plain, frozenset(plain.noises)) is plain


@pytest.mark.parametrize("name", [n for n, c in every_cell().items() if c.state_rows])
def test_weights_keep_their_rows(name):
    plain = every_cell()[name]
    for noisy in (
        zoneout(plain, dict.fromkeys(plain.states, 0.5)),
        recurrent_dropout(plain, 0.5, "gal"),
    ):
        assert noisy.states == plain.states
        assert noisy.weights == plain.weights
        assert sum(noisy.bias.values()) == sum(plain.bias.values())
        for rows in ("input_rows", "state_rows"):
            before, after = getattr(plain, rows), getattr(noisy, rows)
            assert [plain.block(r) for r in before] == [noisy.block(r) for r in after]


@pytest.mark.parametrize("name", ["lstm", "peephole_lstm", "coupled_lstm", "gru"])
def test_without_its_noise_dropout_is_the_plain_cell(name):
    plain = every_cell()[name]
    silent = quiet(recurrent_dropout(plain, 0.3))
    assert (silent.ports, silent.outputs) == (plain.ports, plain.outputs)


@pytest.mark.parametrize("name", ["lstm", "niaf", "lstm_1997"])
def test_a_dropped_candidate_is_not_written(name):
    """Semeniuta et al. 2016: c = f * c + i * d(g), whatever makes g of its gate."""
    noisy = recurrent_dropout(every_cell()[name], 0.5)
    values = {port.name: 0.1 * (k + 1) for k, port in enumerate(noisy.ports)} | {"c": 2.0}
    at = noisy.states.index("c")
    none, once, twice = (
        evaluate(noisy.outputs, values | {"drop_g": mask})[at] for mask in (0.0, 1.0, 2.0)
    )
    peephole = 2.0 * values.get("p_f", 0.0)
    kept = 2.0 if "f" not in values else 2.0 / (1 + math.exp(-values["f"] - peephole))
    assert none == pytest.approx(kept)
    assert twice - none == pytest.approx(2 * (once - none))
    assert once != none


def test_what_is_drawn():
    assert NOISY["zoneout"].draws == {"zone_h": Draw(0.05), "zone_c": Draw(0.5)}
    assert NOISY["zoneout"].noises == {"zone_h": 0.05, "zone_c": 0.5}
    assert NOISY["semeniuta"].draws == {"drop_n": Draw(0.8)}
    assert NOISY["gal"].draws == {"drop_h": Draw(0.7, "sequence")}
    assert NOISY["gal"].noises == {"drop_h": 1.0}


def test_the_order_of_the_rates_makes_no_difference():
    assert NOISY["zoneout"] == zoneout(cells.lstm, {"h": 0.05, "c": 0.5})
    one_by_one = zoneout(zoneout(cells.lstm, {"h": 0.05}), {"c": 0.5})
    assert one_by_one.outputs == NOISY["zoneout"].outputs


def test_one_product_of_the_masked_output():
    first, second = recurrent_dropout(cells.lstm, 0.2, "gal").stages
    assert first.computes == (("t0", var("drop_h") * var("h")),)
    assert first.products == (("i_h", "t0"), ("f_h", "t0"), ("g_h", "t0"), ("o_h", "t0"))
    assert "h" not in second.reads


def no_default(a: Gate, h: State, m: Noise):
    return m * tanh(a)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: zoneout(cells.lstm, {"d": 0.1}), "no state of cell lstm: there are: h, c"),
        (lambda: zoneout(cells.lstm, {"c": 1.0}), "zoneout of c has the rate 1.0"),
        (lambda: zoneout(cells.lstm, {"c": True}), "the rate True"),
        (lambda: zoneout(NOISY["zoneout"], {"c": 0.1}), "zone_c already: apply zoneout once"),
        (lambda: recurrent_dropout(cells.lstm, -0.1), "dropout has the rate -0.1"),
        (lambda: recurrent_dropout(cells.lstm, 0, "gall"), "did you mean 'gal'"),
        (lambda: recurrent_dropout(NOISY["semeniuta"], 0.2), "drop_n already: apply"),
        (lambda: recurrent_dropout(NOISY["gal"], 0.2, "gal"), "drop_h already: apply"),
        (lambda: recurrent_dropout(cells.elman, 0.2), "elman has no one candidate"),
        (lambda: recurrent_dropout(two_candidates, 0.2), "no one candidate"),
        (lambda: recurrent_dropout(diagonal, 0.2, "gal"), "diagonal has no recurrent weights"),
        (lambda: cell(no_default), "m of cell no_default is a Noise without a value"),
        (lambda: cell(draws={"a": Draw(0.5)})(lambda a: a), "has no annotation"),
        (lambda: made(Port("m", "noise", 1.0, Draw(0.0))), "chance=0.0"),
        (lambda: made(Port("m", "noise", 1.0, Draw(1.5))), "chance=1.5"),
        (lambda: made(Port("m", "noise", 1.0, Draw(0.5, "squence"))), "did you mean 'sequence'"),
        (lambda: made(Port("m", "weight", 1.0, Draw(0.5))), "only Noise can be drawn"),
        (lambda: made(Port("m", "noise", float("nan"))), "finite number"),
        (lambda: read(["m", "noise", 1.0, [0.5]], extra=1), "damaged"),
        (lambda: read(["m", "noise", 1.0, ["much", "step"]]), "chance='much'"),
        (lambda: read(["m", "noise", 1.0, [0.5, []]]), r"per=\[\]"),
        (lambda: read(["m", "noise", 1.0, 0.5]), "damaged"),
    ],
    ids=range(22),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)


def made(port):
    return Cell("made", (port, Port("h", "state")), (sigmoid(var("h")) * var("m"),))


def read(row, extra=None):
    data = made(Port("m", "noise", 1.0)).to_dict()
    return Cell.from_dict(
        data | {"ports": [row + [extra] * (extra is not None), ["h", "state", 0]]}
    )


def test_a_draw_is_for_noise_that_is_declared():
    with pytest.raises(InputError, match="names 'a', which is no Noise: there are: m"):

        @cell(draws={"a": Draw(0.5)})
        def wrong(a: Gate, h: State, m: Noise = 1.0, k: Hyper = 1.0):
            return m * tanh(a) * k
