"""Pictures of attention."""

import numpy as np

from gatewise.inspection.alignment import MOST, alignment_chart


def test_each_weight_that_counts_is_a_cell():
    weights = np.array([[1.0, 0.0], [0.3, 0.7], [0.01, 0.99]])
    drawn = alignment_chart(["Hund", "<b>"], ["a", "dog", "Ġruns"], weights, "one")
    cells = drawn.count("opacity")
    assert cells >= 2
    assert "␣runs" in drawn
    assert "&lt;b&gt;" in drawn
    assert "<b>" not in drawn
    assert 'aria-label="Where' in drawn


def test_long_sentences_are_cut():
    tokens = [f"t{i}" for i in range(MOST + 5)]
    drawn = alignment_chart(tokens, tokens, np.eye(len(tokens)), "long")
    assert f">t{MOST - 1}<" in drawn
    assert f">t{MOST}<" not in drawn
