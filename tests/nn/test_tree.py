"""`TreeLSTM` and `Forest`: against the paper node by node, chains, order, gradients, mistakes."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import InputError
from gatewise.nn import Forest, TreeLSTM
from tests.cells.oracles import logistic

# Node 5 is a root with the children 0, 3, 4; 3 has 1 and 2. Node 6 is alone. 8 and 7 are a chain.
PARENTS = [5, 3, 3, 5, 5, -1, -1, 8, -1]


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def layer_of(arity=None, input_size=3, hidden_size=4):
    torch.manual_seed(1)
    layer = TreeLSTM(input_size, hidden_size, arity=arity, dtype=torch.float64)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return layer


def tai(x, parents, slots, weights, arity, lib):
    """Tai et al. 2015, equations 2 to 14, node by node and from the leaves by recursion.

    `lib` is numpy or torch: the same lines, once for values and once to be differentiated.
    """
    sigmoid, tanh = (logistic, np.tanh) if lib is np else (torch.sigmoid, torch.tanh)
    hidden = weights["bias"].shape[0] // 4
    W = {k: weights["weight_ih"][n * hidden : (n + 1) * hidden] for n, k in enumerate("ifuo")}
    b = {k: weights["bias"][n * hidden : (n + 1) * hidden] for n, k in enumerate("ifuo")}
    zero = 0 * b["i"]

    def U(row, slot=0):
        at = slice(row * hidden, (row + 1) * hidden)
        return weights["weight_hh"][at][:, slot * hidden : (slot + 1) * hidden]

    def child_sum(j, children):
        total = zero + sum(h for h, _ in children.values())
        i = sigmoid(W["i"] @ x[j] + U(0) @ total + b["i"])
        o = sigmoid(W["o"] @ x[j] + U(3) @ total + b["o"])
        u = tanh(W["u"] @ x[j] + U(2) @ total + b["u"])
        c = i * u
        for h_k, c_k in children.values():
            c = c + sigmoid(W["f"] @ x[j] + U(1) @ h_k + b["f"]) * c_k
        return o * tanh(c), c

    def n_ary(j, children):
        def seen(row):
            return zero + sum(U(row, slot) @ h for slot, (h, _) in children.items())

        i = sigmoid(W["i"] @ x[j] + seen(0) + b["i"])
        o = sigmoid(W["o"] @ x[j] + seen(arity + 2) + b["o"])
        u = tanh(W["u"] @ x[j] + seen(arity + 1) + b["u"])
        c = i * u
        for k, (_, c_k) in children.items():
            c = c + sigmoid(W["f"] @ x[j] + seen(1 + k) + b["f"]) * c_k
        return o * tanh(c), c

    done = {}

    def visit(j):
        own = [k for k, parent in enumerate(parents) if parent == j]
        for k in own:
            visit(k)
        rule = child_sum if arity is None else n_ary
        done[j] = rule(j, {slots[k]: done[k] for k in own})

    for j, parent in enumerate(parents):
        if parent < 0:
            visit(j)
    return [lib.stack([done[j][part] for j in range(len(parents))]) for part in (0, 1)]


def plain(layer):
    return {name: weight.detach().numpy() for name, weight in layer.named_parameters()}


@pytest.mark.parametrize("arity", [None, 3, 5])
def test_each_node_is_the_papers(arity):
    layer, x, forest = layer_of(arity), normal(9, 3), Forest(PARENTS)
    state = layer(x, forest)
    want = tai(x.numpy(), PARENTS, forest.slots.tolist(), plain(layer), arity, np)
    for got, wanted in zip(state, want, strict=True):
        np.testing.assert_allclose(got.detach().numpy(), wanted, rtol=1e-12)


@settings(max_examples=20, deadline=None)
@given(data=st.data(), nodes=st.integers(1, 9), arity=st.sampled_from([None, "full"]))
def test_forests_of_any_shape(data, nodes, arity):
    below = [data.draw(st.integers(-1, k - 1)) for k in range(nodes)]
    names = data.draw(st.permutations(range(nodes)))
    parents = [0] * nodes
    for k, parent in enumerate(below):
        parents[names[k]] = -1 if parent < 0 else names[parent]
    forest = Forest(parents)
    layer = layer_of(max(forest.arity, 1) if arity else None)
    x = normal(nodes, 3).requires_grad_()
    state = layer(x, forest)
    weights = dict(layer.named_parameters())
    want = tai(x, parents, forest.slots.tolist(), weights, layer.arity, torch)
    torch.testing.assert_close(tuple(state), tuple(want))
    over = normal(2, nodes, 4, seed=2)
    got, wanted = (
        torch.autograd.grad(
            (torch.stack(tuple(parts)) * over).sum(), [x, *weights.values()],
            allow_unused=True, materialize_grads=True,
        )
        for parts in (state, want)
    )  # fmt: skip
    torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize("arity", [None, 3])
def test_gradients_are_finite_differences(arity):
    layer, forest = layer_of(arity, 2, 2), Forest(PARENTS)
    x = normal(9, 2).requires_grad_()
    names = [name for name, _ in layer.named_parameters()]

    def run(x, *weights):
        given = dict(zip(names, weights, strict=True))
        return tuple(torch.func.functional_call(layer, given, (x, forest)))

    torch.autograd.gradcheck(run, (x, *layer.parameters()))


@pytest.mark.parametrize("arity", [None, 1])
@pytest.mark.parametrize("steps", [1, 200])
def test_a_chain_is_torchs_lstm(arity, steps):
    layer = layer_of(arity)
    chain = torch.nn.LSTM(3, 4, batch_first=True, dtype=torch.float64)
    chain.load_state_dict({
        "weight_ih_l0": layer.weight_ih, "weight_hh_l0": layer.weight_hh,
        "bias_ih_l0": layer.bias, "bias_hh_l0": torch.zeros(16, dtype=torch.float64),
    })  # fmt: skip
    x = normal(steps, 3).requires_grad_()
    forest = Forest([*range(1, steps), -1])
    state = layer(x, forest)
    y, (h, c) = chain(x)
    torch.testing.assert_close(state.h, y)
    torch.testing.assert_close(state.c[forest.roots], c)
    torch.testing.assert_close(state.h[forest.roots], h)
    (got,) = torch.autograd.grad(state.c[forest.roots].sum(), x)
    (want,) = torch.autograd.grad(c.sum(), x)
    torch.testing.assert_close(got, want)


def test_trees_side_by_side_are_each_alone():
    layer = layer_of(2)
    small, tall = Forest([-1, 0, 0]), Forest([1, -1])
    x = normal(5, 3)
    both = layer(x, Forest.joined([small, tall]))
    torch.testing.assert_close(both.h[:3], layer(x[:3], small).h)
    torch.testing.assert_close(both.c[3:], layer(x[3:], tall).c)


def test_order_of_children():
    """Child-sum does not see it; N-ary does, also which child is missing."""
    x = normal(3, 3)
    first, second = (Forest.of_children([own, [], []]) for own in ([1, 2], [2, 1]))
    assert second.slots.tolist() == [0, 1, 0]
    torch.testing.assert_close(layer_of()(x, first), layer_of()(x, second))
    binary = layer_of(2)
    assert not torch.allclose(binary(x, first).h[0], binary(x, second).h[0])
    turned = binary(x[[0, 2, 1]], Forest([-1, 0, 0], slots=[0, 1, 0]))
    torch.testing.assert_close(turned.h[0], binary(x, first).h[0])
    left, right = (binary(x[:2], Forest([-1, 0], slots=[0, slot])) for slot in (0, 1))
    assert not torch.allclose(left.h[0], right.h[0])
    torch.testing.assert_close(left.h[1], right.h[1])


def test_lists_of_children_and_parents_are_the_same():
    children = [[j for j, parent in enumerate(PARENTS) if parent == k] for k in range(9)]
    one, other = Forest(torch.tensor(PARENTS, dtype=torch.int32)), Forest.of_children(children)
    for name in ("parents", "slots", "roots", "order", "back"):
        assert torch.equal(getattr(one, name), getattr(other, name))
    assert one.roots.tolist() == [5, 6, 8]
    assert one.counts == other.counts == [2, 4, 3]
    assert one.arity == 3


def test_deep_and_wide():
    nodes = 3000
    chain, star = Forest([-1, *range(nodes - 1)]), Forest([-1] + [0] * (nodes - 1))
    assert len(chain.counts) == nodes
    assert star.counts == [nodes - 1, 1]
    assert star.slots.tolist() == [0, *range(nodes - 1)]
    h = layer_of()(normal(nodes, 3), star).h
    assert h.shape == (nodes, 4)


def test_no_nodes():
    layer = layer_of()
    state = layer(normal(0, 3), Forest([]))
    assert state.h.shape == state.c.shape == (0, 4)
    assert Forest.joined([]).counts == Forest.of_children([]).counts == []


def test_weights_start_as_those_of_other_layers():
    layer = TreeLSTM(5, 8, arity=2)
    assert [float(b.detach().unique()) for b in layer.bias.chunk(4)] == [0, 1, 0, 0]
    for block in layer.weight_hh.detach().split(8):
        assert block.shape == (8, 16)
        torch.testing.assert_close(block @ block.T, torch.eye(8))
    assert TreeLSTM(5, 8, bias=False)(torch.ones(1, 5), Forest([-1])).h.shape == (1, 8)


def test_copies_and_text():
    layer, forest = layer_of(3), Forest(PARENTS)
    assert repr(layer) == "TreeLSTM(3, 4, arity=3)"
    x = normal(9, 3)
    want = layer(x, forest)
    for other in (pickle.loads(pickle.dumps((layer, forest))), copy.deepcopy((layer, forest))):
        torch.testing.assert_close(other[0](x, other[1]), want)
    assert forest.to("cpu") is forest
    assert forest.to("meta").links[1][0].device.type == "meta"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Forest([1, 2, 0]), "in a circle"),
        (lambda: Forest([-1, 1]), "node 1 has no root"),
        (lambda: Forest([-2, 0]), "parents run from -2 to 0"),
        (lambda: Forest([-1, 2]), "from -1 to 2"),
        (lambda: Forest([-1.0, 0.0]), "one whole number"),
        (lambda: Forest([[-1], [0]]), "one whole number"),
        (lambda: Forest([None, 0]), "one whole number"),
        (lambda: Forest([-1, 0, 0], slots=[0, 1, 1]), "node 0 have slot 1"),
        (lambda: Forest([-1, 0], slots=[0, -1]), "from 0 for each of the 2 nodes"),
        (lambda: Forest([-1, 0], slots=[0]), "from 0 for each of the 2 nodes"),
        (lambda: Forest.of_children([[1], [2], [1]]), "node 1 is a child of two"),
        (lambda: Forest.of_children([[3], []]), "children run from 3 to 3"),
        (lambda: Forest.of_children([[1], [0]]), "in a circle"),
        (lambda: TreeLSTM(0, 4), "input_size=0"),
        (lambda: TreeLSTM(3, 4, arity=0), "arity=0"),
        (lambda: layer_of()(normal(9, 3), PARENTS), "give gatewise.nn.Forest"),
        (lambda: layer_of()(normal(8, 3), Forest(PARENTS)), "here \\(9, 3\\)"),
        (lambda: layer_of()(normal(9, 3).float(), Forest(PARENTS)), r"x\.to\("),
        (lambda: layer_of(2)(normal(9, 3), Forest(PARENTS)), "arity=3"),
    ],
    ids=range(19),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
