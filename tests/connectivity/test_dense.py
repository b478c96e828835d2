"""The dense connectivity as a value, and by its product."""

import pytest
import torch

from gatewise import InputError
from gatewise.connectivity import Dense, from_key


def test_it_is_a_value_with_a_name():
    for value in (Dense(), Dense(proj_size=3)):
        assert from_key(value.key) == value
        assert hash(from_key(value.key)) == hash(value)


@pytest.mark.parametrize("key", ["dense", "dense:x", "sparse:3"])
def test_unknown_names_are_refused(key):
    with pytest.raises(InputError, match="is not known"):
        from_key(key)


@pytest.mark.parametrize("size", [-1, 1.0, "3"])
def test_sizes_are_whole(size):
    with pytest.raises(InputError, match="proj_size="):
        Dense(size)


def test_products():
    h, u, b = torch.randn(2, 3), torch.randn(8, 3), torch.randn(8)
    torch.testing.assert_close(Dense().product(h, u, b), h @ u.T + b)
    torch.testing.assert_close(Dense().product(h, u, None), h @ u.T)
    assert Dense().project(h, {}) is h
    p = torch.randn(2, 3)
    torch.testing.assert_close(Dense(2).project(h, {"weight_hr": p}), h @ p.T)
