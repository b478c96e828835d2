from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from gatewise.evaluation.ngram import NGrams, compressed


def text(count=400, size=9, seed=0):
    chance = np.random.default_rng(seed)
    steps = chance.choice(4, count, p=[0.6, 0.2, 0.1, 0.1])
    return (4 + np.cumsum(steps) % (size - 4)).astype(np.uint16)


class BruteForce:
    """Modified Kneser-Ney, transcribed from Chen & Goodman 1999, with dictionaries."""

    def __init__(self, tokens, size, order):
        tokens = [int(t) for t in tokens]
        grams = {
            m: [tuple(tokens[i : i + m]) for i in range(len(tokens) - m + 1)]
            for m in range(1, order + 2)
        }
        self.size, self.order = size, order
        self.counts = {order: Counter(grams[order])}
        for m in range(1, order):
            self.counts[m] = Counter(gram[1:] for gram in set(grams[m + 1]))
        self.discounts = {m: self._discounts(c) for m, c in self.counts.items()}
        self.after = {m: defaultdict(Counter) for m in self.counts}
        for m, counts in self.counts.items():
            for gram, count in counts.items():
                self.after[m][gram[:-1]][gram[-1]] = count

    def _discounts(self, counts):
        n = [0] + [sum(c == k for c in counts.values()) for k in (1, 2, 3, 4)]
        if not all(n[1:]):
            return [0, 0.5, 0.75, 0.75]
        y = n[1] / (n[1] + 2 * n[2])
        return [0] + [min(max(k - (k + 1) * y * n[k + 1] / n[k], 0), k) for k in (1, 2, 3)]

    def p(self, history, token, m=None):
        m = self.order if m is None else m
        if m == 0:
            return 1 / self.size
        context = tuple(history[len(history) - m + 1 :])
        if m - 1 > len(history) or context not in self.after[m]:
            return self.p(history, token, m - 1)
        follows = self.after[m][context]
        taken = self.discounts[m]
        total = sum(follows.values())
        count = follows[token]
        rest = sum(taken[min(c, 3)] for c in follows.values()) / total
        own = max(count - taken[min(count, 3)], 0) / total
        return own + rest * self.p(history, token, m - 1)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_it_is_kneser_ney_written_out(order):
    train, test = text(), text(60, seed=1)
    found = NGrams.fit(train, 9, order).nats(test, start=1)
    other = BruteForce(train, 9, order)
    test = [int(t) for t in test]
    wanted = [-math.log(other.p(test[:i], test[i])) for i in range(1, len(test))]
    assert np.allclose(found, wanted, atol=1e-5)


def test_probabilities_sum_to_one():
    counts = NGrams.fit(text(), 9)
    history = text(7, seed=3)
    rows = [np.append(history, np.uint16(t)) for t in range(9)]
    total = sum(math.exp(-counts.nats(row, len(history))[0]) for row in rows)
    assert total == pytest.approx(1.0, abs=1e-5)


def test_it_is_the_same_after_a_save_and_starts_anywhere():
    counts = NGrams.fit(text(), 9)
    again = NGrams.restored(counts.state(), 9)
    test = text(50, seed=2)
    assert np.array_equal(again.nats(test, 20), counts.nats(test, 20))
    assert np.array_equal(counts.nats(test, 0)[20:], counts.nats(test, 20))
    assert np.array_equal(again.unigram_nats(test, 3), counts.unigram_nats(test, 3))


def test_a_text_shorter_than_a_gram_is_counted_as_far_as_it_goes():
    assert NGrams.fit(np.array([4, 5], np.uint8), 9).nats(np.array([4, 5, 4]), 0).shape == (3,)


def test_compressors_find_repetition():
    chance = np.random.default_rng(0).bytes(2000)
    assert compressed(chance)["xz"] > 2000 * 8
    assert compressed(b"ab" * 1000)["gzip"] < 1000


def test_means_are_those_of_all_tokens_whatever_the_parts(monkeypatch):
    tokens = text(300)
    counts = NGrams.fit(tokens[:200], size=9)
    monkeypatch.setattr("gatewise.evaluation.ngram.PART", 7)
    for start in (1, 3, 200):
        found = counts.means(tokens, start)
        assert found["5-gram"] == pytest.approx(counts.nats(tokens, start).mean(), rel=1e-6)
        assert found["unigram"] == pytest.approx(counts.unigram_nats(tokens, start).mean())
