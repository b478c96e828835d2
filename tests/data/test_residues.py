"""The table of amino acids against biotite's."""

from __future__ import annotations

import numpy as np
import pytest

from gatewise.data.tagging.residues import LETTERS, blosum62, substitutes


def test_the_table_is_biotites():
    align = pytest.importorskip("biotite.sequence.align")
    matrix = align.SubstitutionMatrix.std_protein_matrix()
    order = [matrix.get_alphabet1().get_symbols().index(letter) for letter in LETTERS]
    assert np.array_equal(blosum62(), matrix.score_matrix()[np.ix_(order, order)])


def test_substitutes_are_probabilities():
    chances = substitutes(dict.fromkeys(LETTERS, 1.0))
    for letter, row in chances.items():
        assert sum(row.values()) == pytest.approx(1.0)
        assert max(row, key=lambda other, row=row: row[other]) == letter
