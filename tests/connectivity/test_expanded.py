"""Connectivities that become a dense matrix: values, gradients, sizes, names, wrong input."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import InputError, cells
from gatewise.connectivity import BlockSparse, Dense, Heads, LowRank, Masked, from_key
from gatewise.engines import parameters, recurrence

GATES, HIDDEN = 4, 8
MASK = torch.rand(HIDDEN, HIDDEN, generator=torch.Generator().manual_seed(1)) < 0.3
MASKS = torch.rand(GATES * HIDDEN, HIDDEN, generator=torch.Generator().manual_seed(2)) < 0.3
EACH = {
    "heads": Heads(2),
    "low_rank": LowRank(3),
    "masked": Masked(0.3, seed=5),
    "masked_alike": Masked.of(MASK),
    "masked_apart": Masked.of(MASKS),
    "block_sparse": BlockSparse(0.5, block=(4, 1), seed=2),
    "block_sparse_wide": BlockSparse(0.5, block=(2, 4)),
}
ALL = pytest.mark.parametrize("kind", EACH.values(), ids=EACH.keys())


def drawn(kind, gates=GATES, hidden=HIDDEN, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for name, shape in kind.parameters(gates, hidden).items()
    }


def dense_by_hand(kind, weights, gates=GATES, hidden=HIDDEN):
    """The matrix entry by entry, in NumPy."""
    own = {name: weight.detach().numpy() for name, weight in weights.items()}
    dense = np.zeros((gates * hidden, hidden))
    if isinstance(kind, Heads):
        units = hidden // kind.n
        for gate, head, k, j in np.ndindex(*own["weight_hh_heads"].shape):
            row = gate * hidden + head * units + k
            dense[row, head * units + j] = own["weight_hh_heads"][gate, head, k, j]
    elif isinstance(kind, LowRank):
        for row, column in np.ndindex(*dense.shape):
            dense[row, column] = sum(
                own["weight_hh_u"][row, k] * own["weight_hh_v"][k, column] for k in range(kind.rank)
            )
    elif isinstance(kind, BlockSparse):
        tile, group = kind.block
        chosen = kind._chosen(hidden)
        for (gate, t, k, entry), weight in np.ndenumerate(own["weight_hh_kept"]):
            row = gate * hidden + t * tile + entry // group
            dense[row, chosen[t, k] * group + entry % group] = weight
    else:
        kept = iter(own["weight_hh_kept"].reshape(-1))
        for row, column in np.ndindex(*dense.shape):
            if mask_of(kind, gates, hidden)[row, column]:
                dense[row, column] = next(kept)
        assert next(kept, None) is None
    return dense


def mask_of(kind, gates=GATES, hidden=HIDDEN):
    if kind == EACH["masked_alike"]:
        return np.tile(MASK.numpy(), (gates, 1))
    if kind == EACH["masked_apart"]:
        return MASKS.numpy()
    ones = {n: torch.ones(s) for n, s in kind.parameters(gates, hidden).items()}
    return kind.expand(ones, gates, hidden)["weight_hh"].numpy() != 0


@ALL
def test_expanded_is_the_matrix_by_hand(kind):
    weights = drawn(kind)
    other = torch.randn(3)
    found = kind.expand({**weights, "bias_hh": other}, GATES, HIDDEN)
    assert found.keys() == {"weight_hh", "bias_hh"}
    assert found["bias_hh"] is other
    np.testing.assert_allclose(found["weight_hh"].detach().numpy(), dense_by_hand(kind, weights))


@ALL
def test_gradients(kind):
    weights = drawn(kind)

    def expand(*own):
        return kind.expand(dict(zip(weights, own, strict=True)), GATES, HIDDEN)["weight_hh"]

    torch.autograd.gradcheck(expand, tuple(weights.values()))
    torch.autograd.gradgradcheck(expand, tuple(weights.values()))


@ALL
def test_constants_spare_what_is_made_of_them(kind):
    weights = drawn(kind)
    constants = kind.constants(GATES, HIDDEN)
    assert not any(tensor.is_floating_point() for tensor in constants.values())
    found = kind.expand({**weights, **constants}, GATES, HIDDEN)
    assert found.keys() == {"weight_hh"}
    assert torch.equal(found["weight_hh"], kind.expand(weights, GATES, HIDDEN)["weight_hh"])


def test_sizes():
    def sizes(kind, hidden=64):
        return kind.parameters(GATES, hidden)

    assert sizes(Heads(8)) == {"weight_hh_heads": (4, 8, 8, 8)}
    assert sizes(LowRank(5)) == {"weight_hh_u": (256, 5), "weight_hh_v": (5, 64)}
    assert sizes(Masked(0.1)) == {"weight_hh_kept": (1, 256 * 6)}
    assert sizes(Masked(0.001)) == {"weight_hh_kept": (1, 256)}
    assert sizes(BlockSparse(0.1)) == {"weight_hh_kept": (4, 4, 6, 16)}
    assert EACH["masked_alike"].parameters(3, HIDDEN) == {"weight_hh_kept": (3, int(MASK.sum()))}
    assert EACH["masked_apart"].parameters(4, HIDDEN) == {"weight_hh_kept": (1, int(MASKS.sum()))}


@ALL
def test_a_cell_without_recurrent_matrix_has_none(kind):
    assert kind.parameters(0, HIDDEN) == kind.constants(0, HIDDEN) == {}
    other = {"bias_ih": torch.ones(2)}
    assert kind.expand(other, 0, HIDDEN) == other
    assert set(parameters(cells.indrnn, kind, 3, HIDDEN)) == {"weight_ih", "bias_ih", "u"}


@settings(max_examples=20, deadline=None)
@given(
    hidden=st.integers(1, 24), density=st.floats(0.01, 1.0), seed=st.integers(0, 5),
    gates=st.integers(1, 4),
)  # fmt: skip
def test_each_row_of_a_mask_keeps_as_many(hidden, density, seed, gates):
    mask = mask_of(Masked(density, seed=seed), gates, hidden)
    assert set(mask.sum(1)) == {max(1, round(density * hidden))}


def test_gates_of_a_mask_are_drawn_apart_and_by_seed():
    blocks = np.split(mask_of(Masked(0.3, seed=5), hidden=32), GATES)
    assert not np.array_equal(blocks[0], blocks[1])
    assert not np.array_equal(mask_of(Masked(0.3, seed=6)), mask_of(Masked(0.3, seed=5)))


def test_tiles_of_blocks_are_balanced_and_the_same_for_all_gates():
    mask = mask_of(BlockSparse(0.25), hidden=64)
    first, *others = np.split(mask, GATES)
    assert all(np.array_equal(first, other) for other in others)
    tiles = first.reshape(4, 16, 64)
    assert (tiles == tiles[:, :1]).all()
    assert tiles[:, 0].sum(1).tolist() == [16] * 4
    assert not np.array_equal(tiles[0], tiles[1])


def test_a_seed_is_the_same_pattern_for_ever():
    assert BlockSparse(0.25, (4, 1), seed=3)._chosen(8).tolist() == [[6, 7], [0, 2]]


@ALL
def test_the_key_is_the_value(kind):
    again = from_key(kind.key)
    assert again == kind
    assert hash(again) == hash(kind)
    assert repr(again) == repr(kind)
    assert again.parameters(GATES, HIDDEN) == kind.parameters(GATES, HIDDEN)


def test_keys_can_be_typed():
    assert from_key("low_rank:32") == LowRank(32)
    assert from_key("masked:0.1:7") == Masked(seed=7)
    assert from_key("block_sparse:0.25:16x1:0") == BlockSparse(0.25)
    assert repr(Masked.of(MASK)).startswith("Masked.of(<mask of 8 x 8 with density 0.")
    assert BlockSparse(0.25, [4, 2]) == BlockSparse(0.25, (4, 2))


def expanded_run(kind, cell, x, weights, state):
    dense = kind.expand(weights, len(cell.state_rows), HIDDEN)
    return recurrence(cell, kind.expanded, x, dense, state)


def structured_product(kind, weights, h):
    """What the gates receive, without ever making the matrix."""
    if isinstance(kind, Heads):
        heads = h.reshape(len(h), kind.n, -1)
        return torch.einsum("bnj,gnkj->bgnk", heads, weights["weight_hh_heads"]).flatten(1)
    if isinstance(kind, LowRank):
        return (h @ weights["weight_hh_v"].T) @ weights["weight_hh_u"].T
    rows, columns = np.nonzero(mask_of(kind))
    rows, columns = torch.from_numpy(rows), torch.from_numpy(columns)
    if isinstance(kind, BlockSparse):
        tile, group = kind.block
        kept = weights["weight_hh_kept"].unflatten(-1, (tile, group)).transpose(2, 3).reshape(-1)
    else:
        kept = weights["weight_hh_kept"].reshape(-1)
    terms = h[:, columns] * kept
    return h.new_zeros(len(h), GATES * HIDDEN).index_add(1, rows, terms)


@ALL
def test_a_layer_is_the_loop_with_the_structured_product(kind):
    shapes = parameters(cells.lstm, kind, 3, HIDDEN)
    generator = torch.Generator().manual_seed(0)
    weights = {
        name: torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for name, shape in shapes.items()
    }
    x = torch.randn(2, 5, 3, generator=generator, dtype=torch.float64).requires_grad_()
    start = tuple(torch.zeros(2, HIDDEN, dtype=torch.float64) for _ in range(2))
    y, _ = expanded_run(kind, cells.lstm, x, weights, start)
    h, c = start
    outputs = []
    for t in range(5):
        own = structured_product(kind, weights, h) + weights["bias_hh"]
        i, f, g, o = (x[:, t] @ weights["weight_ih"].T + weights["bias_ih"] + own).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        outputs.append(h)
    want = torch.stack(outputs, 1)
    torch.testing.assert_close(y, want)
    wrt = [x, *weights.values()]
    torch.testing.assert_close(*(torch.autograd.grad(v.square().sum(), wrt) for v in (y, want)))


@ALL
@pytest.mark.parametrize("name", ["gru", "gru_reset_before", "mut1", "coupled_lstm"])
def test_cells_of_other_row_blocks(kind, name):
    cell = getattr(cells, name)
    if kind == EACH["masked_apart"] and len(cell.state_rows) != GATES:
        kind = Masked.of(MASKS[: len(cell.state_rows) * HIDDEN])
    shapes = parameters(cell, kind, 3, HIDDEN)
    weights = {name: torch.randn(shape) for name, shape in shapes.items()}
    start = tuple(torch.zeros(2, HIDDEN) for _ in cell.states)
    y, _ = expanded_run(kind, cell, torch.randn(2, 5, 3), weights, start)
    assert y.isfinite().all()
    dense = kind.expand(weights, len(cell.state_rows), HIDDEN)
    again, _ = recurrence(cell, kind, torch.zeros(2, 0, 3), dense, start)
    assert again.shape == (2, 0, HIDDEN)


class Layer(torch.nn.Module):
    """What a layer of one connectivity does, at its smallest."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        shapes = parameters(cells.lstm, kind, 3, HIDDEN)
        constants = kind.constants(GATES, HIDDEN)
        for name, shape in shapes.items():
            self.register_parameter(name, torch.nn.Parameter(torch.randn(shape) * 0.3))
        for name, tensor in constants.items():
            self.register_buffer(name, tensor, persistent=False)
        self.names = [*shapes, *constants]

    def forward(self, x):
        weights = {name: getattr(self, name) for name in self.names}
        zeros = x.new_zeros(x.shape[0], HIDDEN)
        return expanded_run(self.kind, cells.lstm, x, weights, (zeros, zeros))[0]


