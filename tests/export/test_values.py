from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.cells import gru, lstm
from gatewise.compiler import Cell
from gatewise.errors import InputError
from gatewise.export import decode, encode, is_spec, specs_of
from gatewise.train import Trainer


@dataclass(frozen=True)
class Inner:
    cell: Cell = lstm
    sizes: tuple[int, ...] = (1, 2)


@dataclass(frozen=True)
class Outer:
    inner: Inner | None = None
    more: dict[str, Inner] = field(default_factory=dict)


def takes(first: Outer | Trainer, *, second: list[Inner] | None = None, third: int = 3):
    """Stand for a constructor."""


def there_and_back(value: Any, specs=None) -> Any:
    return decode(json.loads(json.dumps(encode(value), allow_nan=False)), specs)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers() | st.just("$"), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None)
@given(plain)
def test_plain_values_come_back_as_they_were(value):
    back = there_and_back(value)
    assert back == value
    assert repr(back) == repr(value)


def test_not_a_number_comes_back():
    assert math.isnan(there_and_back([math.nan])[0])


def test_numpys_scalars_become_pythons():
    assert there_and_back((np.float32(0.5), np.int64(3), np.bool_(True))) == (0.5, 3, True)


def test_specs_and_cells_come_back():
    specs = specs_of(takes)
    assert set(specs) == {"Outer", "Inner", "Trainer"}
    value = (Outer(Inner(gru), {"a": Inner(sizes=(5,))}), Trainer(lr=0.1, betas=(0.5, 0.6)))
    assert there_and_back(value, specs) == value


def test_nothing_else_can_be_made():
    with pytest.raises(InputError, match="holds a Inner, unknown here"):
        there_and_back(Inner())
    held = encode(Trainer())
    held["fields"]["learning_rate"] = 1
    with pytest.raises(InputError, match="a field 'learning_rate', unknown here"):
        decode(held, specs_of(takes))
    with pytest.raises(InputError, match="unknown kind 'call'"):
        decode({"$": "call", "name": "os.system"})


def test_what_cannot_be_saved_is_named():
    with pytest.raises(InputError, match=r"Model: rate\.a\[1\] is a function, which a saved"):
        encode({"a": [1, test_nothing_else_can_be_made]}, "Model: rate")


def test_a_cell_and_a_class_are_no_specs():
    assert is_spec(Trainer())
    assert not is_spec(lstm)
    assert not is_spec(Trainer)
