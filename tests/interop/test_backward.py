"""`Backward`: beside the reversed half of a layer of both directions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import InputError
from gatewise.interop import Backward
from gatewise.nn import Recurrent


def pair(cell):
    """A layer of both directions, and its reversed half alone."""
    both = Recurrent(cell, 3, 4, bidirectional=True, merge=None, dtype=torch.float64)
    one = Recurrent(cell, 3, 4, dtype=torch.float64)
    held = both.state_dict()
    one.load_state_dict({name: held[f"{name}_reverse"] for name in one.state_dict()})
    return both, Backward(one)


@settings(max_examples=20, deadline=None)
@given(lengths=st.lists(st.integers(0, 5), min_size=0, max_size=4), named=st.booleans())
def test_it_is_the_reversed_half(lengths, named):
    torch.manual_seed(0)
    both, backward = pair("lstm")
    x = torch.randn(len(lengths), 5, 3, dtype=torch.float64)
    for row, length in zip(x, lengths, strict=True):
        row[length:] = float("nan")
    if not named:
        x, lengths = x.nan_to_num(), None
    (_, want), last = both(x, lengths=lengths)
    y, state = backward(x, lengths=lengths)
    torch.testing.assert_close(y, want)
    torch.testing.assert_close(tuple(state), tuple(s[1:] for s in last))


def test_gradients_of_what_is_past_the_end_are_zero():
    both, backward = pair("gru")
    x = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True)
    lengths = torch.tensor([3, 5])
    (_, want), _ = both(x, lengths=lengths)
    y, _ = backward(x, lengths=lengths)
    (expected,) = torch.autograd.grad(want.square().sum(), x)
    (got,) = torch.autograd.grad(y.square().sum(), x)
    torch.testing.assert_close(got, expected)
    assert not got[0, 3:].any()


def test_without_a_batch_and_with_a_state():
    both, backward = pair("lstm")
    x = torch.randn(5, 3, dtype=torch.float64)
    start = torch.randn(2, 1, 4, dtype=torch.float64)
    twice = start.repeat(1, 2, 1)
    for lengths in (None, [3]):
        (_, want), last = both(x, tuple(twice), lengths=lengths)
        y, state = backward(x, tuple(start), lengths=lengths)
        torch.testing.assert_close(y, want)
        torch.testing.assert_close(state.c, last.c[1:])


def test_wrong_input_is_one_sentence():
    with pytest.raises(InputError, match="both directions"):
        Backward(Recurrent("lstm", 3, 4, bidirectional=True))
    with pytest.raises(InputError, match="between 0 and the 5"):
        Backward(Recurrent("lstm", 3, 4))(torch.zeros(1, 5, 3), lengths=[6])
