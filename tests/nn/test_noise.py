"""Noise that a layer draws: how much, for whom, when, and that the rest of the layer knows."""

import copy
import pickle

import pytest
import torch

import gatewise
from gatewise import InputError
from gatewise.compiler import Draw, FromInput, Gate, Noise, State, Weight, cell, tanh
from gatewise.engines import recurrence
from gatewise.nn import Recurrent
from gatewise.nn.regularization.bernoulli import dropped
from gatewise.nn.regularization.noise import drawn, regularized

X = torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(0))
LENGTHS = torch.tensor([6, 0, 3])
KINDS = {
    "zoneout": {"zoneout": 0.5},
    "zoneout_both": {"zoneout": {"c": 0.5, "h": 0.1}},
    "semeniuta": {"recurrent_dropout": 0.4},
    "gal": {"recurrent_dropout": 0.4, "recurrent_dropout_kind": "gal"},
    "weights": {"weight_dropout": 0.4},
    "all": {"zoneout": 0.2, "recurrent_dropout": 0.3, "weight_dropout": 0.5, "dropout": 0.1},
}


@cell(draws={"m": Draw(0.5)})
def own(a: Gate, h: State, m: Noise = 1.0, k: Noise = 0.25):
    """Of a user: one mask that layers draw, and noise that they leave at its value."""
    return m * tanh(a) + k * h


@cell
def diagonal(a: FromInput, h: State, u: Weight = 0.5):
    return tanh(a + u * h)


@pytest.fixture(autouse=True)
def _compile_afresh():
    torch._dynamo.reset()  # Else compiling the same code again and again is refused.


def seeded(run):
    torch.manual_seed(7)
    return run()


@pytest.mark.parametrize(
    ("kind", "chance", "value"), [("zoneout", 0.5, 1.0), ("semeniuta", 0.6, 1 / 0.6)]
)
def test_masks_are_as_often_0_as_the_rate_says(kind, chance, value):
    x = torch.zeros(50, 40, 3, dtype=torch.float64)
    torch.manual_seed(0)
    noisy, _ = regularized(gatewise.cells.lstm, KINDS[kind].get("zoneout", 0.0),
                           KINDS[kind].get("recurrent_dropout", 0.0), "semeniuta")  # fmt: skip
    (mask,) = drawn(noisy, x, 20).values()
    assert mask.shape == (50, 40, 20)
    assert mask.dtype == x.dtype
    assert mask.unique().tolist() == pytest.approx([0, value])
    deviation = (chance * (1 - chance)) ** 0.5
    assert abs((mask > 0).double().mean() - chance) < 4 * deviation / mask.numel() ** 0.5
    (mean,) = noisy.noises.values()
    assert abs(mask.mean() - mean) < 4 * value * deviation / mask.numel() ** 0.5
    for axis, count in enumerate(mask.shape):  # Anew for each sequence, step and unit.
        others = [a for a in range(3) if a != axis]
        spread = (mask > 0).double().mean(others).std()
        expected = deviation / (mask.numel() / count) ** 0.5
        assert 0.5 * expected < spread < 1.6 * expected


def test_a_mask_for_the_sequence():
    noisy, _ = regularized(gatewise.cells.gru, 0.0, 0.25, "gal")
    torch.manual_seed(0)
    (mask,) = drawn(noisy, torch.zeros(200, 9, 3), 50).values()
    assert mask.shape == (200, 1, 50)
    assert mask.unique().tolist() == pytest.approx([0, 4 / 3])
    assert abs(mask.mean() - 1) < 4 * (1 / 3) ** 0.5 / 100


@pytest.mark.parametrize("kind", ["zoneout", "zoneout_both", "semeniuta", "gal"])
def test_each_layer_and_direction_draws_its_own(kind):
    layer = Recurrent("lstm", 5, 4, num_layers=2, bidirectional=True, **KINDS[kind])
    y, state = seeded(lambda: layer(X, lengths=LENGTHS))
    noisy, _ = regularized(
        layer.cell, layer.zoneout, layer.recurrent_dropout, layer.recurrent_dropout_kind
    )
    masks = seeded(lambda: [drawn(noisy, X, 4) for _ in range(4)])
    x, ends, weights = X, [], dict(layer.named_parameters())
    for k in range(4):
        suffix = f"_l{k // 2}" + "_reverse" * (k % 2)
        own = {n.removesuffix(suffix): w for n, w in weights.items() if n.endswith(suffix)}
        zeros = (torch.zeros(3, 4), torch.zeros(3, 4))
        ends.append(
            recurrence(noisy, layer.connectivity, x, own, zeros, LENGTHS, k % 2 > 0, masks[k])
        )
        if k % 2:
            x = torch.cat([ends[-2][0], ends[-1][0]], -1)
    torch.testing.assert_close(y, x)
    torch.testing.assert_close(state.c, torch.stack([c for _, (_, c) in ends]))


