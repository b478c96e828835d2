"""Dialogue: replies of people ranked among others, on topics that were never seen."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence

import numpy as np

from gatewise.data.dialogue.turns import Conversations, read_conversations
from gatewise.datasets.dialogue import chatterbot
from gatewise.evaluation.dialogue import candidate_sets, mean_reciprocal_rank, recall_at
from gatewise.evaluation.tfidf import Tfidf
from gatewise.tasks.dialogue import Dialogue
from gatewise.train.spec import Trainer

from .harness import PACKAGES, Benchmark, Options, Result, over_seeds

EVERY = 3
"""Every third topic by name, the first one included, is tested on."""

DRAWS = 5
"""Sets of wrong replies that each right one is told from; the figures are the means."""

FOLDS = 3
"""With --holdout, the topics that are left are tested on in so many parts."""


def split(
    topics: Mapping[str, Conversations], holdout: int | None = None
) -> tuple[Conversations, Conversations]:
    """Threads to fit on, and those of other topics to test on; none is in both.

    Args:
        topics: Name to conversations.
        holdout: Part of the topics that are not tested on officially, to choose settings by.
    """
    names = sorted(topics)
    test = {name for place, name in enumerate(names) if place % EVERY == 0}
    if holdout is not None:
        names = [name for name in names if name not in test]
        # The largest topics go to different parts.
        names.sort(key=lambda name: (-len(set(topics[name].threads)), name))
        test = {name for place, name in enumerate(names) if place % FOLDS == holdout}
    parts = []
    for chosen in (set(names) - test, test):
        threads = tuple(t for name in sorted(chosen) for t in topics[name].threads)
        parts.append(read_conversations(threads))
    return parts[0], parts[1]


def pairs(conversations: Conversations) -> tuple[list[tuple[str, ...]], list[str]]:
    """Turns so far and replies, each last turn with its reply once."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for thread in conversations.threads:
        for end in range(1, len(thread)):
            found.setdefault((thread[end - 1], thread[end]), thread[:end])
    return list(found.values()), [reply for _, reply in found]


def figures(scores: np.ndarray, sets: Sequence[np.ndarray]) -> dict[str, float]:
    """Figures of all draws.

    Args:
        scores: Of each reply for each conversation, [conversations, replies].
        sets: What `candidate_sets` drew.
    """
    drawn = np.concatenate([scores[np.arange(len(s))[:, None], s] for s in sets])
    recalls = {f"recall_at_{k}": recall_at(drawn, k) for k in (1, 2, 5)}
    return {**recalls, "mrr": mean_reciprocal_rank(drawn)}


def measure(options: Options) -> Result:
    """Rank the right reply of chatterbot's pairs among nine others, and TF-IDF beside it.

    Pairs are deduplicated, whole topics held out, wrong replies drawn from the same topics'
    replies, but for those that are known to be right, too.
    """
    topics = chatterbot()
    train, test = split(topics, options.own.holdout)
    contexts, replies = pairs(test)
    last = [context[-1] for context in contexts]
    pool: dict[str, set[str]] = {}
    for turn, reply in zip(last, replies, strict=True):
        pool.setdefault(turn.casefold(), set()).add(reply)
    known = {turn: pool[turn.casefold()] for turn in last}
    sets = [candidate_sets(last, replies, known, seed=draw) for draw in range(DRAWS)]
    words, pieces = (
        Tfidf(kind).fit(turn for thread in train.threads for turn in thread)
        for kind in ("words", "pieces")
    )
    everything = [" ".join(context) for context in contexts]
    found = {
        "tf_idf": words.similarity(last, replies),
        "tf_idf_all_turns": words.similarity(everything, replies),
        "tf_idf_pieces": pieces.similarity(last, replies),
        "tf_idf_pieces_all_turns": pieces.similarity(everything, replies),
    }
    baselines = {name: figures(scores, sets) for name, scores in found.items()}

    def run(seed: int) -> dict[str, float]:
        started = time.perf_counter()
        model = Dialogue(trainer=Trainer(seed=seed)).fit(train)
        seconds = time.perf_counter() - started
        scores = model.match(contexts, replies)
        return {**figures(scores, sets), "seconds": seconds}

    result = over_seeds(options.seeds, run)
    for name, row in baselines.items():
        result.rows.append({"seed": name, **row})
        result.figures |= {f"{name}_{metric}": value for metric, value in row.items()}
    result.notes.append(
        f"{len(replies)} pairs of topics that were not learned, {DRAWS} draws of 9 wrong replies"
    )
    if options.own.holdout is not None:
        result.notes.append("scored on topics of the training part, not on the test")
    return result


def gate(result: Result) -> str | None:
    """TF-IDF has to be better than chance, or something is wrong with the protocol."""
    found = result.figures["tf_idf_recall_at_1"]
    return None if found > 0.2 else f"TF-IDF has recall@1 {found:.3f}; chance is 0.1"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this benchmark knows."""
    parser.add_argument(
        "--holdout",
        type=int,
        choices=range(FOLDS),
        help="test on this part of the other topics, where settings may be chosen",
    )


if __name__ == "__main__":
    packages = (*PACKAGES, "chatterbot-corpus")
    raise SystemExit(Benchmark("dialogue", measure, gate, (0, 1, 2), arguments, packages).main())
