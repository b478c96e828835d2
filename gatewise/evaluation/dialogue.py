"""Figures of dialogue: where the right reply ranks, and how much replies differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def recall_at(scores: Any, k: int = 1) -> float:
    """How often the right candidate is among the k best; of equals any may come first.

    Lowe et al., The Ubuntu Dialogue Corpus, 2015 (https://aclanthology.org/W15-4640), "1 in 10
    R@k".

    Args:
        scores: [examples, candidates]; the first candidate is the right one.
        k: Candidates that count.

    Example:
        >>> recall_at([[3.0, 2.0, 1.0], [1.0, 1.0, 0.0]])
        0.75
    """
    better, equal = _places(scores)
    return float(np.clip((k - better) / equal, 0.0, 1.0).mean())


def mean_reciprocal_rank(scores: Any) -> float:
    """Mean of one over the right candidate's rank; of equals any may come first.

    Args:
        scores: [examples, candidates]; the first candidate is the right one.

    Example:
        >>> mean_reciprocal_rank([[3.0, 2.0, 1.0], [1.0, 1.0, 0.0]])
        0.875
    """
    better, equal = _places(scores)
    inverse = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, np.shape(scores)[1] + 1))])
    return float(((inverse[better + equal] - inverse[better]) / equal).mean())


def _places(scores: Any) -> tuple[np.ndarray, np.ndarray]:
    """How many candidates are better than the right one, and how many equal it, itself too."""
    scores = np.asarray(scores, np.float64)
    right = scores[:, :1]
    return (scores > right).sum(1), (scores == right).sum(1)


def distinct(replies: Sequence[Sequence[str]], n: int) -> float:
    """Different runs of n words among all words of all replies; 1 if no word comes twice.

    Li et al., A Diversity-Promoting Objective Function for Neural Conversation Models, 2016
    (https://aclanthology.org/N16-1014), "distinct-n".

    Args:
        replies: The words of each.
        n: Words of a run.

    Example:
        >>> distinct([["i", "see"], ["i", "know"]], 1)
        0.75
    """
    total = sum(len(words) for words in replies)
    runs = {tuple(w[i : i + n]) for w in replies for i in range(len(w) - n + 1)}
    return len(runs) / total if total else 0.0


def overlap(reply: Sequence[str], right: Sequence[str]) -> float:
    """F1 of the words that a reply shares with the right one, repeats counted.

    Example:
        >>> overlap("i am a bot".split(), "i am software".split())
        0.5714285714285714
    """
    left = list(right)
    for word in reply:
        if word in left:
            left.remove(word)
    shared = len(right) - len(left)
    return 2 * shared / (len(reply) + len(right)) if shared else 0.0


def candidate_sets(
    prompts: Sequence[str],
    replies: Sequence[str],
    pool: Mapping[str, set[str]],
    others: int = 9,
    seed: int = 0,
) -> np.ndarray:
    """Draw wrong replies to rank the right one among; none that is known to be right, too.

    Args:
        prompts: What is replied to.
        replies: The right reply of each prompt; the wrong ones are drawn from them.
        pool: Prompt to all replies that are known to be right.
        others: Wrong replies of each prompt; fewer where there are not as many.
        seed: Of the draw.

    Returns:
        Places in `replies`, int64 [prompts, 1 + others], the right one first.

    Example:
        >>> pool = {"a": {"x"}, "b": {"y"}, "c": {"z"}}
        >>> candidate_sets(["a", "b", "c"], ["x", "y", "z"], pool, others=2).shape
        (3, 3)
    """
    generator = np.random.default_rng(seed)
    first: dict[str, int] = {}
    for place, reply in enumerate(replies):
        first.setdefault(reply, place)
    wrong = [
        np.array([p for r, p in first.items() if r not in pool[prompt] and r != own], np.int64)
        for prompt, own in zip(prompts, replies, strict=True)
    ]
    others = min([others, *(len(w) for w in wrong)])
    drawn = [generator.choice(w, others, replace=False) if others else w[:0] for w in wrong]
    own = np.arange(len(replies), dtype=np.int64)
    return np.concatenate([own[:, None], np.reshape(drawn, (len(replies), others))], 1).astype(
        np.int64
    )