@ALL
def test_it_compiles_and_exports(kind):
    layer, x = Layer(kind), torch.randn(2, 5, 3)
    want = layer(x)
    torch._dynamo.reset()
    torch.testing.assert_close(torch.compile(layer, backend="aot_eager", fullgraph=True)(x), want)
    torch.testing.assert_close(torch.export.export(layer, (x,)).module()(x), want)


@ALL
def test_other_types(kind):
    for dtype in (torch.float32, torch.bfloat16):
        weights = {name: weight.detach().to(dtype) for name, weight in drawn(kind).items()}
        found = kind.expand(weights, GATES, HIDDEN)["weight_hh"]
        assert found.dtype == dtype
    mapped = torch.func.vmap(lambda own: kind.expand(own, GATES, HIDDEN)["weight_hh"])
    twice = {name: torch.stack([w, 2 * w]) for name, w in drawn(kind).items()}
    both = [kind.expand({n: w[k] for n, w in twice.items()}, GATES, HIDDEN) for k in (0, 1)]
    torch.testing.assert_close(mapped(twice), torch.stack([own["weight_hh"] for own in both]))


def test_dense_is_its_own_expansion():
    weights = {"weight_hh": torch.ones(2, 1)}
    dense = Dense(3)
    assert dense.expand(weights, 1, 8) == weights
    assert dense.expanded is dense
    assert dense.constants(1, 8) == {}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Heads(0), "n=0: give the heads"),
        (lambda: Heads(3).parameters(4, 8), "n=3: 8 units do not make 3 heads"),
        (lambda: LowRank(1.5), "rank=1.5"),
        (lambda: LowRank(8).parameters(4, 8), r"take Dense\(\)"),
        (lambda: Masked(0.0), "density=0.0"),
        (lambda: Masked(float("nan")), "density=nan"),
        (lambda: Masked(0.1, seed=-1), "seed=-1"),
        (lambda: Masked.of(torch.ones(2, 2)), "mask=torch.float32 of shape"),
        (lambda: Masked.of(torch.ones(3, 2, dtype=torch.bool)), "give a boolean tensor"),
        (lambda: Masked.of(torch.zeros(2, 2, dtype=torch.bool)), "keeps no entry"),
        (lambda: Masked.of(MASK).parameters(4, 16), "mask of 8 x 8: 16 units with 4 gates"),
        (lambda: Masked.of(MASKS).parameters(3, 8), "or 24 x 8"),
        (lambda: BlockSparse(1.5), "density=1.5"),
        (lambda: BlockSparse(0.5, block=(16,)), r"block=\(16,\)"),
        (lambda: BlockSparse(0.5, block=3), "block=3"),
        (lambda: BlockSparse(0.5).parameters(4, 40), "hidden_size=40 is not a multiple of 16"),
        (lambda: from_key("heds:2"), "did you mean 'heads'"),
        (lambda: from_key("conv"), "write one of 'dense:PROJ_SIZE', 'heads:N'"),
        (lambda: from_key("heads:two"), "write 'heads:N'"),
        (lambda: from_key("heads:0"), "n=0"),
        (lambda: from_key("masked:2x2:%%%"), "write 'masked:DENSITY:SEED'"),
        (lambda: from_key("masked:3x2:AA=="), "write 'masked:DENSITY:SEED'"),
        (lambda: from_key("block_sparse:0.5:16"), "write 'block_sparse:"),
    ],
    ids=range(23),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
