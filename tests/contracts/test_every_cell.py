"""What every cell of the package owes: an export, a file, an oracle, a paper, and to be data."""

import copy
import json
import pickle
import re

import pytest

import gatewise.cells
from gatewise.cells import every_cell
from gatewise.compiler import Cell, equations, step_source, vjp_source

from ..cells import oracles

CELLS = every_cell()


@pytest.mark.parametrize("name", CELLS)
class TestEveryCell:
    def test_is_exported_from_a_file_of_its_name(self, name):
        assert getattr(gatewise.cells, name) == CELLS[name]
        assert gatewise.cells._NAMES[name] == f"._{name}"

    def test_has_an_oracle(self, name):
        assert callable(getattr(oracles, name))

    def test_names_its_paper(self, name):
        first, _, rest = CELLS[name].doc.partition("\n")
        assert first.endswith(".")
        assert re.search(r"\b(19|20)\d\d \(https://", " ".join(rest.split()))

    def test_says_when_to_use_it(self, name):
        paragraphs = [p for p in CELLS[name].doc.split("\n\n") if p.startswith("Use it ")]
        assert paragraphs == CELLS[name].doc.split("\n\n")[-1:]

    def test_survives_as_data(self, name):
        cell = CELLS[name]
        again = Cell.from_dict(json.loads(json.dumps(cell.to_dict())))
        assert again == cell
        assert hash(again) == hash(cell)
        assert again.key == cell.key
        assert again.doc == cell.doc
        assert Cell.from_key(cell.key) == cell
        assert copy.deepcopy(cell) == pickle.loads(pickle.dumps(cell)) == cell

    def test_text_of_the_copy_is_the_same(self, name):
        again = Cell.from_key(CELLS[name].key)
        for emit in (step_source, vjp_source, equations):
            assert emit(again) == emit(CELLS[name])


def test_no_two_cells_share_a_key():
    assert len({cell.key for cell in CELLS.values()}) == len(CELLS)
