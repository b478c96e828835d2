"""What every layer in the place of one of torch's owes: packed sequences, on every engine."""

import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_sequence, unpack_sequence

import gatewise
from gatewise import nn
from gatewise.engines import ENGINES
from gatewise.nn.layers.drop_in import DropIn

from ..engines.cpu.calls import uneven
from .layers import same

NAMED = {name: getattr(nn, name) for name in nn.__all__}
DROP_INS = [n for n, v in NAMED.items() if inspect.isclass(v) and issubclass(v, DropIn)]


def trained(layer, sequences, run):
    """Outputs of each sequence, and gradients of an uneven sum of them."""
    ys = run(layer, sequences)
    return [y.detach() for y in ys], torch.autograd.grad(
        uneven(ys), [*sequences, *layer.parameters()]
    )


def one_by_one(layer, sequences):
    return [layer(x)[0] for x in sequences]


def packed(layer, sequences):
    return unpack_sequence(layer(pack_sequence(sequences, enforce_sorted=False))[0])


@pytest.mark.parametrize("engine", [engine.name for engine in ENGINES])
@pytest.mark.parametrize("name", DROP_INS)
@settings(max_examples=6, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4), bidirectional=st.booleans(),
    num_layers=st.integers(1, 2), hidden=st.integers(1, 9), double=st.booleans(),
)  # fmt: skip
def test_packed_is_one_by_one(name, engine, lengths, bidirectional, num_layers, hidden, double):
    torch.manual_seed(hidden)
    layer = NAMED[name](3, hidden, num_layers, bidirectional=bidirectional)
    layer = layer.to(torch.float64 if double else torch.float32)
    dtype = next(layer.parameters()).dtype
    sequences = [torch.randn(n, 3, dtype=dtype, requires_grad=True) for n in lengths]
    with gatewise.engine("reference"):
        want = trained(layer, sequences, one_by_one)
    with gatewise.engine(engine):
        found = trained(layer, sequences, packed)
    for mine, right in zip(found, want, strict=True):
        same(mine, right, 1e-12 if double else 1e-5)


def test_there_are_some():
    assert {"LSTM", "GRU"} <= set(DROP_INS)
