"""A translator's data: pairs of texts to pairs of token sequences, and back."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...evaluation.lexicon import Lexicon
from ..contract import Fold
from ..digest import digest
from ..text.vocabulary import PAD, UNKNOWN, Vocabulary
from ..text.words import join_words, split_words
from .lines import PairLines, answer, read_pairs, read_sources
from .sentences import Sentences, ended

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from ..text.tokens_spec import Tokens

HELD_OUT, MOST_HELD_OUT = 0.1, 1000
"""Share of the pairs that is held out, and how many at most."""

SPARE = 5
"""Tokens that a translation may be longer than what was seen in training."""


class Pairs:
    """Pairs of texts; owns the vocabularies and the lexicon that the model is compared with.

    Pairs with an empty side, or with more than `max_length` tokens on one, are left out of the
    training and said. Some pairs are held out by a seed; those with the same source stay together.

    Args:
        source: What a source is cut into.
        target: What a target is cut into.
        joint: Whether both share one vocabulary, that of `source`.
        holdout: Pairs to hold out; None for a tenth, and no more than 1,000.
        max_length: Tokens of a side, END included.
        seed: Of the choice of what is held out.

    Attributes:
        valid_: What the last fit held out; None after `restore`.

    Example:
        >>> from gatewise.data.text.tokens_spec import Tokens
        >>> pairs = Pairs(Tokens("word"), Tokens("char"), holdout=1)
        >>> fold = pairs.fit([("one two", "12"), ("two", "2"), ("two one", "21"), ("one", "1")])
        >>> len(fold.train), len(fold.valid), pairs.target_.names[4:]
        (3, 1, ['1', '2'])
    """

    def __init__(
        self,
        source: Tokens,
        target: Tokens,
        *,
        joint: bool = False,
        holdout: int | None = None,
        max_length: int = 200,
        seed: int = 0,
    ) -> None:
        self.tokens = (source, target)
        self.joint = joint
        self.holdout = holdout
        self.max_length = max_length
        self.seed = seed
        self.valid_: Sentences | None = None

    def accept(self, x: Any, y: Any = None) -> PairLines:
        """Read pairs ahead of a fit."""
        return read_pairs(x, y)

    def fit(self, x: Any, y: Any = None) -> Fold:
        """Learn vocabularies, the lexicon and how long a translation may get."""
        pairs = read_pairs(x, y)
        held = self._held_out(pairs)
        train = _taken(pairs, ~held)
        if not len(train):
            kept = len(_taken(pairs))
            raise InputError(
                f"holdout is {self.holdout}, and there are {kept} pairs with text on both sides: "
                "hold out fewer, or give more"
                if kept
                else f"source holds {len(pairs)} pairs, none with text on both sides; give some"
            )
        self._learn_tokens(*_sides(train))
        short = self._lengths(train).max(1) <= self.max_length
        if not short.any():
            raise InputError(
                f"max_length is {self.max_length}, and all pairs are longer; raise it, or take "
                "another unit"
            )
        self.notes_ = (*pairs.notes, *self._notes(pairs, int((~short).sum())))
        train = _taken(train, short)
        self._learn_lengths(self._lengths(train))
        sources, targets = _sides(train)
        self.unknowns_ = any(UNKNOWN in self.target_.encode(text) for text in targets)
        cut = split_words if self._wordy else list
        self.lexicon_ = Lexicon.fit([cut(t) for t in sources], [cut(t) for t in targets])
        valid, whole = _taken(pairs, held), _taken(pairs)
        self.valid_ = self._dataset(valid) if len(valid) else None
        return Fold(
            self._dataset(train),
            self.valid_,
            digest(*map(list, _sides(pairs))),
            self._dataset(_taken(whole, self._lengths(whole).max(1) <= self.max_length)),
        )

    def encode(self, x: Any) -> Sentences:
        """Turn texts into sources."""
        return self._dataset(read_sources(x))

    def examples(self, x: Any, y: Any = None) -> Sentences:
        """Turn pairs into examples to be scored on; pairs with an empty side are left out."""
        return self._dataset(_taken(read_pairs(x, y)))

    def undo(self, dataset: Sentences, answers: Sequence[Any]) -> Any:
        """Turn the best hypothesis of each source into text, in the form that the sources came in.

        Args:
            dataset: What `encode` gave.
            answers: For each batch, for each source, hypotheses, best first.
        """
        best = [hypotheses[0] for batch in answers for hypotheses in batch]
        texts = zip(dataset.pairs.sources, best, strict=True)
        return answer(dataset.pairs, [self.written(text, found) for text, found in texts])

    def written(self, source: str, found: Any) -> str:
        """Give a hypothesis as text; unknown tokens are copied from where the network looked.

        Copying: Luong et al. 2015 (https://arxiv.org/abs/1410.8206). Of an empty source it is
        empty.
        """
        if not source.strip():
            return ""
        names = self.copied(source, found)
        if names is None:
            return self.target_.decode(found.tokens)
        return join_words(names) if self.tokens[1].unit == "word" else "".join(names)

    def copied(self, source: str, found: Any) -> list[str] | None:
        """Names of a hypothesis's tokens, the unknown ones copied; None where all are known."""
        if UNKNOWN not in found.tokens or not found.weights.shape[-1]:
            return None
        if self.tokens[1].unit not in ("word", "char"):
            return None
        tokens = self.source_.split(source)
        places = found.weights[:, : len(tokens)].argmax(-1).tolist()
        return [
            tokens[place] if token == UNKNOWN else self.target_.names[token]
            for token, place in zip(found.tokens, places, strict=False)
        ]

    def looked_up(self, source: str) -> str:
        """Translate with the lexicon, token by token: the baseline."""
        if self._wordy:
            return join_words(self.lexicon_(split_words(source)))
        return "".join(self.lexicon_(list(source)))

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All that was learned."""
        settings = {
            "source": self.source_.state(),
            "target": None if self.joint else self.target_.state(),
            "ratio": self.ratio_,
            "longest": self.longest_,
            "count": self.count_,
            "unknowns": self.unknowns_,
            "lexicon": self.lexicon_.state(),
            "notes": list(self.notes_),
        }
        return settings, {}

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.source_ = Vocabulary.restored(settings["source"])
        own = settings["target"]
        self.target_ = self.source_ if own is None else Vocabulary.restored(own)
        self.ratio_, self.longest_ = settings["ratio"], settings["longest"]
        self.count_, self.unknowns_ = settings["count"], settings["unknowns"]
        self.lexicon_ = Lexicon.restored(settings["lexicon"])
        self.notes_ = tuple(settings["notes"])

    @property
    def never(self) -> tuple[int, ...]:
        """Tokens that no translation has; unknown ones where training had none."""
        return (PAD,) if self.unknowns_ else (PAD, UNKNOWN)

    @property
    def _wordy(self) -> bool:
        return self.tokens[0].unit in ("word", "subword")

    def _held_out(self, pairs: PairLines) -> np.ndarray:
        """Which pairs are held out."""
        wanted = self.holdout
        if wanted is None:
            wanted = min(round(HELD_OUT * len(pairs)), MOST_HELD_OUT)
        names = {source: k for k, source in enumerate(dict.fromkeys(pairs.sources))}
        group = np.array([names[source] for source in pairs.sources], dtype=np.int64)
        order = np.random.default_rng(self.seed).permutation(len(names))
        sizes = np.bincount(group, minlength=len(names))[order]
        return np.isin(group, order[: np.searchsorted(np.cumsum(sizes), wanted, "right")])

    def _learn_tokens(self, sources: Sequence[str], targets: Sequence[str]) -> None:
        """Learn the vocabularies."""
        own = [*sources, *targets] if self.joint else sources
        self.source_ = self.target_ = Vocabulary(self.tokens[0]).fit(own)
        if not self.joint:
            self.target_ = Vocabulary(self.tokens[1]).fit(targets)

    def _learn_lengths(self, lengths: np.ndarray) -> None:
        """Learn how long a translation may get, from the lengths of both sides, [pairs, 2]."""
        self.count_ = len(lengths)
        self.ratio_ = float((lengths[:, 1] / lengths[:, 0]).max())
        self.longest_ = int(lengths[:, 1].max())

    def _lengths(self, pairs: PairLines) -> np.ndarray:
        """Tokens of both sides of each pair, END included, [pairs, 2]."""
        sides = zip((self.source_, self.target_), _sides(pairs), strict=True)
        counts = [[len(words.encode(text)) + 1 for text in texts] for words, texts in sides]
        return np.array(counts, dtype=np.int64).reshape(2, -1).T

    def _notes(self, pairs: PairLines, long: int) -> list[str]:
        empty = len(pairs) - len(_taken(pairs))
        said = {"have an empty side": empty, f"are longer than {self.max_length} tokens": long}
        return [
            f"{count} of {len(pairs)} pairs {why} and were left out"
            for why, count in said.items()
            if count
        ]

    def _dataset(self, pairs: PairLines) -> Sentences:
        sources = [ended(self.source_.encode(text)) for text in pairs.sources]
        targets = None
        if pairs.targets is not None:
            targets = [ended(self.target_.encode(text)) for text in pairs.targets]
        most = round(1.5 * self.longest_) + SPARE
        limits = [min(math.ceil(self.ratio_ * len(t)) + SPARE, most) for t in sources]
        return Sentences(pairs, sources, targets, limits)


def _taken(pairs: PairLines, rows: np.ndarray | None = None) -> PairLines:
    """Pairs, those of a mask or all of them, but for those with an empty side."""
    sources, targets = _sides(pairs)
    chosen = range(len(pairs)) if rows is None else np.flatnonzero(rows).tolist()
    kept = [i for i in chosen if sources[i].strip() and targets[i].strip()]
    return replace(
        pairs, sources=tuple(sources[i] for i in kept), targets=tuple(targets[i] for i in kept)
    )


def _sides(pairs: PairLines) -> tuple[tuple[str, ...], tuple[str, ...]]:
    assert pairs.targets is not None
    return pairs.sources, pairs.targets