@pytest.mark.parametrize("kind", KINDS)
def test_noise_is_for_training_only(kind):
    layer = Recurrent("lstm", 5, 16, num_layers=2, **KINDS[kind])
    torch.testing.assert_close(seeded(lambda: layer(X)[0]), seeded(lambda: layer(X)[0]))
    assert not torch.equal(layer(X)[0], layer(X)[0])
    layer.eval()
    torch.testing.assert_close(layer(X)[0], layer(X)[0])
    if "zoneout" in KINDS[kind]:
        return
    plain = Recurrent("lstm", 5, 16, num_layers=2)
    plain.load_state_dict(layer.state_dict())
    assert torch.equal(layer(X)[0], plain(X)[0])
    assert gatewise.explain(layer, X).chosen == gatewise.explain(plain, X).chosen


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_weights_are_torchs(kind, name):
    options = KINDS[kind] if name == "lstm" or kind != "zoneout_both" else {"zoneout": {"h": 0.1}}
    layer = Recurrent(name, 5, 4, num_layers=2, bidirectional=True, **options)
    theirs = getattr(torch.nn, name.upper())(5, 4, 2, bidirectional=True)
    theirs.load_state_dict(layer.state_dict())
    assert list(layer.state_dict()) == list(theirs.state_dict())


def test_one_number_is_for_the_memory_alone():
    assert repr(Recurrent("lstm", 5, 4, zoneout=0.5)) == "Recurrent(lstm, 5, 4, zoneout=0.5)"
    for name, state in (("lstm", "c"), ("gru", "h"), ("elman", "h")):
        one, by_name = (Recurrent(name, 5, 4, zoneout=z) for z in (0.5, {state: 0.5}))
        by_name.load_state_dict(one.state_dict())
        assert torch.equal(*(seeded(lambda layer=layer: layer(X)[0]) for layer in (one, by_name)))


def test_zoned_out_units_keep_their_state():
    layer = Recurrent("gru", 5, 64, zoneout=0.5)
    y, _ = layer(X)
    kept = (y[:, 1:] == y[:, :-1]).float().mean()
    assert 0.4 < kept < 0.6


