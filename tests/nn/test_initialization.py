"""How weights start: what is drawn, where, for which gate, and in which bias."""

import pytest
import torch

from gatewise import InputError, cells
from gatewise.compiler import FromInput, Gate, State, cell, layer_norm, sigmoid, tanh
from gatewise.connectivity import BlockSparse, Dense, Heads, LowRank, Masked
from gatewise.engines import parameters
from gatewise.nn import Scheme
from gatewise.nn.initialization.chrono import keepers
from gatewise.nn.initialization.start import initialize

INPUT, HIDDEN = 48, 64
DENSE = Dense()


@cell
def own(stay: Gate, g: Gate, h: State):
    """Of a user, with a gate of a name of its own."""
    return sigmoid(stay) * h + sigmoid(-stay) * tanh(g)


@cell(bias={"f": 1.0})
def halves(i: Gate, f: Gate, m: FromInput, h: State, c: State):
    """Gates that are applied to a value, so that both halves have rows of their own."""
    c = sigmoid(f(m * h)) * c + sigmoid(i(m * h)) * tanh(m)
    return tanh(c), c


def started(name_or_cell="lstm", scheme="default", kind=DENSE, hidden=HIDDEN, dtype=None,
            bias=True, width=INPUT, seed=0):  # fmt: skip
    chosen = getattr(cells, name_or_cell) if isinstance(name_or_cell, str) else name_or_cell
    shapes = parameters(chosen, kind, width, hidden, bias=bias)
    weights = {name: torch.full(shape, float("nan"), dtype=dtype) for name, shape in shapes.items()}
    torch.manual_seed(seed)
    initialize(chosen, weights, hidden, scheme, kind)
    assert all(weight.isfinite().all() for weight in weights.values())
    return weights


def gates(weights, name, names="ifgo"):
    return dict(zip(names, weights[name].chunk(len(names)), strict=True))


def total_bias(weights):
    return dict(zip("ifgo", (weights["bias_ih"] + weights["bias_hh"]).chunk(4), strict=True))


def check_spread(values, std, mean=0.0):
    """Mean and standard deviation of what was drawn, within five standard errors."""
    count = values.numel()
    assert abs(values.mean() - mean) < 5 * std / count**0.5
    assert abs(values.std() - std) < 5 * std / count**0.5


def test_nothing_named_is_as_ever():
    weights = started()
    torch.manual_seed(0)
    for block in weights["weight_ih"].split(HIDDEN):
        assert torch.equal(block, torch.nn.init.xavier_uniform_(torch.empty(HIDDEN, INPUT)))
    for block in weights["weight_hh"].split(HIDDEN):
        assert torch.equal(block, torch.nn.init.orthogonal_(torch.empty(HIDDEN, HIDDEN)))
    assert [set(b.tolist()) for b in weights["bias_ih"].chunk(4)] == [{0.0}, {1.0}, {0.0}, {0.0}]
    assert not weights["bias_hh"].any()
    projected = started(kind=Dense(5))
    torch.testing.assert_close(projected["weight_hr"] @ projected["weight_hr"].T, torch.eye(5))


@pytest.mark.parametrize("scheme", ["xavier_uniform", "xavier_normal"])
@pytest.mark.parametrize("number", [None, 2.0])
def test_xavier(scheme, number):
    weights = started(scheme=Scheme(scheme, number))
    for name, inputs in (("weight_ih", INPUT), ("weight_hh", HIDDEN)):
        std = (number or 1) * (2 / (inputs + HIDDEN)) ** 0.5
        for block in gates(weights, name).values():
            check_spread(block, std)
            if scheme.endswith("uniform"):
                assert block.abs().max() <= 3**0.5 * std
            else:
                assert block.abs().max() > 2.5 * std


