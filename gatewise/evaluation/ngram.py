"""What counting gets out of a text: unigrams, a smoothed 5-gram, general compressors."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORDER = 5

PART = 1 << 20
"""Tokens that are looked up at a time."""


@dataclass(frozen=True)
class _Level:
    """Grams of one order by the hash of their tokens, and the contexts that they continue.

    Attributes:
        grams: Hashes in rising order, uint64 [grams].
        shares: Discounted share of its context's continuations, float32 [grams].
        contexts: Hashes of the tokens before, in rising order, uint64 [contexts].
        rest: What discounting leaves to lower orders, float32 [contexts].
    """

    grams: NDArray[np.uint64]
    shares: NDArray[np.float32]
    contexts: NDArray[np.uint64]
    rest: NDArray[np.float32]


class NGrams:
    """Interpolated Kneser-Ney smoothing with three discounts an order, and unigrams beside it.

    Kneser & Ney 1995; the form is the "modified" one of Chen & Goodman, An Empirical Study of
    Smoothing Techniques for Language Modeling, 1999 (https://doi.org/10.1006/csla.1999.0128),
    down to a uniform distribution over the vocabulary. Grams are held by 64-bit hashes of their
    tokens: with millions of them, the chance that any two are taken for each other is below one
    in a million.

    Example:
        >>> counts = NGrams.fit(np.array([4, 5, 6] * 50), size=7)
        >>> nats = counts.nats(np.array([4, 5, 6, 4, 5, 6]), start=4)
        >>> nats.shape, bool(nats.max() < 0.1)
        ((2,), True)
    """

    def __init__(self, size: int, unigram: NDArray[np.float32], levels: list[_Level]) -> None:
        self.size = size
        self.unigram = unigram
        self._levels = levels

    @classmethod
    def fit(cls, tokens: NDArray[Any], size: int, order: int = ORDER) -> NGrams:
        """Count.

        Args:
            tokens: Numbers from 0, [count].
            size: How many different numbers there are.
            order: Length of the longest grams.
        """
        tokens = np.asarray(tokens)
        counts = np.bincount(tokens.astype(np.int64), minlength=size)
        unigram = ((counts + 1) / (counts.sum() + size)).astype(np.float32)
        order = max(1, min(order, len(tokens)))
        levels = [_level(tokens, m, highest=m == order) for m in range(1, order + 1)]
        return cls(size, unigram, levels)

    def nats(self, tokens: NDArray[Any], start: int) -> NDArray[np.float32]:
        """Surprise at each token from a place on, given those before it, in nats."""
        tokens = np.asarray(tokens)
        p = np.full(len(tokens) - start, 1.0 / self.size)
        for m, level in enumerate(self._levels, 1):
            # Tokens so early that they have no such context keep the shorter one's answer.
            first = max(start, m - 1)
            grams, contexts = _hashes(tokens[max(0, first - m + 1) :], m)
            here = p[first - start :]
            rest, seen = _looked_up(level.contexts, level.rest, contexts)
            share, _ = _looked_up(level.grams, level.shares, grams)
            here[:] = np.where(seen, share + rest * here, here)
        return -np.log(p).astype(np.float32)

    def unigram_nats(self, tokens: NDArray[Any], start: int) -> NDArray[np.float32]:
        """Surprise by how often each token occurs alone, with one added to each count."""
        return -np.log(self.unigram[np.asarray(tokens)[start:]])

    def means(self, tokens: NDArray[Any], start: int) -> dict[str, float]:
        """Mean surprise from a place on, by "5-gram" and "unigram", in memory for a part of it."""
        sums = np.zeros(2)
        for first in range(start, len(tokens), PART):
            last, before = min(first + PART, len(tokens)), max(0, first - ORDER)
            here, place = tokens[before:last], first - before
            each = self.nats(here, place), self.unigram_nats(here, place)
            sums += [nats.sum(dtype=np.float64) for nats in each]
        five, one = (sums / max(len(tokens) - start, 1)).tolist()
        return {"5-gram": five, "unigram": one}

    def state(self) -> dict[str, NDArray[Any]]:
        """All counts by name."""
        held: dict[str, NDArray[Any]] = {"unigram": self.unigram}
        for m, level in enumerate(self._levels, 1):
            held |= {
                f"{m}.grams": level.grams.view(np.int64),
                f"{m}.shares": level.shares,
                f"{m}.contexts": level.contexts.view(np.int64),
                f"{m}.rest": level.rest,
            }
        return held

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]], size: int) -> NGrams:
        """Take back what `state` gave."""
        orders = sorted({int(name.split(".")[0]) for name in state if "." in name})
        levels = [
            _Level(
                state[f"{m}.grams"].view(np.uint64),
                state[f"{m}.shares"],
                state[f"{m}.contexts"].view(np.uint64),
                state[f"{m}.rest"],
            )
            for m in orders
        ]
        return cls(size, state["unigram"], levels)


def compressed(text: bytes) -> dict[str, float]:
    """Bits that general compressors need for a text, all together.

    Example:
        >>> sizes = compressed(b"abc" * 1000)
        >>> sorted(sizes), bool(max(sizes.values()) < 3000 * 8)
        (['gzip', 'xz'], True)
    """
    return {
        "gzip": 8.0 * len(gzip.compress(text, 9)),
        "xz": 8.0 * len(lzma.compress(text, preset=9)),
    }


def _level(tokens: NDArray[Any], m: int, highest: bool) -> _Level:
    """Count grams of m tokens: occurrences, or below the highest order different tokens before."""
    grams, contexts = _hashes(tokens, m)
    if not highest:
        longer, _ = _hashes(tokens, m + 1)
        places = np.unique(longer, return_index=True)[1] + 1
        grams, contexts = grams[places], contexts[places]
    found, places, counts = np.unique(grams, return_index=True, return_counts=True)
    discounts = _discounts(counts)
    taken = discounts[np.minimum(counts, 3)]
    heads, which = np.unique(contexts[places], return_inverse=True)
    totals = np.bincount(which, counts)
    rest = np.bincount(which, taken) / totals
    shares = (counts - taken) / totals[which]
    return _Level(found, shares.astype(np.float32), heads, rest.astype(np.float32))


def _discounts(counts: NDArray[Any]) -> NDArray[Any]:
    """What is taken from counts of 0, 1, 2, and 3 or more (Chen & Goodman 1999, equation 26)."""
    n = np.array([np.count_nonzero(counts == k) for k in range(5)], float)
    if not n[1:].all():
        return np.array([0.0, 0.5, 0.75, 0.75])
    y = n[1] / (n[1] + 2 * n[2])
    found = [k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3)]
    return np.clip([0.0, *found], 0.0, [0.0, 1.0, 2.0, 3.0])


def _hashes(tokens: NDArray[Any], m: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Hashes of all rows of m tokens, and of the m - 1 tokens before the last of each."""
    count = max(0, len(tokens) - m + 1)
    numbers = tokens.astype(np.uint64)
    before = np.zeros(count, np.uint64)
    for k in range(m - 1):
        before = _mixed(before, numbers[k : k + count])
    return _mixed(before, numbers[m - 1 : m - 1 + count]), before


def _mixed(before: NDArray[np.uint64], number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hash of a row of tokens and one more: the finaliser of splitmix64 over their sum."""
    x = before * np.uint64(0x9E3779B97F4A7C15) + number + np.uint64(1)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _looked_up(
    keys: NDArray[np.uint64], values: NDArray[np.float32], wanted: NDArray[np.uint64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Values of hashes, 0 for unknown ones, and which are known."""
    if not len(keys):
        return np.zeros(len(wanted), np.float32), np.zeros(len(wanted), bool)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    known = keys[places] == wanted
    return np.where(known, values[places], np.float32(0)), known
