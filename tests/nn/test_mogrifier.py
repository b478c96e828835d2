"""`Mogrifier`: against the paper, any cell, lengths, states, noise, wrong input."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import InputError
from gatewise.cells import every_cell, gru, lstm
from gatewise.compiler import recurrent_dropout, zoneout
from gatewise.nn import Mogrifier, Recurrent
from tests.cells.oracles import logistic

from .sequences import check_each_alone, check_pieces, check_steps


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


X = normal(3, 6, 5)


def drawn_anew(layer):
    torch.manual_seed(1)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return layer.double()


def takes(name):
    """Whether the recurrent weights of a cell multiply its last output, and nothing else."""
    cell = every_cell()[name]
    return bool(cell.state_rows) and not any(stage.products for stage in cell.stages)


def melis(x, weights, rounds, rank, lib):
    """Melis et al. 2020, equations 1 to 3 before an LSTM, step by step.

    `lib` is numpy or torch: the same lines, once for values and once to be differentiated.
    """
    sigmoid, tanh = (logistic, np.tanh) if lib is np else (torch.sigmoid, torch.tanh)
    w = {name.removesuffix("_l0"): weight for name, weight in weights.items()}

    def matrix(name):
        return w[name] if rank is None else w[f"{name}_left"] @ w[f"{name}_right"]

    hidden = w["weight_hh"].shape[1]
    h = c = lib.zeros((x.shape[0], hidden), dtype=x.dtype)
    outputs = []
    for t in range(x.shape[1]):
        v = x[:, t]
        for i in range(1, rounds + 1):
            if i % 2:
                v = 2 * sigmoid(h @ matrix(f"q{i}").T) * v
            else:
                h = 2 * sigmoid(v @ matrix(f"r{i}").T) * h
        gates = v @ w["weight_ih"].T + w["bias_ih"] + h @ w["weight_hh"].T + w["bias_hh"]
        i, f, j, o = (gates[:, n * hidden : (n + 1) * hidden] for n in range(4))
        c = sigmoid(f) * c + sigmoid(i) * tanh(j)
        h = sigmoid(o) * tanh(c)
        outputs.append(h)
    return lib.stack(outputs, 1), h[None], c[None]


@pytest.mark.parametrize("rank", [None, 2])
@pytest.mark.parametrize("rounds", [0, 1, 2, 5, 6])
def test_it_is_the_papers(rounds, rank):
    layer = drawn_anew(Mogrifier("lstm", 5, 4, rounds=rounds, rank=rank))
    x, weights = X.clone().requires_grad_(), dict(layer.named_parameters())
    y, state = layer(x)
    plain = {name: weight.detach().numpy() for name, weight in weights.items()}
    for got, want in zip((y, *state), melis(X.numpy(), plain, rounds, rank, np), strict=True):
        np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-10, atol=1e-12)
    over = normal(*y.shape, seed=2)
    got, wanted = (
        torch.autograd.grad((out * over).sum() + c.sum(), [x, *weights.values()])
        for out, c in ((y, state.c), melis(x, weights, rounds, rank, torch)[::2])
    )
    torch.testing.assert_close(got, wanted)


def test_gradients_are_finite_differences():
    layer = drawn_anew(Mogrifier("lstm", 2, 2, rounds=3, rank=1, num_layers=2))
    x = normal(2, 2, 2).requires_grad_()
    names = [name for name, _ in layer.named_parameters()]

    def run(x, *weights):
        given = dict(zip(names, weights, strict=True))
        y, state = torch.func.functional_call(layer, given, (x,), {"lengths": torch.tensor([2, 1])})
        return (y, *state)

    torch.autograd.gradcheck(run, (x, *layer.parameters()))


@pytest.mark.parametrize("name", [*filter(takes, every_cell())])
def test_without_rounds_it_is_recurrent(name):
    layer = drawn_anew(Mogrifier(name, 5, 4, rounds=0, num_layers=2))
    plain = Recurrent(name, 5, 4, num_layers=2).double()
    plain.load_state_dict(layer.state_dict())
    y, state = layer(X)
    want, last = plain(X)
    torch.testing.assert_close(y, want)
    torch.testing.assert_close(tuple(state), tuple(last))


def test_units_see_their_output_as_it_was():
    """In a gru the modulated state reaches the products, and `z * h` is of the state itself."""
    layer = drawn_anew(Mogrifier("gru", 5, 4, rounds=2))
    w = {name.removesuffix("_l0"): p.detach().numpy() for name, p in layer.named_parameters()}
    x, h = X[:, 0].numpy(), normal(3, 4, seed=3).numpy()
    y, _ = layer.step(X[:, 0], torch.tensor(h)[None])
    v = 2 * logistic(h @ w["q1"].T) * x
    seen = 2 * logistic(v @ w["r2"].T) * h
    r, z, n = np.split(v @ w["weight_ih"].T + w["bias_ih"], 3, axis=1)
    r_h, z_h, n_h = np.split(seen @ w["weight_hh"].T + w["bias_hh"], 3, axis=1)
    r, z = logistic(r + r_h), logistic(z + z_h)
    want = z * h + (1 - z) * np.tanh(n + r * n_h)
    np.testing.assert_allclose(y.detach().numpy(), want, rtol=1e-10)


@settings(max_examples=20, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=3),
    num_layers=st.integers(1, 2),
    rounds=st.integers(0, 4),
    name=st.sampled_from(["lstm", "gru", "peephole_lstm", "slstm"]),
)
def test_lengths_are_each_sequence_alone(lengths, num_layers, rounds, name):
    layer = drawn_anew(Mogrifier(name, 5, 4, num_layers=num_layers, rounds=rounds))
    check_each_alone(layer, X, lengths)


def test_chunks_and_steps_with_the_state_kept_are_the_whole():
    layer = drawn_anew(Mogrifier("lstm", 5, 4, num_layers=2))
    check_pieces(layer, X, [2, X.shape[1] - 2])
    assert check_steps(layer, X).h.shape == (2, 4)


@pytest.mark.parametrize("shape", [(0, 6), (3, 0), (0, 0)])
def test_no_sequences_or_no_steps(shape):
    y, state = Mogrifier("lstm", 5, 4, num_layers=2)(torch.zeros(*shape, 5))
    assert y.shape == (*shape, 4)
    assert state.c.shape == (2, shape[0], 4)


def test_a_regularised_cell_draws_its_noise_in_training():
    layer = Mogrifier(zoneout(lstm, {"h": 0.5}), 5, 64)
    x = torch.randn(2, 1, 5)
    y, _ = layer(x)
    half, _ = layer.eval()(x)
    kept = y == 0
    torch.testing.assert_close(y, torch.where(kept, 0.0, 2 * half))
    assert 0.3 < kept.float().mean() < 0.7


def test_initial_weights():
    layer = Mogrifier("lstm", 5, 8, rounds=3, rank=2)
    total = (layer.bias_ih_l0 + layer.bias_hh_l0).chunk(4)
    assert [float(block.detach().unique()) for block in total] == [0, 1, 0, 0]
    assert layer.q3_left_l0.shape == (5, 2)
    assert layer.r2_right_l0.shape == (2, 5)
    bound = (6 / (5 + 2)) ** 0.5
    assert bound / 2 < layer.q1_left_l0.abs().max() <= bound


def test_initial_weights_by_a_scheme():
    layer = Mogrifier("lstm", 5, 8, num_layers=2, init={"weight_hh": "identity"})
    torch.testing.assert_close(layer.weight_hh_l1.detach(), torch.eye(8).repeat(4, 1))
    assert repr(layer).endswith("num_layers=2, init={'weight_hh': 'identity'})")


def test_copies_and_text():
    layer = drawn_anew(Mogrifier("gru", 5, 4, rounds=2, rank=1))
    assert repr(layer) == "Mogrifier(gru, 5, 4, rounds=2, rank=1)"
    want = layer(X)
    for other in (pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer)):
        torch.testing.assert_close(other(X), want)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Mogrifier("lsmt", 5, 4), "did you mean 'lstm'"),
        (lambda: Mogrifier("gru_reset_before", 5, 4), "nothing to modulate"),
        (lambda: Mogrifier("indrnn", 5, 4), "nothing to modulate"),
        (lambda: Mogrifier(recurrent_dropout(gru, 0.1, "gal"), 5, 4), "nothing to modulate"),
        (lambda: Mogrifier("lstm", 5, 4, rounds=-1), "rounds=-1"),
        (lambda: Mogrifier("lstm", 5, 4, rounds=True), "rounds=True"),
        (lambda: Mogrifier("lstm", 5, 4, rank=0), "rank=0"),
        (lambda: Mogrifier("lstm", 5, 4, init={"q1": "identity"}), "names 'q1'"),
        (lambda: Mogrifier("lstm", 5, 0), "hidden_size=0"),
        (lambda: Mogrifier("lstm", 5, 4)(X[..., :4].float()), "with 5 features"),
        (lambda: Mogrifier("lstm", 5, 4)(X), r"x\.to\("),
        (lambda: Mogrifier("lstm", 5, 4)(X.float(), torch.zeros(1, 3, 4)), "give h, c"),
        (lambda: Mogrifier("lstm", 5, 4)(X.float(), lengths=[7, 0, 1]), "between 0 and the 6"),
        (lambda: Mogrifier("lstm", 5, 4).step(X.float()), "give one step"),
    ],
    ids=range(14),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
