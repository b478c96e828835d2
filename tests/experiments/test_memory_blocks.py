"""The network of 1997: its weights are counted as in the paper, its gradient is the paper's."""

import numpy as np
import pytest
import torch

from experiments import online
from experiments.hochreiter1997_parts import PARTS
from experiments.networks import compiled_blocks
from experiments.networks.memory_blocks import MemoryBlocks, Wiring
from experiments.stopping import OnSet, Recent
from experiments.tasks.adding import Marked
from experiments.tasks.reber import Strings
from experiments.tasks.temporal_order import TemporalOrder

COUNTS = [
    (Wiring(2, 2, 2, 1), 93),
    (Wiring(8, 2, 2, 4), 156),
    (Wiring(8, 3, 2, 8), 308),
    (Wiring(7, 4, 1, 7, bias="gates", output_bias=False), 264),
    (Wiring(7, 3, 2, 7, bias="gates", output_bias=False), 276),
    (Wiring(1, 3, 1, 1, output_bias=False), 102),
    (Wiring(54, 2, 1, 2, bias="none", output_bias=False), 364),
    (Wiring(1004, 2, 1, 2, bias="none", output_bias=False), 6064),
]


@pytest.mark.parametrize(("wiring", "count"), COUNTS)
def test_weights_are_counted_as_in_the_paper(wiring, count):
    assert wiring.weights == count
    network = made(wiring, 1)
    trace = network.forward(drawn(1, 1, 4, wiring.inputs))
    grads = network.gradients(trace, np.ones_like(trace.y))
    learned = sum(g[0].size for g in grads.values())
    learned -= wiring.units - wiring.biases
    learned -= 0 if wiring.output_bias else wiring.outputs
    assert learned == count


@pytest.mark.parametrize("name", PARTS)
def test_parts_have_networks_of_the_papers_size(name):
    part = PARTS[name]
    if part.original and part.paper_weights:
        assert part.original.wiring.weights == part.paper_weights


def made(wiring, networks, scale=0.1):
    return MemoryBlocks(wiring, [np.random.default_rng(k) for k in range(networks)], scale)


def drawn(*shape):
    return np.random.default_rng(9).normal(size=shape)


def transcribed(network, x, truncated):
    """One network by the paper's equations with autograd; returns outputs and weights."""
    w, x = network.wiring, torch.from_numpy(x)
    p = {name: torch.tensor(v[0], requires_grad=True) for name, v in network.parameters.items()}
    y = x.new_zeros(len(x), w.units)
    state = x.new_zeros(len(x), w.cells)
    outputs = []
    for now in x.unbind(1):
        seen = torch.cat([now, y.detach() if truncated else y], -1)
        net = seen @ p["hidden"].T + p["bias"]
        y_in = torch.sigmoid(net[:, : w.blocks])
        y_out = torch.sigmoid(net[:, w.blocks : 2 * w.blocks])
        g = 4 * torch.sigmoid(net[:, 2 * w.blocks :]) - 2
        parts, cells = [], []
        for k in range(w.cells):
            block = k // w.size
            parts.append(state[:, k] + y_in[:, block] * g[:, k])
            cells.append(y_out[:, block] * (2 * torch.sigmoid(parts[-1]) - 1))
        state, cell = torch.stack(parts, -1), torch.stack(cells, -1)
        y = torch.cat([y_in, y_out, cell], -1)
        outputs.append(torch.sigmoid(cell @ p["out"].T + p["out_bias"]))
    return torch.stack(outputs, 1), p


def pair(bias, output_bias):
    wiring = Wiring(3, 2, 3, 2, bias=bias, output_bias=output_bias)
    return made(wiring, 2, scale=1.0), drawn(2, 4, 6, 3)


@pytest.mark.parametrize(("bias", "output_bias"), [("all", True), ("gates", False), ("none", True)])
def test_values_and_truncated_gradients_are_the_papers(bias, output_bias):
    network, x = pair(bias, output_bias)
    trace = network.forward(x)
    d_y = np.random.default_rng(1).normal(size=trace.y.shape)
    grads = network.gradients(trace, d_y)
    for k in range(2):
        y, p = transcribed(network.only(k), x[k], truncated=True)
        np.testing.assert_allclose(trace.y[k], y.detach(), rtol=1e-12)
        loss = (y * torch.from_numpy(d_y[k])).sum()
        want = dict(zip(p, torch.autograd.grad(loss, list(p.values())), strict=True))
        want["bias"][network.wiring.biases :] = 0
        if not output_bias:
            want["out_bias"].zero_()
        for name, grad in want.items():
            np.testing.assert_allclose(grads[name][k], grad, rtol=1e-10, atol=1e-12)


def test_the_gradient_is_truncated():
    network, x = pair("all", True)
    trace = network.forward(x)
    grads = network.gradients(trace, np.ones_like(trace.y))
    y, p = transcribed(network.only(0), x[0], truncated=False)
    (full,) = torch.autograd.grad(y.sum(), [p["hidden"]])
    assert not np.allclose(grads["hidden"][0], full, rtol=1e-3)


def test_networks_side_by_side_are_each_alone():
    network, x = pair("all", True)
    y = network.forward(x).y
    for k in range(2):
        np.testing.assert_allclose(network.only(k).forward(x[k : k + 1]).y[0], y[k])


def test_gates_start_as_they_are_told():
    network = made(Wiring(2, 2, 2, 1), 3)
    network.set_gate_biases((-3, -6), (-1, -2))
    assert network.parameters["bias"][:, :4].tolist() == [[-3, -6, -1, -2]] * 3


