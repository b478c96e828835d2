"""Data that is not a cell is refused, and nothing in it runs."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.cells import gru_reset_before, lstm
from gatewise.compiler import Cell, equations, step_source, vjp_source
from gatewise.errors import InputError

GOOD = lstm.to_dict()


def changed(**fields):
    return copy.deepcopy(GOOD) | fields


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "is a table, not list"),
        ({}, "has format None and this version reads 1"),
        (changed(format=2), "has format 2"),
        ({k: v for k, v in GOOD.items() if k != "nodes"}, "damaged .KeyError"),
        (changed(name="import os"), "'import os' .* cannot be a name"),
        (changed(name="class"), "cannot be a name"),
        (changed(name=3), "cannot be a name"),
        (changed(ports=[["h", "state"]]), "damaged"),
        (changed(ports=[*GOOD["ports"], ["h", "state", 0.0]]), "declares 'h' twice"),
        (changed(ports=[["h", "stat", 0.0]]), "kind 'stat': did you mean 'state'"),
        (changed(ports=[["f", "gate", "1"], ["h", "state", 0.0]]), "finite number, not '1'"),
        (changed(nodes=[["system", [], "rm"]]), "no operation of this version"),
        (changed(nodes=[["tanh", [], None]]), "no operation of this version"),
        (changed(nodes=[["tanh", [0], None]]), "refers to node 0, and there are 0"),
        (changed(nodes=[["var", [], 1.0]]), "value does not belong"),
        (changed(nodes=[["const", [], "one"]]), "damaged"),
        (changed(nodes=[["const", [], None]]), "damaged"),
        (changed(nodes=[["const", [], float("nan")]]), "finite"),
        (changed(nodes=[["var", [], "h"], ["neg", [0], "x"]]), "value does not belong"),
        (changed(nodes=[["var", [], "zz"]], outputs=[0, 0], labels=[]), "'zz' without declaring"),
        (changed(outputs=[0]), "declares 2 states .h, c. and returns 1"),
        (changed(outputs=[-1, 0]), "refers to node -1"),
        (changed(outputs=[True, 0]), "refers to node True"),
        (changed(labels=[["os.system()", 5]]), "cannot be a name"),
        (changed(labels=5), "damaged"),
        (changed(nodes=[["var", [], "h"]] * 10_001), "more than 10000"),
    ],
)
def test_damage_is_refused(data, sentence):
    with pytest.raises(InputError, match=sentence):
        Cell.from_dict(data)


def test_a_key_that_is_no_key_is_refused():
    with pytest.raises(InputError, match="key is damaged"):
        Cell.from_key("{")
    with pytest.raises(InputError, match="is a table"):
        Cell.from_key("[]")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 20) | st.floats() | st.sampled_from(["h", "var"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_damage_is_refused_or_gives_a_cell_that_works(data):
    damaged = json.loads(gru_reset_before.key)
    table = damaged[data.draw(st.sampled_from(["ports", "nodes", "outputs", "labels"]))]
    place = data.draw(st.integers(0, len(table) - 1))
    if isinstance(table[place], list) and data.draw(st.booleans()):
        table = table[place]
        place = data.draw(st.integers(0, len(table) - 1))
    table[place] = data.draw(JSON)
    try:
        cell = Cell.from_dict(damaged)
        texts = [step_source(cell), vjp_source(cell)]
    except InputError:
        return
    equations(cell)
    for text in texts:
        compile(text, "emitted", "exec")
