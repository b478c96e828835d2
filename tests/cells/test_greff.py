"""The family of Greff et al. 2017: each variant is the vanilla LSTM with its one change."""

import pytest
import torch

from gatewise.cells import GREFF, coupled_lstm, lstm
from gatewise.connectivity import Dense
from gatewise.engines import ENGINES, Call, parameters, state_sizes

INPUT, HIDDEN = 3, 4
ONE_GATE = HIDDEN * INPUT + HIDDEN**2 + 2 * HIDDEN
VANILLA = 4 * (HIDDEN * INPUT + HIDDEN**2 + HIDDEN) + 3 * HIDDEN
COUNTS = {
    "V": VANILLA,
    "NIG": VANILLA - ONE_GATE,
    "NFG": VANILLA - ONE_GATE,
    "NOG": VANILLA - ONE_GATE,
    "NIAF": VANILLA,
    "NOAF": VANILLA,
    "CIFG": VANILLA - ONE_GATE,
    "NP": VANILLA - 3 * HIDDEN,
    "FGR": VANILLA + 9 * HIDDEN**2,
}


def test_all_nine_are_there():
    assert GREFF.keys() == COUNTS.keys()
    with pytest.raises(TypeError):
        GREFF["V"] = lstm  # pyright: ignore


@pytest.mark.parametrize("name", COUNTS)
def test_weights_are_as_many_as_in_the_paper(name):
    cell = GREFF[name]
    shapes = parameters(cell, Dense(), INPUT, HIDDEN)
    # The paper has one bias where torch has two, and none for what gates see of gates.
    counted = [shape for name, shape in shapes.items() if name != "bias_hh"]
    assert sum(torch.Size(shape).numel() for shape in counted) == COUNTS[name]


def run(cell, weights, **changed):
    torch.manual_seed(0)
    shapes = parameters(cell, Dense(), INPUT, HIDDEN)
    drawn = {name: weights[name] for name in shapes} | changed
    x = torch.randn(2, 5, INPUT, dtype=torch.float64)
    state = tuple(
        torch.zeros(2, size, dtype=torch.float64) for size in state_sizes(cell, Dense(), HIDDEN)
    )
    return ENGINES[-1].run(Call(cell, Dense(), x, drawn, state))[0]


def drawn(cell):
    torch.manual_seed(1)
    shapes = parameters(cell, Dense(), INPUT, HIDDEN)
    return {name: torch.randn(shape, dtype=torch.float64) for name, shape in shapes.items()}


@pytest.mark.parametrize(("name", "plain"), [("V", lstm), ("CIFG", coupled_lstm)])
def test_without_peepholes_it_is_the_plain_one(name, plain):
    cell = GREFF[name]
    weights = drawn(cell)
    nothing = {peephole: torch.zeros(HIDDEN, dtype=torch.float64) for peephole in cell.weights}
    torch.testing.assert_close(run(cell, weights, **nothing), run(plain, weights))


@pytest.mark.parametrize("name", ["NIG", "NFG"])
def test_without_a_gate_it_is_the_vanilla_one_with_the_gate_open(name):
    cell, vanilla = GREFF[name], GREFF["V"]
    weights = drawn(vanilla)
    gone = {"NIG": "i", "NFG": "f"}[name]
    stays = [row not in gone for row in vanilla.input_rows for _ in range(HIDDEN)]
    kept = torch.tensor(stays)
    opened = dict(weights)
    opened["bias_ih"] = weights["bias_ih"].masked_fill(~kept, 1e3)
    fewer = {
        weight: value[kept] if len(value) == len(kept) else value
        for weight, value in weights.items()
    }
    torch.testing.assert_close(run(cell, fewer), run(vanilla, opened))