@pytest.mark.parametrize("scheme", ["kaiming_uniform", "kaiming_normal"])
def test_kaiming(scheme):
    weights = started(scheme=scheme)
    for name, inputs in (("weight_ih", INPUT), ("weight_hh", HIDDEN)):
        for block in gates(weights, name).values():
            check_spread(block, (2 / inputs) ** 0.5)


def test_uniform_is_torchs():
    weights = started(scheme="uniform", kind=Dense(5))
    bound = HIDDEN**-0.5
    for name in ("weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh"):
        check_spread(weights[name], bound / 3**0.5)
        assert 0.9 * bound < weights[name].abs().max() <= bound
    assert started(scheme="uniform:0.01")["weight_ih"].abs().max() <= 0.01


def test_orthogonal_with_a_gain():
    for block in gates(started(scheme="orthogonal:1.5"), "weight_hh").values():
        torch.testing.assert_close(block @ block.T, 2.25 * torch.eye(HIDDEN))


@pytest.mark.parametrize("bias", [True, False], ids=["biases", "no-biases"])
def test_irnn_by_name(bias):
    by_name, apart = (
        started("elman_relu", scheme, bias=bias)
        for scheme in ("irnn", {"weight_hh": "identity", "weight_ih": "normal:0.001"})
    )
    for name, weight in by_name.items():
        assert torch.equal(weight, apart[name])
    if bias:
        assert not total_bias(started("lstm", "irnn"))["f"].any()


def test_the_relu_network_of_identity():
    scheme = {"weight_hh": "identity", "weight_ih": "normal:0.001"}
    weights = started("elman_relu", scheme)
    assert torch.equal(weights["weight_hh"], torch.eye(HIDDEN))
    check_spread(weights["weight_ih"], 0.001)
    assert not weights["bias_ih"].any()
    assert not weights["bias_hh"].any()
    for block in gates(started(scheme="identity:0.1"), "weight_hh").values():
        assert torch.equal(block, 0.1 * torch.eye(HIDDEN))


def test_one_gate_goes_before_all():
    scheme = {"weight_hh.f": "identity", "weight_hh": 0.5, "weight_hh.o": "default"}
    weights = started(scheme=scheme)
    blocks = gates(weights, "weight_hh")
    assert torch.equal(blocks["f"], torch.eye(HIDDEN))
    assert (blocks["i"] == 0.5).all()
    torch.testing.assert_close(blocks["o"] @ blocks["o"].T, torch.eye(HIDDEN))


def test_halves_of_a_gate_apart_and_together():
    weights = started("gru", {"weight_ih.n": 1, "weight_hh.n_h": 2, "bias.n": 3, "bias.n_h": 4})
    assert (gates(weights, "weight_ih", "rzn")["n"] == 1).all()
    assert (gates(weights, "weight_hh", "rzn")["n"] == 2).all()
    assert (gates(weights, "bias_ih", "rzn")["n"] == 3).all()
    assert (gates(weights, "bias_hh", "rzn")["n"] == 4).all()
    assert not weights["bias_ih"][: 2 * HIDDEN].any()


@pytest.mark.parametrize("scheme", [{"bias.f": 2.0}, {"bias": 2.0, "bias.i": 0.0, "bias.m": 0}])
def test_halves_that_add_up_have_one_bias(scheme):
    weights = started(halves, scheme)
    assert (weights["bias_ih"].chunk(3)[1] == 2).all()
    assert not weights["bias_ih"].chunk(3)[0].any()
    assert not weights["bias_hh"].any()
    assert weights["bias_ih"].sum() == 2 * HIDDEN


def test_a_bias_counts_once():
    total = total_bias(started(scheme={"bias.f": 2.0, "bias": -1.0}))
    assert {name: set(block.tolist()) for name, block in total.items()} == {
        "i": {-1.0}, "f": {2.0}, "g": {-1.0}, "o": {-1.0}
    }  # fmt: skip
    total = total_bias(started(scheme={"bias": "normal:0.1"}))
    check_spread(torch.cat([*total.values()]), 0.1)


