"""`GridLSTM`: against the paper block by block, any cells, lengths, states, wrong input."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import InputError
from gatewise.cells import every_cell
from gatewise.connectivity import Dense
from gatewise.engines import step as one_step
from gatewise.nn import GridLSTM, Recurrent
from tests.cells.oracles import logistic

from .sequences import check_each_alone, check_pieces, check_steps


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


X = normal(3, 6, 5)


def drawn_anew(layer):
    torch.manual_seed(1)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return layer.double()


def kalchbrenner(x, weights, layers, *, tied, priority, lib):
    """Kalchbrenner et al. 2015, equation 1 and section 3, for two dimensions, block by block.

    `lib` is numpy or torch: the same lines, once for values and once to be differentiated.
    """
    logistic_, tanh_ = (logistic, np.tanh) if lib is np else (torch.sigmoid, torch.tanh)

    def lstm(H, m, W, b):
        u, f, c, o = (H @ block.T + own for block, own in zip(W, b, strict=True))
        m = logistic_(f) * m + logistic_(u) * tanh_(c)
        return tanh_(logistic_(o) * m), m

    def of(direction, layer):
        k = 0 if tied else layer
        names = [f"{direction}_{name}_l{k}" for name in
                 ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]  # fmt: skip
        w_other, w_own, *b = (weights[name] for name in names)
        # H is [time, depth], whichever of them is the block's own.
        pair = (w_own, w_other) if direction == "time" else (w_other, w_own)
        hidden = w_own.shape[1]
        cut = [slice(n * hidden, (n + 1) * hidden) for n in range(4)]
        join = np.concatenate if lib is np else torch.cat
        return [join([w[at] for w in pair], 1) for at in cut], [(b[0] + b[1])[at] for at in cut]

    join = np.concatenate if lib is np else torch.cat
    batch, hidden = x.shape[0], weights["weight_in"].shape[0] // 2
    zero = lib.zeros((batch, hidden), dtype=x.dtype)
    along_time = [(zero, zero)] * layers
    outputs = []
    for t in range(x.shape[1]):
        h_depth = x[:, t] @ weights["weight_in"][:hidden].T
        m_depth = x[:, t] @ weights["weight_in"][hidden:].T
        for layer in range(layers):
            h_time, m_time = along_time[layer]
            new = lstm(join([h_time, h_depth], 1), m_time, *of("time", layer))
            seen = new[0] if priority else h_time
            h_depth, m_depth = lstm(join([seen, h_depth], 1), m_depth, *of("depth", layer))
            along_time[layer] = new
        outputs.append(h_depth)
    h, c = (lib.stack([pair[part] for pair in along_time]) for part in (0, 1))
    return lib.stack(outputs, 1), h, c


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("priority", [False, True], ids=["equal", "priority"])
def test_each_block_is_the_papers(tied, priority):
    layer = drawn_anew(GridLSTM(5, 4, 3, tied=tied, depth_priority=priority))
    y, state = layer(X)
    weights = {name: weight.detach().numpy() for name, weight in layer.named_parameters()}
    want = kalchbrenner(X.numpy(), weights, 3, tied=tied, priority=priority, lib=np)
    for got, wanted in zip((y, *state), want, strict=True):
        np.testing.assert_allclose(got.detach().numpy(), wanted, rtol=1e-10, atol=1e-12)
    assert len(weights) == 1 + 2 * 4 * (1 if tied else 3)


@pytest.mark.parametrize("priority", [False, True], ids=["equal", "priority"])
def test_gradients_are_those_of_the_blocks(priority):
    layer = drawn_anew(GridLSTM(5, 4, 2, depth_priority=priority))
    x, weights = X.clone().requires_grad_(), dict(layer.named_parameters())
    y, state = layer(x)
    want, h, c = kalchbrenner(x, weights, 2, tied=False, priority=priority, lib=torch)
    over = [normal(*part.shape, seed=k) for k, part in enumerate((y, *state))]
    got, wanted = (
        torch.autograd.grad(
            sum((part * o).sum() for part, o in zip(parts, over, strict=True)),
            [x, *weights.values()],
        )
        for parts in ((y, *state), (want, h, c))
    )
    torch.testing.assert_close(got, wanted)


def test_gradients_are_finite_differences():
    layer = drawn_anew(GridLSTM(2, 2, 2, tied=True))
    x = normal(2, 2, 2).requires_grad_()
    names = [name for name, _ in layer.named_parameters()]

    def run(x, *weights):
        given = dict(zip(names, weights, strict=True))
        y, state = torch.func.functional_call(layer, given, (x,), {"lengths": torch.tensor([2, 1])})
        return (y, *state)

    torch.autograd.gradcheck(run, (x, *layer.parameters()))


@pytest.mark.parametrize("name", every_cell())
def test_any_cells_block_by_block(name):
    """The same from single steps of the cells, time outside and depth inside."""
    layer = drawn_anew(GridLSTM(5, 4, 2, cell=name, depth_cell="elman", depth_priority=True))
    y, state = layer(X)
    weights = dict(layer.named_parameters())

    def own(direction, k):
        start, end = f"{direction}_", f"_l{k}"
        return {n[len(start) : -len(end)]: w for n, w in weights.items()
                if n.startswith(start) and n.endswith(end)}  # fmt: skip

    zero = X.new_zeros(3, 4)
    rows = [(zero,) * len(layer.cell.states)] * 2
    for t in range(6):
        depth = (X[:, t] @ layer.weight_in.T,)
        for k in range(2):
            rows[k] = one_step(layer.cell, Dense(), depth[0], own("time", k), rows[k])
            depth = one_step(layer.depth_cell, Dense(), rows[k][0], own("depth", k), depth)
        torch.testing.assert_close(y[:, t], depth[0])
    torch.testing.assert_close(tuple(state), tuple(map(torch.stack, zip(*rows, strict=True))))


def test_time_of_the_first_layer_is_an_lstm_of_the_projected_input():
    layer = drawn_anew(GridLSTM(5, 4, 1))
    lstm = Recurrent("grid_lstm", 4, 4).double()
    lstm.load_state_dict({n.removeprefix("time_"): w for n, w in layer.state_dict().items()
                          if n.startswith("time_")})  # fmt: skip
    _, state = layer(X)
    _, want = lstm(X @ layer.weight_in[:4].T)
    torch.testing.assert_close(tuple(state), tuple(want))


@settings(max_examples=20, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=3),
    num_layers=st.integers(1, 3),
    priority=st.booleans(),
    name=st.sampled_from(["lstm", "gru", "slstm"]),
)
def test_lengths_are_each_sequence_alone(lengths, num_layers, priority, name):
    layer = drawn_anew(GridLSTM(5, 4, num_layers, cell=name, depth_priority=priority))
    check_each_alone(layer, X, lengths)


@pytest.mark.parametrize("priority", [False, True], ids=["equal", "priority"])
def test_chunks_and_steps_with_the_state_kept_are_the_whole(priority):
    layer = drawn_anew(GridLSTM(5, 4, 3, depth_priority=priority))
    check_pieces(layer, X, [2, X.shape[1] - 2])
    assert check_steps(layer, X).h.shape == (3, 4)


@pytest.mark.parametrize("shape", [(0, 6), (3, 0), (0, 0)])
def test_no_sequences_or_no_steps(shape):
    y, state = GridLSTM(5, 4, 2)(torch.zeros(*shape, 5))
    assert y.shape == (*shape, 4)
    assert state.c.shape == (2, shape[0], 4)


def test_initial_weights():
    layer = GridLSTM(5, 8, 2)
    for name in ("time", "depth"):
        total = getattr(layer, f"{name}_bias_ih_l1") + getattr(layer, f"{name}_bias_hh_l1")
        assert [float(block.detach().unique()) for block in total.chunk(4)] == [0, 1, 0, 0]
    assert layer.weight_in.shape == (16, 5)


def test_initial_weights_by_a_scheme():
    layer = GridLSTM(5, 8, 2, init={"bias.f": 2.0})
    for name in ("time", "depth"):
        total = getattr(layer, f"{name}_bias_ih_l1") + getattr(layer, f"{name}_bias_hh_l1")
        assert float(total.chunk(4)[1].detach().unique()) == 2
    apart = GridLSTM(5, 8, 2, depth_cell="elman", init="chrono:9", depth_init="identity")
    assert (apart.time_bias_ih_l0 + apart.time_bias_hh_l0).chunk(4)[1].unique().numel() > 1
    torch.testing.assert_close(apart.depth_weight_hh_l1.detach(), torch.eye(8))
    assert repr(apart).endswith("init='chrono:9', depth_init='identity')")
    assert repr(layer) == "GridLSTM(5, 8, num_layers=2, cell=grid_lstm, init={'bias.f': 2.0})"


def test_copies_and_text():
    layer = drawn_anew(GridLSTM(5, 4, 2, depth_cell="elman", tied=True))
    assert (
        repr(layer) == "GridLSTM(5, 4, num_layers=2, cell=grid_lstm, depth_cell=elman, tied=True)"
    )
    want = layer(X)
    for other in (pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer)):
        torch.testing.assert_close(other(X), want)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: GridLSTM(5, 4, 2, cell="lsmt"), "did you mean 'lstm'"),
        (lambda: GridLSTM(5, 4, 2, depth_cell="gruu"), "did you mean 'gru'"),
        (lambda: GridLSTM(5, 4, 0), "num_layers=0"),
        (lambda: GridLSTM(5, 4, 2, depth_cell="elman", init="chrono:9"), "of cell elman"),
        (lambda: GridLSTM(5, 4, 2)(X[..., :4].float()), "with 5 features"),
        (lambda: GridLSTM(5, 4, 2)(X), r"x\.to\("),
        (lambda: GridLSTM(5, 4, 2)(X.float(), torch.zeros(2, 3, 4)), "give h, c"),
        (lambda: GridLSTM(5, 4, 2)(X.float(), lengths=[7, 0, 1]), "between 0 and the 6"),
        (lambda: GridLSTM(5, 4, 2).step(X.float()), "give one step"),
    ],
    ids=range(9),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
