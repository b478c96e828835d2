from __future__ import annotations

import numpy as np

from benchmarks.dialogue import figures, pairs, split
from gatewise.data.dialogue.turns import Conversations


def made(*threads):
    return Conversations(threads, tuple("" for _ in threads))


TOPICS = {
    name: made((f"{name} {i}?", f"{name} {i}."), ("Hello", f"{name}!"))
    for i, name in enumerate("abcdefg")
}


def topics_in(part):
    return {turn[0] for thread in part.threads for turn in thread if "Hello" not in turn}


def test_every_third_topic_is_tested_on_and_never_learned():
    train, test = split(TOPICS)
    assert topics_in(test) == {"a", "d", "g"}
    assert topics_in(train) == {"b", "c", "e", "f"}


def test_settings_are_chosen_on_topics_that_are_not_tested_on():
    parts = [split(TOPICS, holdout) for holdout in range(3)]
    assert set().union(*(topics_in(test) for _, test in parts)) == {"b", "c", "e", "f"}
    for train, test in parts:
        assert not topics_in(train) & topics_in(test)
        assert not (topics_in(train) | topics_in(test)) & {"a", "d", "g"}


def test_pairs_are_there_once_with_what_was_said_before():
    contexts, replies = pairs(made(("a", "b", "c"), ("a", "b"), ("x", "b", "c")))
    assert contexts == [("a",), ("a", "b"), ("x",)]
    assert replies == ["b", "c", "b"]


def test_figures_are_means_over_draws():
    scores = np.array([[2.0, 1.0, 3.0], [0.0, 5.0, 1.0]])
    sets = [np.array([[0, 1], [1, 0]]), np.array([[0, 2], [1, 2]])]
    assert figures(scores, sets)["recall_at_1"] == 0.75
