"""The engine as autograd sees it: versions, graphs used twice, derived twice, and let go."""

import gc
import os

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from gatewise import cells, nn
from gatewise.cells import every_cell
from gatewise.compiler import Cell, Expr, Port, tanh, zoneout
from gatewise.compiler.expr import var
from gatewise.engines.cpu import pool
from gatewise.engines.cpu.host import host

from .calls import (
    CPU,
    REFERENCE,
    agree,
    assert_near,
    drawn,
    flat,
    gradients,
    leaves,
    run,
    uneven,
)

CELLS = every_cell()
KNOWN = ("lstm", "gru", "gru_reset_before", "peephole_lstm", "elman")


@pytest.mark.parametrize("which", ["y", "x", "state", "weight_ih", "weight_hh", "bias_ih", "p_i"])
def test_a_change_in_place_before_the_backward_pass_is_torchs_error(which):
    call = drawn(CELLS["peephole_lstm"], 2, 3)
    y, state = CPU.run(call)
    named = {"y": y, "x": call.x, "state": call.state[0]} | call.weights
    with torch.no_grad():
        named[which].add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        uneven([y, *state]).backward()


@pytest.mark.parametrize("batch_first", [True, False])
def test_outputs_may_be_changed_in_place(batch_first):
    layer = nn.LSTM(3, 4, batch_first=batch_first)
    y, (h, c) = layer(torch.randn(5, 2, 3))
    want, *_ = torch.autograd.grad(h.sum() + c.sum(), layer.weight_ih_l0, retain_graph=True)
    h.mul_(2), c.mul_(2)
    found, *_ = torch.autograd.grad(h.sum() + c.sum(), layer.weight_ih_l0)
    torch.testing.assert_close(found, 2 * want)
    y, _ = layer(torch.randn(5, 2, 3))
    torch.nn.functional.dropout(y, 0.5, inplace=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_changed_noise_is_torchs_error():
    noisy = zoneout(cells.lstm, {"h": 0.5, "c": 0.5})
    noise = {name: torch.rand(2, 3, 4, dtype=torch.float64) for name in noisy.noises}
    outputs = flat(CPU.run(drawn(noisy, 2, 3, noise=noise)))
    noise["zone_h"].zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        uneven(outputs).backward()


def change_lengths(call):
    call.lengths.copy_(torch.tensor([1, 5, 5, 2, 5, 0]))


def change_threads(call):
    torch.set_num_threads(3)


def change_processor(call):
    os.environ["GATEWISE_CPU"] = "plain"


@pytest.mark.parametrize("change", [change_lengths, change_threads, change_processor])
def test_both_passes_agree_whatever_changes_between_them(change, monkeypatch):
    monkeypatch.setenv("GATEWISE_CPU", host().name)
    threads = torch.get_num_threads()
    call = drawn(CELLS["lstm"], 6, 5, hidden=19, lengths=torch.tensor([5, 2, 3, 4, 1, 5]))
    want = run(call, REFERENCE)[1]
    outputs = flat(CPU.run(call))
    try:
        change(call)
        assert_near(gradients(call, outputs), want, 1e-12)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("name", KNOWN)
def test_a_graph_that_is_kept_gives_the_same_again(name):
    call = drawn(CELLS[name], 3, 4, hidden=17)
    outputs = flat(CPU.run(call))
    loss = uneven(outputs)
    first = torch.autograd.grad(loss, leaves(call), retain_graph=True)
    second = torch.autograd.grad(loss, leaves(call), retain_graph=True)
    assert all(map(torch.equal, first, second))
    third = torch.autograd.grad(2 * loss, leaves(call))
    assert_near(third, [2 * g for g in first], 1e-15)
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(loss, leaves(call))


@pytest.mark.parametrize("name", KNOWN)
def test_second_derivatives_are_the_references(name):
    results = []
    for engine in (CPU, REFERENCE):
        call = drawn(CELLS[name], 2, 3, lengths=torch.tensor([3, 2]), reverse=True)
        outputs = flat(engine.run(call))
        first = torch.autograd.grad(uneven(outputs), leaves(call), create_graph=True)
        penalty = sum(g.square().sum() for g in first)
        first = [g.detach() for g in first]
        results.append([*first, *torch.autograd.grad(penalty, leaves(call))])
    assert_near(*results, 1e-12)


def test_second_derivatives_with_noise_and_of_one_output():
    noisy = zoneout(cells.gru, {"h": 0.5})
    results = []
    for engine in (CPU, REFERENCE):
        draw = torch.Generator().manual_seed(0)
        noise = {"zone_h": torch.rand(2, 3, 4, generator=draw, dtype=torch.float64)}
        call = drawn(noisy, 2, 3, noise=noise)
        _, (h,) = engine.run(call)
        (first,) = torch.autograd.grad(h.square().sum(), call.x, create_graph=True)
        second = torch.autograd.grad(first.square().sum(), leaves(call))
        results.append([first.detach(), *second])
    assert_near(*results, 1e-12)


def test_many_gradients_at_once():
    call = drawn(CELLS["lstm"], 2, 3)
    y, _ = CPU.run(call)
    along = torch.randn(4, *y.shape, dtype=y.dtype)
    found = torch.autograd.grad(
        y, leaves(call), along, is_grads_batched=True, retain_graph=True, allow_unused=True
    )
    for k, one in enumerate(along):
        want = torch.autograd.grad(y, leaves(call), one, retain_graph=True)
        assert_near([g[k] for g in found], want, 1e-12)


@pytest.mark.parametrize("which", range(2))
def test_only_one_state_wants_a_gradient(which):
    call = drawn(CELLS["lstm"], 2, 3)
    call = call._replace(
        x=call.x.detach(),
        weights={name: w.detach() for name, w in call.weights.items()},
        state=tuple(s if k == which else s.detach() for k, s in enumerate(call.state)),
    )
    agree(call)


@pytest.mark.parametrize(("batch", "time"), [(2, 0), (0, 3), (0, 0)])
@pytest.mark.parametrize("name", KNOWN)
def test_without_sequences_or_steps(name, batch, time):
    call = drawn(CELLS[name], batch, time)
    outputs = flat(CPU.run(call))
    loss = sum((t * 3).sum() for t in outputs)
    found = torch.autograd.grad(loss, leaves(call), allow_unused=True, materialize_grads=True)
    for leaf, gradient in zip(leaves(call), found, strict=True):
        from_state = any(leaf is s for s in call.state)
        torch.testing.assert_close(gradient, torch.full_like(leaf, 3.0 if from_state else 0.0))


def test_sequences_that_all_have_no_step():
    agree(drawn(CELLS["gru_reset_before"], 3, 4, lengths=torch.zeros(3, dtype=torch.int64)))


@pytest.fixture
def lent(monkeypatch):
    """Says how many bytes are lent at the moment."""
    blocks = []
    usual = pool.Block.__init__

    def note(self, memory, nbytes, give_back):
        usual(self, memory, nbytes, give_back)
        blocks.append([memory.capacity])

        def back(memory, entry=blocks[-1], give_back=give_back):
            entry[0] = 0
            give_back(memory)

        self._give_back = back

    monkeypatch.setattr(pool.Block, "__init__", note)

    def now():
        gc.collect()
        return sum(size for (size,) in blocks)

    return now


def test_a_call_without_gradients_keeps_nothing(lent):
    with torch.no_grad():
        result = CPU.run(drawn(CELLS["lstm"], 3, 50, hidden=20))
    assert lent() == 0
    del result


@pytest.mark.parametrize("batch", [1, 3, 20])
@pytest.mark.parametrize("ragged", [False, True])
def test_inference_allocates_its_outputs_alone(lent, batch, ragged):
    lengths = torch.arange(batch) if ragged else None
    call = drawn(CELLS["lstm"], batch, 50, input=30, hidden=40, lengths=lengths)
    own = [torch.profiler.ProfilerActivity.CPU]
    with torch.no_grad():
        CPU.run(call)
        with torch.profiler.profile(activities=own, profile_memory=True) as seen:
            outputs = flat(CPU.run(call))
    asked = sum(max(event.self_cpu_memory_usage, 0) for event in seen.events())
    assert sum(t.nbytes for t in outputs) <= asked <= sum(t.nbytes + 64 for t in outputs)
    assert lent() == 0


@pytest.mark.parametrize("memory", ["keep", "recompute"])
def test_memory_comes_back_with_the_backward_pass(lent, memory):
    call = drawn(CELLS["lstm"], 3, 50, hidden=20)._replace(memory=memory)
    outputs = flat(CPU.run(call))
    assert lent() > 0
    loss = uneven(outputs)
    loss.backward(retain_graph=True)
    assert lent() > 0
    loss.backward()
    # The user may hold the outputs and the loss for long.
    assert lent() == 0


def test_memory_comes_back_with_a_graph_that_is_dropped(lent):
    outputs = flat(CPU.run(drawn(CELLS["lstm"], 3, 50, hidden=20)))
    assert lent() > 0
    del outputs
    assert lent() == 0


def test_a_checkpointed_layer_keeps_nothing_and_is_the_same(lent):
    call = drawn(CELLS["gru"], 3, 20)
    y = checkpoint(lambda x: CPU.run(call._replace(x=x))[0], call.x, use_reentrant=False)
    assert lent() == 0
    found = torch.autograd.grad(y.square().sum(), leaves(call))
    want = torch.autograd.grad(REFERENCE.run(call)[0].square().sum(), leaves(call))
    assert_near(found, want, 1e-12)
    del y
    assert lent() == 0


def test_saved_tensors_may_be_stored_elsewhere():
    call = drawn(CELLS["lstm"], 3, 5)
    call = call._replace(x=call.x.detach().transpose(0, 1).contiguous().transpose(0, 1))
    call.x.requires_grad_()
    want = run(call, REFERENCE)[1]

    def pack(tensor):
        return tensor.detach().contiguous().clone()

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        outputs = flat(CPU.run(call))
    assert_near(gradients(call, outputs), want, 1e-12)


def test_weights_may_be_called_like_what_the_engine_has_itself():
    names = ("x", "y", "dx", "dy", "sums", "arena", "kept", "frame", "start", "first")
    kinds = {"a": "gate", "h": "state"} | dict.fromkeys(names, "weight")
    a, h, *weights = map(var, kinds)
    new = tanh(a + sum(weights[::2]) * h + sum(weights[1::2]))
    agree(drawn(Cell("named", tuple(map(Port, kinds, kinds.values())), (new,)), 2, 3))


def test_tensors_whose_sign_is_still_to_be_turned():
    pairs = torch.randn(2, 3, 1, 2, dtype=torch.float64)
    x = torch.view_as_complex(pairs).conj().imag
    assert x.is_neg()
    call = drawn(CELLS["lstm"], 2, 3, 1)
    results = (run(call._replace(x=t))[0] for t in (x, -pairs[..., 1]))
    assert_near(*results, 1e-15)


@pytest.mark.parametrize("names", ["xy", "yx"])
@pytest.mark.parametrize("applied", [False, True])
def test_states_may_be_called_like_what_the_engine_has_itself(names, applied):
    first, second = names
    kinds = {"a": "gate", "n": "from_state", first: "state", second: "state"}
    a, n, p, q = map(var, kinds)
    product = Expr("product", (q,), "n") if applied else n
    outputs = (tanh(a + 0.5 * q * product), 0.5 * q + 0.2 * tanh(a + p))
    agree(drawn(Cell("named", tuple(map(Port, kinds, kinds.values())), outputs), 2, 3))
