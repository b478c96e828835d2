"""Figures of tags against published values and the words of the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.evaluation.tags import (
    Span,
    confusion,
    per_tag,
    segment_overlap,
    span_scores,
    spans,
    token_accuracy,
    unseen_accuracy,
)

PUBLISHED = {
    "CHCHCHCHCHCC": 0.125,
    "CHHHCHHHCHHC": 0.406,
    "CHHCCHHHHHCC": 0.523,
    "CCCHHHHCCCCC": 0.544,
    "CCCHHHHHCCCC": 0.632,
    "CCCHHHHHHCCC": 0.806,
    "CCCHHHHHHHCC": 0.903,
    "CCCHHHHHHHHC": 0.944,
}
"""SOV'99 of predictions for CHHHHHHHHHHC: Liu & Wang 2018, table 1
(https://doi.org/10.1186/s13029-018-0068-7)."""


@pytest.mark.parametrize("found", PUBLISHED)
def test_segment_overlap_is_the_published_one(found):
    assert segment_overlap("CHHHHHHHHHHC", found) == pytest.approx(PUBLISHED[found], abs=6e-4)


@settings(deadline=None)
@given(st.text("HEC", min_size=1, max_size=30))
def test_segment_overlap_of_what_is_right_is_1(states):
    assert segment_overlap(states, states) == pytest.approx(1.0)


def test_spans_of_every_scheme():
    assert spans(["B-X", "I-X", "O", "B-X"]) == [Span("X", 0, 2), Span("X", 3, 4)]
    assert spans(["I-X", "I-X", "B-X", "I-Y"]) == [
        Span("X", 0, 2),
        Span("X", 2, 3),
        Span("Y", 3, 4),
    ]
    assert spans(["S-X", "B-X", "E-X", "I-X"]) == [
        Span("X", 0, 1),
        Span("X", 1, 3),
        Span("X", 3, 4),
    ]
    assert spans(["B", "I", "O", None, "I"]) == [Span("", 0, 2), Span("", 4, 5)]
    assert spans([]) == []


def test_span_scores_by_hand():
    true = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG"]]
    found = [["B-PER", "I-PER", "O", "B-ORG"], ["O", "B-ORG"]]
    table = span_scores(true, found)
    assert table["all"] == pytest.approx(
        {"precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "spans": 3}
    )
    assert table["LOC"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "spans": 1}
    assert table["ORG"] == pytest.approx({"precision": 0.5, "recall": 1.0, "f1": 2 / 3, "spans": 1})


TAGS = st.sampled_from(["O", *(f"{p}-{k}" for p in "BIES" for k in ("X", "Y"))])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=9), min_size=1, max_size=4))
def test_spans_are_seqevals(pairs):
    seqeval = pytest.importorskip("seqeval.metrics")
    true = [[a for a, _ in sequence] for sequence in pairs]
    found = [[b for _, b in sequence] for sequence in pairs]
    flat = seqeval.sequence_labeling.get_entities
    for tags in [*true, *found]:
        assert [(s.kind, s.start, s.end - 1) for s in spans(tags)] == flat(tags)


def test_tokens():
    true, found = [["A", None, "B"], ["B"]], [["A", "A", "A"], ["B"]]
    assert token_accuracy(true, found) == pytest.approx(2 / 3)
    assert confusion(true, found, ["A", "B"]).tolist() == [[1, 0], [1, 1]]
    assert per_tag(true, found)["A"] == pytest.approx(
        {"precision": 0.5, "recall": 1.0, "f1": 2 / 3, "tokens": 1}
    )
    tokens = [["a", "b", "c"], ["c"]]
    assert unseen_accuracy(true, found, tokens, {"a": 0}) == 0.5
    assert np.isnan(unseen_accuracy(true, found, tokens, dict.fromkeys("abc")))
    assert np.isnan(token_accuracy([[None]], [["A"]]))