def test_vectors_of_a_cell():
    weights = started("peephole_lstm", {"p_i": "normal:0.1", "p_f": 0.25})
    check_spread(weights["p_i"], 0.1)
    assert (weights["p_f"] == 0.25).all()
    assert not weights["p_o"].any()


LONGEST = 784


def check_times(bias, sign=1):
    """`exp(bias)` is uniform from 1 to the longest less 1."""
    times = (sign * bias).exp()
    assert times.min() >= 1
    assert times.max() <= (LONGEST - 1) * 1.0001
    width = LONGEST - 2
    check_spread(times, width / 12**0.5, mean=1 + width / 2)
    assert bias.std() > 0.5


@pytest.mark.parametrize("scheme", ["chrono:784", {"bias": Scheme("chrono", 784)}])
def test_chrono_of_an_lstm(scheme):
    weights = started(scheme=scheme, hidden=512, width=1)
    total = total_bias(weights)
    check_times(total["f"])
    assert torch.equal(total["i"], -total["f"])
    assert not total["g"].any()
    assert not total["o"].any()
    assert not weights["bias_hh"].any()
    alone = total_bias(started(scheme={"bias.f": "chrono:784"}, hidden=512, width=1))
    check_times(alone["f"])
    assert not alone["i"].any()
    other = total_bias(started(scheme={"bias": "chrono:784", "bias.i": -3.0}, hidden=512, width=1))
    check_times(other["f"])
    assert (other["i"] == -3).all()


@pytest.mark.parametrize(
    ("name", "gate", "sign"),
    [("gru", "z", 1), ("gru_reset_before", "z", 1), ("mut1", "z", -1), ("mut2", "z", -1),
     ("minimal_gated_unit", "f", -1), ("janet", "f", 1), ("coupled_lstm", "f", 1)],
)  # fmt: skip
def test_chrono_knows_which_gate_keeps(name, gate, sign):
    cell_ = getattr(cells, name)
    weights = started(name, "chrono:784", hidden=512, width=1)
    for half, rows in (("bias_ih", cell_.input_rows), ("bias_hh", cell_.state_rows)):
        for row, block in zip(rows, weights[half].split(512), strict=True):
            if row == gate and (half == "bias_ih" or gate not in cell_.input_rows):
                check_times(block, sign)
            elif row != gate:
                assert (block == (cell_.bias.get(row, 0.0) if half == "bias_ih" else 0)).all()


def test_keepers_are_read_from_the_equations():
    assert keepers(own) == {"stay": 1}
    assert keepers(cells.peephole_lstm) == {"f": 1}
    assert keepers(cells.slstm) == {"i": -1, "f": 1}
    # Row blocks that add up to one gate: one of them carries its bias.
    assert keepers(cells.fgr) == {"f": 1}
    assert keepers(cells.mut3) == {"z_x": -1}
    assert keepers(cells.nfg) == keepers(cells.elman) == keepers(cells.indrnn) == {}
    total = total_bias(started("slstm", "chrono:784", hidden=512, width=1))
    check_times(total["f"])
    assert torch.equal(total["i"], -total["f"])


@pytest.mark.parametrize("scheme", ["chrono:784", {"bias.f": "chrono:784", "bias.i": -1.0}])
def test_chrono_of_gates_in_halves(scheme):
    assert halves.input_rows == ("i_x", "f_x", "m")
    weights = started(halves, scheme, hidden=512, width=1)
    i, f, m = weights["bias_ih"].chunk(3)
    check_times(f)
    assert not m.any()
    own_i, own_f = weights["bias_hh"].chunk(2)
    assert not own_f.any()
    if isinstance(scheme, str):
        assert torch.equal(i, -f)
        assert not own_i.any()