def test_evaluation_of_zoneout_is_the_expectation():
    layer = Recurrent("gru", 5, 4, zoneout=0.25).eval()
    weights = [getattr(layer, f"{n}_l0") for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    h, outputs = torch.zeros(3, 4), []
    for x in X.unbind(1):
        h = 0.25 * h + 0.75 * torch.gru_cell(x, h, *weights)
        outputs.append(h)
    torch.testing.assert_close(layer(X)[0], torch.stack(outputs, 1))


@pytest.mark.parametrize("rate", [0, 0.0, {}, {"c": 0.0}])
def test_without_a_rate_the_layer_is_the_plain_one(rate):
    layer = Recurrent("lstm", 5, 4, zoneout=rate, recurrent_dropout=0, weight_dropout=0)
    plain = Recurrent("lstm", 5, 4)
    plain.load_state_dict(layer.state_dict())
    assert layer.call(X).cell is plain.cell
    assert torch.equal(layer(X)[0], plain(X)[0])


def test_weight_dropout_is_one_mask_for_all_steps():
    layer = Recurrent("lstm", 5, 8, weight_dropout=0.5)
    theirs = torch.nn.LSTM(5, 8, batch_first=True)
    theirs.load_state_dict(layer.state_dict())
    masked = seeded(lambda: dropped(layer.weight_hh_l0, 0.5))
    kept = masked != 0
    assert 0.35 < kept.float().mean() < 0.65
    torch.testing.assert_close(masked[kept], 2 * layer.weight_hh_l0[kept])
    with torch.no_grad():
        theirs.weight_hh_l0.copy_(masked)
    y, _ = seeded(lambda: layer(X))
    want, _ = theirs(X)
    torch.testing.assert_close(y, want)
    y.sum().backward()
    want.sum().backward()
    torch.testing.assert_close(layer.weight_hh_l0.grad, 2 * theirs.weight_hh_l0.grad * kept)
    torch.testing.assert_close(layer.weight_ih_l0.grad, theirs.weight_ih_l0.grad)


@pytest.mark.parametrize("kind", KINDS)
def test_steps_in_evaluation_are_the_sequence(kind):
    layer = Recurrent("lstm", 5, 4, num_layers=2, **KINDS[kind]).eval()
    y, last = layer(X)
    state = None
    for t, x in enumerate(X.unbind(1)):
        out, state = layer.step(x, state)
        torch.testing.assert_close(out, y[:, t])
    torch.testing.assert_close(state, last)


@pytest.mark.parametrize("kind", ["zoneout", "zoneout_both", "semeniuta"])
def test_a_step_in_training_draws_for_that_step(kind):
    layer = Recurrent("lstm", 5, 16, **KINDS[kind])
    _, start = layer(X)
    got = seeded(lambda: layer.step(X[:, 0], start))
    y, state = seeded(lambda: layer(X[:, :1], start))
    torch.testing.assert_close(got, (y[:, 0], state))
    assert not torch.equal(layer.step(X[:, 0], start)[1].c, layer.step(X[:, 0], start)[1].c)


@pytest.mark.parametrize("name", ["lstm", "gru"])
@pytest.mark.parametrize("kind", ["zoneout", "semeniuta", "gal", "weights", "all"])
def test_a_compiled_layer_draws_the_same(name, kind):
    layer = Recurrent(name, 5, 4, num_layers=2, bidirectional=True, **KINDS[kind])
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    results = []
    for module in (layer, compiled):
        y, state = seeded(lambda module=module: module(X, lengths=LENGTHS))
        loss = y.square().sum() + state.h.sum()
        results.append((y, *state, *torch.autograd.grad(loss, [*layer.parameters()])))
    torch.testing.assert_close(*results)


def test_a_compiled_step_in_training():
    layer = Recurrent("lstm", 5, 4, recurrent_dropout=0.5)
    compiled = torch.compile(layer.step, fullgraph=True, backend="aot_eager")
    with torch.no_grad():
        _, state = layer.step(X[:, 0])
    got, want = (seeded(lambda f=f: f(X[:, 1], state)) for f in (compiled, layer.step))
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies(copied):
    layer = Recurrent("gru", 5, 4, zoneout={"h": 0.1}, recurrent_dropout=0.5, weight_dropout=0.3)
    other = copied(layer)
    assert repr(other) == repr(layer) == (
        "Recurrent(gru, 5, 4, zoneout={'h': 0.1}, recurrent_dropout=0.5, weight_dropout=0.3)"
    )  # fmt: skip
    torch.testing.assert_close(*(seeded(lambda m=m: m(X)[0]) for m in (layer, other)))


def test_noise_of_an_own_cell():
    layer = Recurrent(own, 5, 32)
    y, _ = layer(X)
    assert 0.3 < (y[:, 0] == 0).float().mean() < 0.7
    layer.eval()
    w_ih, w_hh, b_ih, b_hh = layer.parameters()
    h, outputs = torch.zeros(3, 32), []
    for x in X.unbind(1):
        h = torch.tanh(x @ w_ih.T + h @ w_hh.T + b_ih + b_hh) + 0.25 * h
        outputs.append(h)
    torch.testing.assert_close(layer(X)[0], torch.stack(outputs, 1))


def test_asking_who_runs_draws_nothing():
    layer = Recurrent("lstm", 5, 4, recurrent_dropout=0.5, zoneout=0.1)
    before = torch.random.get_rng_state()
    assert "no noise" in str(gatewise.explain(layer, X))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_under_autocast_noise_has_the_type_of_the_rest():
    layer = Recurrent("lstm", 5, 4, recurrent_dropout=0.5, zoneout={"h": 0.5})
    with torch.autocast("cpu", torch.bfloat16):
        y, _ = layer(X)
    assert y.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Recurrent("lstm", 5, 4, zoneout=1.0), "zoneout=1.0: give a rate"),
        (lambda: Recurrent("lstm", 5, 4, zoneout="c"), "zoneout='c'"),
        (lambda: Recurrent("lstm", 5, 4, zoneout={"c": -1}), "zoneout of c has the rate -1"),
        (lambda: Recurrent("gru", 5, 4, zoneout={"c": 0.1}), "no state of cell gru"),
        (lambda: Recurrent("lstm", 5, 4, recurrent_dropout=2), "recurrent_dropout=2"),
        (lambda: Recurrent("lstm", 5, 4, recurrent_dropout_kind="gall"), "did you mean 'gal'"),
        (lambda: Recurrent("elman", 5, 4, recurrent_dropout=0.1), "no one candidate"),
        (lambda: Recurrent("lstm", 5, 4, weight_dropout=True), "weight_dropout=True"),
        (lambda: Recurrent(diagonal, 5, 4, weight_dropout=0.1), "no recurrent weights"),
        (lambda: Recurrent("lstm", 5, 4, proj_size=2, zoneout={"h": 0.1}), "unit by unit"),
        (lambda: Recurrent("lstm", 5, 4, **KINDS["gal"]).step(X[:, 0]), "drop_h holds for"),
        (lambda: Recurrent("lstm", 5, 4, **KINDS["weights"]).step(X[:, 0]), "weight_dropout hol"),
    ],
    ids=range(12),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
