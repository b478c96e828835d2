from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.evaluation.dialogue import (
    candidate_sets,
    distinct,
    mean_reciprocal_rank,
    overlap,
    recall_at,
)
from gatewise.evaluation.tfidf import Index, Tfidf

SCORES = st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=4)


@given(SCORES, st.integers(1, 4))
def test_equal_scores_count_as_all_their_orders_do(scores, k):
    hits, inverse = [], []
    for row in scores:
        orders = [
            sorted(order, key=lambda i: -row[i]).index(0) + 1
            for order in itertools.permutations(range(len(row)))
        ]
        hits.append(np.mean([rank <= k for rank in orders]))
        inverse.append(np.mean([1 / rank for rank in orders]))
    assert recall_at(scores, k) == pytest.approx(np.mean(hits))
    assert mean_reciprocal_rank(scores) == pytest.approx(np.mean(inverse))


def test_distinct_counts_runs_of_words():
    replies = [["i", "see", "you"], ["i", "see"]]
    assert distinct(replies, 1) == 3 / 5
    assert distinct(replies, 2) == 2 / 5
    assert distinct([], 1) == 0


def test_overlap_counts_repeats():
    assert overlap(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx(2 / 3)
    assert overlap([], []) == 0


@given(st.integers(0, 5), st.integers(1, 4))
def test_candidates_are_wrong_and_differ(seed, others):
    prompts = ["p", "p", "q", "r", "s", "t"]
    replies = ["a", "b", "a", "c", "d", "e"]
    pool = {"p": {"a", "b"}, "q": {"a"}, "r": {"c"}, "s": {"d"}, "t": {"e"}}
    sets = candidate_sets(prompts, replies, pool, others, seed)
    for row, prompt in zip(sets, prompts, strict=True):
        right, *wrong = [replies[i] for i in row]
        assert right in pool[prompt]
        assert not set(wrong) & pool[prompt]
        assert len(set(wrong)) == len(wrong)


def test_tfidf_is_scikit_learns_for_words_that_were_seen():
    text = pytest.importorskip("sklearn.feature_extraction.text")
    texts = ["The cat sat.", "the dog sat on the mat", "a cat, a dog"]
    theirs = text.TfidfVectorizer(token_pattern=r"\w+").fit(texts)
    queries = ["cat cat on the mat", "sat a", "DOG"]
    expected = (theirs.transform(queries) @ theirs.transform(texts).T).toarray()
    assert np.allclose(Tfidf().fit(texts).similarity(queries, texts), expected)


def test_pieces_are_scikit_learns_too():
    text = pytest.importorskip("sklearn.feature_extraction.text")
    texts = ["cats sit", "a catalogue", "dogs"]

    def split(text):
        return [w[i : i + n] for w in map("<{}>".format, text.lower().split()) for n in (3, 4)
                for i in range(len(w) - n + 1)]  # fmt: skip

    theirs = text.TfidfVectorizer(analyzer=split).fit(texts)
    expected = (theirs.transform(["cats"]) @ theirs.transform(texts).T).toarray()
    assert np.allclose(Tfidf("pieces").fit(texts).similarity(["cats"], texts), expected)


def test_an_index_finds_the_nearest_and_nothing_in_nothing():
    tfidf = Tfidf().fit(["a b", "c"])
    assert Index(tfidf, ["a b", "c"]).nearest("c c") == (1, pytest.approx(1.0))
    assert Index(tfidf, ["a b", ""]).similarity(["", "z"]).tolist() == [[0, 0], [0, 0]]
    again = Tfidf.restored(tfidf.state())
    assert again.vector("a z") == tfidf.vector("a z")