@pytest.mark.parametrize("placement", ["ba", "stored"])
def test_the_shifts_of_layer_norm_are_its_biases(placement):
    normal = layer_norm(cells.lstm, placement)
    weights = started(normal, "chrono:784", hidden=512, width=1, bias=False)
    check_times(weights["shift_f"])
    assert torch.equal(weights["shift_i"], -weights["shift_f"])
    assert not weights["shift_g"].any()
    assert not weights["shift_c"].any()
    assert (weights["gain_x_f"] == 1).all()
    weights = started(normal, {"bias": 0.5, "bias.f": 2.0, "shift_o": -1.0}, bias=False)
    found = [set(weights[f"shift_{gate}"].tolist()) for gate in "ifgo"]
    assert found == [{0.5}, {2.0}, {0.5}, {-1.0}]
    assert set(started(normal, bias=False)["shift_f"].tolist()) == {1.0}


def test_the_shifts_of_halves_apart_and_together():
    normal = layer_norm(cells.gru)
    weights = started(normal, {"bias.n": 3, "bias.z": "chrono:784"}, hidden=512, bias=False)
    assert set(weights["shift_n"].tolist()) == {3.0}
    assert not weights["shift_h_n"].any()
    check_times(weights["shift_z"])
    weights = started(normal, {"bias.n_x": 3, "bias.n_h": 4}, bias=False)
    assert set(weights["shift_n"].tolist()) == {3.0}
    assert set(weights["shift_h_n"].tolist()) == {4.0}


@pytest.mark.parametrize("placement", ["ba", "stored"])
@pytest.mark.parametrize("name", cells.every_cell())
def test_layer_norm_does_not_change_which_gates_keep(name, placement):
    plain = cells.every_cell()[name]
    normal = layer_norm(plain, placement)
    found = {normal.block(row): sign for row, sign in keepers(normal).items()}
    assert found == {plain.block(row): sign for row, sign in keepers(plain).items()}


def dense_of(kind, weights, hidden=HIDDEN):
    return kind.expand(weights, 4, hidden)["weight_hh"]


def test_orthogonal_heads_are_an_orthogonal_matrix():
    kind = Heads(4)
    for block in dense_of(kind, started(kind=kind)).split(HIDDEN):
        torch.testing.assert_close(block @ block.T, torch.eye(HIDDEN))
    weights = started(kind=kind, scheme={"weight_hh.f": "identity"})
    assert torch.equal(dense_of(kind, weights).split(HIDDEN)[1], torch.eye(HIDDEN))
    bound = (HIDDEN // 4) ** -0.5  # So that a sum of a quarter of the terms varies as much.
    assert 0.9 * bound < started(kind=kind, scheme="uniform")["weight_hh_heads"].max() <= bound


def test_a_low_rank_product_varies_like_an_orthogonal_matrix():
    kind = LowRank(16)
    weights = started(kind=kind)
    for block in dense_of(kind, weights).split(HIDDEN):
        torch.testing.assert_close(block.square().sum(), torch.tensor(float(HIDDEN)))
        assert 0.5 < torch.linalg.eigvals(block).abs().max() < 1.5
    v = weights["weight_hh_v"]
    torch.testing.assert_close(v @ v.T, (HIDDEN / 16) ** 0.5 * torch.eye(16))
    blocks = dense_of(kind, started(kind=kind, scheme={"weight_hh": "normal:0.1"})).split(HIDDEN)
    for block in blocks:
        assert block.std() == pytest.approx(0.1, rel=0.15)


def test_the_identity_of_low_rank_is_a_projection():
    kind = LowRank(16)
    for block in dense_of(kind, started(kind=kind, scheme="identity")).split(HIDDEN):
        torch.testing.assert_close(block @ block, block)
        assert block.trace() == pytest.approx(16)


@pytest.mark.parametrize("kind", [Masked(0.25), BlockSparse(0.25)], ids=["masked", "blocks"])
@pytest.mark.parametrize("scheme", ["orthogonal", "xavier_normal", "uniform"])
def test_sparse_gates_receive_what_dense_ones_would(kind, scheme):
    h = torch.randn(1000, HIDDEN, generator=torch.Generator().manual_seed(3))
    sparse = h @ dense_of(kind, started(kind=kind, scheme=scheme)).T
    dense = h @ started(scheme=scheme)["weight_hh"].T
    assert sparse.std().item() == pytest.approx(dense.std().item(), rel=0.05)


def test_rows_of_a_mask_have_gains_of_their_own():
    mask = torch.zeros(HIDDEN, HIDDEN, dtype=torch.bool)
    mask[0], mask[1, :4], mask[3:, 5] = True, True, True
    kind = Masked.of(mask)
    dense = dense_of(kind, started(kind=kind, scheme={"weight_hh": "normal:1"}))
    full, few, none = (dense.unflatten(0, (4, HIDDEN))[:, row] for row in (0, 1, 2))
    assert full.std() == pytest.approx(1, rel=0.2)
    assert few[:, :4].std() == pytest.approx(4, rel=0.6)
    assert not none.any()
    whole = Masked.of(torch.ones(HIDDEN, HIDDEN, dtype=torch.bool))
    torch.testing.assert_close(dense_of(whole, started(kind=whole)), started()["weight_hh"])


@pytest.mark.parametrize("kind", [Heads(4), LowRank(4), Masked(0.25), BlockSparse(0.25)], ids=repr)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64], ids=str)
def test_types(kind, dtype):
    weights = started(kind=kind, dtype=dtype, scheme={"bias": "chrono:9"})
    assert all(weight.dtype == dtype for weight in weights.values())


