"""Pieces of words, learned by byte-pair encoding over the bytes of UTF-8."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..._optional import need


class Subwords:
    """A learned byte-level byte-pair encoding: any text to pieces and back, nothing lost.

    The tokenizers package does the work. Its pieces are written in its own alphabet, in which a
    space is "Ġ".

    Args:
        text: What `text()` gave: the pieces and merges as JSON.

    Raises:
        InputError: The tokenizers package is missing.
    """

    def __init__(self, text: str) -> None:
        self._bpe: Any = need("tokenizers", "text").Tokenizer.from_str(text)

    @classmethod
    def learned(cls, texts: Iterable[str], size: int, min_count: int) -> Subwords:
        """Learn pieces from texts.

        Args:
            texts: What to learn from, read once.
            size: Pieces at most; all 256 bytes are among them.
            min_count: How often a pair has to occur to be merged.

        Raises:
            InputError: The tokenizers package is missing.
        """
        tokenizers = need("tokenizers", "text")
        level = tokenizers.pre_tokenizers.ByteLevel
        bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
        bpe.pre_tokenizer = level(add_prefix_space=False)
        bpe.decoder = tokenizers.decoders.ByteLevel()
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=size,
            min_frequency=min_count,
            initial_alphabet=sorted(level.alphabet()),
            show_progress=False,
        )
        bpe.train_from_iterator(texts, trainer)
        return cls(bpe.to_str())

    @property
    def pieces(self) -> list[str]:
        """All pieces, by their number."""
        numbers: dict[str, int] = self._bpe.get_vocab()
        return sorted(numbers, key=lambda piece: numbers[piece])

    def split(self, text: str) -> list[str]:
        """Cut a text into pieces."""
        return self._bpe.encode(text).tokens

    def join(self, numbers: list[int]) -> str:
        """Put pieces, by number, together again; what is no whole UTF-8 becomes U+FFFD."""
        return self._bpe.decode(numbers)

    def text(self) -> str:
        """All that was learned, as JSON text."""
        return self._bpe.to_str()
