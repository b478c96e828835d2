"""What every connectivity owes to every cell, on every engine: the paper's values and slopes."""

import copy
import pickle

import pytest
import torch

from gatewise import InputError
from gatewise.connectivity import from_key
from gatewise.engines import ENGINES
from gatewise.nn import Recurrent

from ..engines.cpu.calls import assert_near
from .layers import (
    CELLS,
    CONNECTIVITIES,
    EXAMPLES,
    HIDDEN,
    KINDS,
    able,
    answer,
    cases,
    classes,
    every,
    given_to,
    layer_of,
    takes,
)
from .papers import by_the_paper, slope

PAIRS = every(CONNECTIVITIES)
VALUES = {
    name: make(HIDDEN) for name, make in CONNECTIVITIES.items() if not isinstance(make(HIDDEN), str)
}


def test_every_class_has_an_example():
    assert classes().keys() | {"diagonal"} == EXAMPLES.keys()
    for name, value in VALUES.items():
        assert type(value).__name__ == name.partition("_")[0]


def test_no_cell_is_left_out_but_for_a_reason():
    for cell in CELLS:
        refused = {kind for kind in CONNECTIVITIES if not takes(cell, kind)}
        assert refused <= {"Dense_1", "diagonal"}
        assert ("diagonal" in refused) == (not CELLS[cell].state_rows)
        for kind in refused:
            with pytest.raises(InputError, match=cell):
                Recurrent(cell, 3, HIDDEN, **KINDS[kind](HIDDEN))
    assert takes("lstm", "Dense_1")


@pytest.mark.parametrize("kind", VALUES)
class TestEveryConnectivity:
    def test_is_a_value_with_a_key(self, kind):
        value = VALUES[kind]
        for again in (from_key(value.key), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
            assert again == value
            assert hash(again) == hash(value)
            assert again.parameters(4, HIDDEN) == value.parameters(4, HIDDEN)
        assert value.expanded.expanded == value.expanded

    def test_expands_to_what_engines_know(self, kind):
        value, other = VALUES[kind], torch.randn(2)
        own = {n: torch.randn(s).double() for n, s in value.parameters(4, HIDDEN).items()}
        constants = value.constants(4, HIDDEN)
        found = value.expand(own | constants | {"other": other}, 4, HIDDEN)
        assert found.pop("other") is other
        shapes = {name: tuple(weight.shape) for name, weight in found.items()}
        assert shapes == value.expanded.parameters(4, HIDDEN)
        assert all(weight.dtype == torch.float64 for weight in found.values())
        h, bias = torch.randn(2, value.output_size(HIDDEN)).double(), torch.randn(4 * HIDDEN)
        rows = h @ found["weight_hh"].T + bias
        torch.testing.assert_close(value.product(h, found["weight_hh"], bias.double()), rows)
        assert value.expand({"other": other}, 0, HIDDEN).keys() == {"other"}

    def test_starts_all_weights(self, kind):
        value, gates = VALUES[kind], []
        own = {n: torch.full(s, torch.nan) for n, s in value.parameters(4, HIDDEN).items()}

        def fill(gate, matrix, factor):
            gates.append(gate)
            matrix.copy_(torch.randn(matrix.shape) * factor)

        value.initialize(own, 4, HIDDEN, fill)
        assert sorted(set(gates)) == [0, 1, 2, 3]
        for name, weight in own.items():
            assert name == "weight_hr" or (weight.isfinite().all() and weight.any())


def test_every_engine_runs_something():
    found = {e for _, kind in PAIRS if _ == "lstm" for e in able(*called("lstm", kind))}
    assert found == {engine.name for engine in ENGINES}


def called(cell, kind, dtype=torch.float64):
    layer = layer_of(cell, kind, dtype)
    return layer, given_to(layer)


def as_rounded(part, cell, kind, exact):
    """The worst that float32 makes of the reference, or of what goes into it.

    A clock that opens in a twentieth of its period makes forty times as much of a rounding.
    """
    found = [answer(*called(cell, kind, torch.float32), "reference")[part]]
    for seed in range(12):
        layer, given = called(cell, kind)
        draw = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for leaf in (*given.leaves, *layer.parameters()):
                leaf.mul_(1 + (torch.rand(leaf.shape, generator=draw) - 0.5) * 2**-23)
        found.append(answer(layer, given, "reference")[part])
    return [
        max(several, key=lambda t: float((t.double() - right).abs().max()))
        for *several, right in zip(*found, exact, strict=True)
    ]


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")
@cases(PAIRS)
def test_values_and_gradients_are_those_of_the_papers(cell, kind):
    layer, given = called(cell, kind)
    want = by_the_paper(cell, layer, given)
    _, slopes = answer(layer, given, "reference")
    draw = torch.Generator().manual_seed(5)
    along = [torch.randn(t.shape, generator=draw, dtype=t.dtype) for t in slopes]
    total = sum((a * g).sum() for a, g in zip(along, slopes, strict=True))
    assert float(total) == pytest.approx(slope(cell, layer, given, along), rel=1e-6)
    layer, given = called(cell, kind)
    for engine in able(layer, given):
        outputs, found = answer(layer, given, engine)
        assert_near(outputs, want, 1e-12)
        assert_near(found, slopes, 1e-12)
    layer, given = called(cell, kind, torch.float32)
    for engine in able(layer, given):
        outputs, found = answer(layer, given, engine)
        assert_near(outputs, want, 2e-6, lambda: as_rounded(0, cell, kind, want))
        assert_near(found, slopes, 1e-5, lambda: as_rounded(1, cell, kind, slopes))