def test_text_of_a_scheme():
    for text in ("orthogonal", "chrono:784.0", "uniform:0.1", "constant:-2.0"):
        assert str(Scheme.read(text)) == text
    assert Scheme.read("chrono:784") == Scheme("chrono", 784)
    assert hash(Scheme.read("chrono:784")) == hash(Scheme("chrono", 784))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: started(scheme="ortogonal"), "did you mean 'orthogonal'"),
        (lambda: started(scheme="he_normal"), "it is called 'kaiming_normal' here"),
        (lambda: started(scheme={"weight_ih": "glorot_uniform"}), "called 'xavier_uniform' here"),
        (lambda: started("indrnn", "irnn"), "names 'weight_hh', which this layer"),
        (lambda: started(scheme="chrono"), "as in 'chrono:784'"),
        (lambda: started(scheme="chrono:long"), "after the colon is a number"),
        (lambda: started(scheme="chrono:1"), "at least 2"),
        (lambda: started(scheme="normal:-1"), "at least 0"),
        (lambda: started(scheme="uniform:inf"), "finite"),
        (lambda: started(scheme=None), "scheme None: give text"),
        (lambda: started(scheme={"bias.f": True}), "number True"),
        (lambda: started(scheme="constant:1"), "alone has nothing to start"),
        (lambda: started(scheme={"weight_hh.q": 1}), "names 'weight_hh.q', which this layer of"),
        (lambda: started(scheme={"weigth_hh": 1}), "did you mean 'weight_hh'"),
        (lambda: started(scheme={"bias": 1}, bias=False), "names 'bias', which this layer"),
        (lambda: started(scheme="chrono:9", bias=False), "alone has nothing to start"),
        (lambda: started(scheme={"weight_hr": "orthogonal"}), "names 'weight_hr'"),
        (lambda: started(scheme={"bias": "orthogonal"}), "which is a vector"),
        (lambda: started("peephole_lstm", {"p_i": "xavier_normal"}), "which is a vector"),
        (lambda: started(scheme={"weight_hh": "chrono:9"}), "name 'bias', or 'bias.f' alone"),
        (lambda: started(scheme={"bias.o": "chrono:9"}), "cannot start 'bias.o' of cell lstm"),
        (lambda: started("elman", "chrono:9"), "the cell has no such gate"),
    ],
    ids=range(22),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