@pytest.mark.parametrize("last_only", [False, True])
@pytest.mark.parametrize(("bias", "output_bias"), [("all", True), ("gates", False)])
def test_machine_code_learns_what_numpy_learns(bias, output_bias, last_only):
    pytest.importorskip("numba", reason="numba is not installed: pip install numba")
    wiring = Wiring(3, 2, 3, 2, bias=bias, output_bias=output_bias)
    numpys, compiled = made(wiring, 3, scale=0.7), made(wiring, 3, scale=0.7)
    lengths = np.array([9, 6, 8])
    target = np.random.default_rng(2).random((3, 1 if last_only else 9, 2))
    for _ in range(2):
        y = numpys.learn(drawn(3, 9, 3), lengths, target, 0.3)
        again = compiled_blocks.learn(compiled, drawn(3, 9, 3), lengths, target, 0.3)
        inside = slice(0, 1 if last_only else 6)
        np.testing.assert_allclose(again[:, inside], y[:, inside], rtol=1e-12)
    for name, value in numpys.parameters.items():
        np.testing.assert_allclose(compiled.parameters[name], value, rtol=1e-10, atol=1e-13)


def test_what_lies_past_a_sequence_is_not_learned_from():
    wiring, lengths = Wiring(3, 2, 1, 2), np.array([4, 6])
    target = np.random.default_rng(2).random((2, 6, 2))
    one, other = made(wiring, 2), made(wiring, 2)
    x, longer = drawn(2, 6, 3), drawn(2, 6, 3)
    longer[0, 4:] = 7
    y = one.learn(x, lengths, target, 0.3)
    np.testing.assert_array_equal(y, other.learn(longer, lengths, target, 0.3))
    assert not y[0, 4:].any()
    for name, value in one.parameters.items():
        np.testing.assert_array_equal(other.parameters[name], value)


def test_a_chunk_holds_each_networks_own_sequences():
    task = Strings.pair(0, 8)[0]
    batches = [task.draw(np.random.default_rng(seed), 3) for seed in range(2)]
    chunk = online.Chunk.of(batches)
    x, lengths, target, truth = chunk.at(1)
    assert x.shape[1] == target.shape[1] == lengths.max()
    for n, batch in enumerate(batches):
        assert lengths[n] == batch.lengths[1]
        inside = slice(0, int(lengths[n]))
        np.testing.assert_array_equal(x[n, inside], batch.x[1, inside])
        np.testing.assert_array_equal(truth[n, inside], batch.target[1, inside])
    assert chunk.only(np.array([1])).lengths.tolist() == [batches[1].lengths.tolist()]


def test_runs_learn_online_as_if_alone():
    task = TemporalOrder(share=0.1)

    def learned(seeds):
        rngs = [np.random.default_rng(seed) for seed in seeds]
        network = MemoryBlocks(Wiring(8, 2, 2, 4), rngs, 0.1)
        return online.learn(network, [task] * len(seeds), rngs, 0.5, 30).network

    both, alone = learned([0, 1]), learned([1])
    for name, value in both.parameters.items():
        np.testing.assert_allclose(value[1], alone.parameters[name][0])


def test_a_step_is_gradient_descent_on_half_the_squared_error():
    task, rate = Marked(20), 0.5
    network = made(Wiring(2, 2, 2, 1), 1)
    before = made(Wiring(2, 2, 2, 1), 1)
    batch = task.draw(np.random.default_rng(0), online.CHUNK)
    y, p = transcribed(before, batch.x[:1, : batch.lengths[0]], truncated=True)
    loss = ((y[0, -1] - torch.from_numpy(batch.target[0])) ** 2).sum() / 2
    grads = torch.autograd.grad(loss, list(p.values()))
    online.learn(network, [task], [np.random.default_rng(0)], rate, 1)
    for (name, value), grad in zip(before.parameters.items(), grads, strict=True):
        np.testing.assert_allclose(network.parameters[name][0], value[0] - rate * grad.numpy())


def test_a_run_that_has_learned_keeps_its_weights_and_others_go_on():
    task = Marked(20)
    network = made(Wiring(2, 2, 2, 1), 2)
    judges = [lambda answers: True, lambda answers: False]
    rngs = [np.random.default_rng(k) for k in range(2)]
    found = online.learn(network, [task] * 2, rngs, 0.1, 20, judges=judges, every=10)
    assert found.sequences == [10, None]
    assert len(found.network.parameters["bias"]) == 2
    batch = task.draw(np.random.default_rng(5), 3)
    assert online.answers(found.network.only(0), batch).shape == (3, 1)


def test_recent_waits_for_all_of_its_window():
    recent = Recent(2, count=4, mean=0.1, wrong=1)
    errors = np.array([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0]])
    assert recent.add(errors, errors < 0.2).tolist() == [False, False]
    assert recent.add(np.zeros((2, 1)), np.ones((2, 1), bool)).tolist() == [True, False]
    recent.keep(np.array([1]))
    assert recent.add(np.zeros((1, 1)), np.ones((1, 1), bool)).tolist() == [True]


def test_on_set_asks_for_all_right_and_a_small_mean():
    batch = Marked(20).draw(np.random.default_rng(0), 4)
    assert OnSet(batch, 0.04, 0.01)(lambda b: b.target + 0.005)
    assert not OnSet(batch, 0.04, 0.01)(lambda b: b.target + 0.02)
    assert not OnSet(batch, 0.04)(lambda b: b.target + 0.05)
