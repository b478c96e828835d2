"""Each cell against its transcription from the paper, and against torch's own modules."""

import numpy as np
import pytest
import torch

from gatewise.cells import by_name, every_cell
from gatewise.compiler import step_source, vjp_source
from gatewise.errors import InputError

from . import oracles
from .stepping import HIDDEN, INPUT, load, random_case, run_cell, run_oracle

CELLS = every_cell()


def tensors(case, grad=False):
    return {name: torch.tensor(value, requires_grad=grad) for name, value in case.items()}


@pytest.mark.parametrize("name", CELLS)
def test_values_are_the_papers(name):
    cell, case = CELLS[name], random_case(CELLS[name])
    expected = run_oracle(getattr(oracles, name), cell, case)
    np.testing.assert_allclose(run_cell(cell, tensors(case)).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_gradients_are_the_papers(name):
    """Autograd through the emitted text against central differences of the transcription."""
    cell, case = CELLS[name], random_case(CELLS[name], seed=1)
    oracle = getattr(oracles, name)
    weighing = np.random.default_rng(2).normal(size=run_oracle(oracle, cell, case).shape)
    leaves = tensors(case, grad=True)
    (run_cell(cell, leaves) * torch.tensor(weighing)).sum().backward()
    step = 1e-6
    for key, array in case.items():
        expected = np.empty_like(array)
        for place in np.ndindex(array.shape):
            ends = []
            for sign in (1, -1):
                moved = array.copy()
                moved[place] += sign * step
                ends.append((run_oracle(oracle, cell, case | {key: moved}) * weighing).sum())
            expected[place] = (ends[0] - ends[1]) / (2 * step)
        actual = leaves[key].grad.numpy()
        np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-8, err_msg=str(key))


@pytest.mark.parametrize("name", CELLS)
def test_emitted_backward_is_the_gradient_of_the_emitted_forward(name):
    cell = CELLS[name]
    forward, backward = load(step_source(cell)), load(vjp_source(cell))
    draw = torch.Generator().manual_seed(3)
    for k, stage in enumerate(cell.stages):
        reads = [
            torch.randn(4, 3, generator=draw, dtype=torch.float64, requires_grad=True)
            for _ in stage.reads
        ]
        outputs = forward[f"stage_{k}"](*reads)
        cotangents = [torch.randn(4, 3, generator=draw, dtype=torch.float64) for _ in outputs]
        learned = {n: r for n, r in zip(stage.reads, reads, strict=True) if n not in cell.noises}
        expected = torch.autograd.grad(outputs, list(learned.values()), cotangents)
        actual = backward[f"stage_{k}_vjp"](*reads, *cotangents)
        for value, reference, read in zip(actual, expected, learned, strict=True):
            torch.testing.assert_close(value, reference, rtol=1e-12, atol=1e-14, msg=read)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("elman", torch.nn.RNN),
        ("elman_relu", lambda *sizes: torch.nn.RNN(*sizes, nonlinearity="relu")),
        ("gru", torch.nn.GRU),
        ("lstm", torch.nn.LSTM),
    ],
)
def test_row_blocks_are_in_the_order_of_torch(name, module):
    cell, case = CELLS[name], tensors(random_case(CELLS[name], seed=4))
    layer = module(INPUT, HIDDEN).double()
    halves = zip(cell.input_rows, cell.state_rows, strict=True)
    blocks = zip(
        halves,
        *(w.detach().split(HIDDEN) for w in (layer.weight_ih_l0, layer.weight_hh_l0)),
        *(b.detach().split(HIDDEN) for b in (layer.bias_ih_l0, layer.bias_hh_l0)),
        strict=True,
    )
    for (row, recurrent), w, u, b, c in blocks:
        case |= {("W", row): w, ("U", recurrent): u}
        case |= {("b", row): b + c} if row == recurrent else {("b", row): b, ("b", recurrent): c}
    x = torch.stack([case["x", t] for t in range(3)])
    old = tuple(case["old", s][None] for s in cell.states)
    expected, _ = layer(x, old if len(old) > 1 else old[0])
    actual = run_cell(cell, case)[:: len(cell.states)]
    torch.testing.assert_close(actual, expected, rtol=1e-12, atol=1e-14)


def test_forget_gates_start_open():
    assert all(c.bias in ({}, {"f": 1.0}, {"f_x": 1.0}) for c in CELLS.values())
    assert [n for n, c in CELLS.items() if c.bias] == [
        "cifg", "coupled_lstm", "fgr", "grid_lstm", "janet", "lstm", "multiplicative_lstm", "niaf",
        "nig", "noaf", "nog", "peephole_lstm", "phased_lstm", "slstm", "slstm_max",
        "time_aware_lstm",
    ]  # fmt: skip


def test_lookup_offers_the_nearest_name():
    assert by_name("gru") is CELLS["gru"]
    with pytest.raises(InputError, match="no cell 'lsmt': did you mean 'lstm'"):
        by_name("lsmt")
