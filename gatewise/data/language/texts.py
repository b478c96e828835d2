"""Text of any length as one row of tokens: what a language model reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...errors import InputError
from ...evaluation.ngram import NGrams
from ..contract import Fold
from ..text.vocabulary import END, Vocabulary
from .sources import Sources
from .streams import Passage, Streams
from .token_store import TokenStore

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ..text.borrows import Borrows
    from ..text.tokens_spec import Tokens

FEWEST = 16
"""Tokens below which there is nothing to learn."""

BASELINE_TOKENS = 1_000_000
"""Tokens, the last ones of the training part, that the counting baselines are fitted on."""

BY_LINE = ("word", "subword")
"""Units of which none reaches over the end of a line."""

COMPRESSED = 4 << 20
"""Bytes of a text, its first ones, that compressors are tried on."""


@dataclass(frozen=True)
class Row:
    """A text as tokens.

    Args:
        tokens: Numbers of tokens, of any unsigned type; `END` stands before each text, or behind
            it where the text is to be read from its end.
        cut: How many of them lie before the held-out part.
        characters: Characters in it.
        head: The first bytes of the held-out part, for compressors.
    """

    tokens: NDArray[Any]
    cut: int
    characters: int
    head: bytes


class Texts:
    """Files and strings to one row of tokens; its last part is held out.

    The vocabulary and the baselines are learned from what is not held out. Files may be larger
    than memory: they are read three times as streams, and their tokens lie on disk where they are
    many.

    Args:
        tokens: What a text is cut into.
        window: Tokens of a training window.
        jitter: Whether training windows vary in length.
        holdout: Share of the characters, the last ones, that is held out.
        reverse: Whether the text is read from its end.
        borrowed: A vocabulary that is taken from elsewhere; None to learn one here.

    Attributes:
        ends_: Whether there were several texts, so that it could be learned how one ends.
    """

    def __init__(
        self,
        tokens: Tokens,
        *,
        window: int,
        jitter: bool = False,
        holdout: float = 0.1,
        reverse: bool = False,
        borrowed: Borrows | None = None,
    ) -> None:
        self.tokens, self.window, self.jitter = tokens, window, jitter
        self.holdout, self.reverse, self.borrowed = holdout, reverse, borrowed
        self.vocabulary_ = Vocabulary(tokens)
        self.baselines_: NGrams | None = None
        self.valid_: Passage | None = None
        self.ends_ = False

    def fit(self, x: Any, y: Any = None) -> Fold:
        """Read the text, learn the vocabulary, and hold out its end.

        Args:
            x: A file or a text, or a list of either, read one after the other.
            y: Nothing.

        Raises:
            InputError: It cannot be read, or is too short.
        """
        if y is not None:
            raise InputError("y is given, and a text is its own answer: leave it out")
        sources = Sources.of(x)
        characters, digest = sources.measured()
        cut = int(characters * (1.0 - self.holdout))
        self.vocabulary_ = self._vocabulary(sources, cut)
        row = self._row(sources, cut)
        if row.cut < FEWEST:
            raise InputError(
                f"{sources.name()} has {row.cut} tokens to learn from, and {FEWEST} are the "
                "fewest: give more text; a file is named by its path"
            )
        before = row.tokens[: row.cut][:: -1 if self.reverse else 1]
        self.ends_ = len(sources.held) > 1
        self.baselines_ = NGrams.fit(before[-BASELINE_TOKENS:], len(self.vocabulary_))
        train = Streams(before, self.window, self.jitter, sources.name())
        valid = self._passage(row, row.cut, sources.name())
        self.valid_ = valid if len(valid) else None
        return Fold(train, self.valid_, digest)

    def encode(self, x: Any) -> Passage:
        """All tokens of new text, each to be predicted."""
        return self.examples(x)

    def examples(self, x: Any, y: Any = None) -> Passage:
        """All tokens of new text, each to be judged on."""
        if y is not None:
            raise InputError("y is given, and a text is its own answer: leave it out")
        sources = Sources.of(x)
        return self._passage(self._row(sources, 0), 1, sources.name())

    def undo(self, dataset: Passage, answers: Sequence[Any]) -> dict[str, NDArray[Any]]:
        """Table of the tokens and what each cost, in nats."""
        nats = np.zeros(len(dataset.tokens), np.float32)
        for places, cost in answers:
            nats[places] = cost
        names = self.vocabulary_.names
        back = slice(None, None, -1 if self.reverse else 1)
        tokens, nats = dataset.tokens[dataset.start :][back], nats[dataset.start :][back]
        return {"token": np.array([names[n] for n in tokens], object), "nats": nats}

    def state(self) -> tuple[Mapping[str, Any], Mapping[str, Tensor]]:
        """Vocabulary, counts of the baselines."""
        settings: dict[str, Any] = {
            "vocabulary": self.vocabulary_.state(),
            "ends": self.ends_,
        }
        if self.borrowed:
            settings["borrowed"] = self.borrowed.state()
        counts = self.baselines_.state() if self.baselines_ else {}
        return settings, {name: torch.from_numpy(value) for name, value in counts.items()}

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.vocabulary_ = Vocabulary.restored(settings["vocabulary"])
        self.ends_ = settings["ends"]
        if self.borrowed:
            self.borrowed.restore(settings["borrowed"])
        counts = {name: value.numpy() for name, value in tensors.items()}
        self.baselines_ = NGrams.restored(counts, len(self.vocabulary_)) if counts else None

    def _vocabulary(self, sources: Sources, cut: int) -> Vocabulary:
        if self.borrowed:
            return self.borrowed.vocabulary()
        parts = sources.parts(cut, self.tokens.unit in BY_LINE)
        return Vocabulary(self.tokens).fit(text for text, _, held_out in parts if not held_out)

    def _row(self, sources: Sources, cut: int) -> Row:
        """Read the text once more, into numbers."""
        store = TokenStore(len(self.vocabulary_))
        at: int | None = None
        characters, head = [0, 0], b""
        by_line = self.vocabulary_.tokens.unit in BY_LINE
        for text, starts, held_out in sources.parts(cut, by_line):
            if starts and (not self.reverse or len(store)):
                store.add([END])
            if held_out and at is None:
                at = len(store)
            store.add(self.vocabulary_.encode(text))
            characters[held_out] += len(text)
            if held_out and len(head) < COMPRESSED:
                head += text.encode(errors="replace")[:COMPRESSED]
        if self.reverse:
            store.add([END])
        at = len(store) if at is None else at
        return Row(store.array(), at, characters[1], head)

    def _passage(self, row: Row, start: int, name: str) -> Passage:
        facts = {"characters": row.characters, "head": row.head}
        if self.reverse:
            # The end comes first; what follows the held-out part backwards is never read.
            return Passage(row.tokens[row.cut :][::-1], 1, facts=facts, name=name)
        return Passage(row.tokens, start, facts=facts, name=name)
