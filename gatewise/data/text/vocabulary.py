"""Text to numbers and back: words, characters, bytes or learned subwords."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ...errors import InputError
from .subwords import Subwords
from .tokens_spec import BYTES, SPECIALS, Tokens
from .words import join_words, split_words

PAD, UNKNOWN, START, END = range(SPECIALS)
"""What fills up a batch, what has no entry, and where a text begins and ends."""

SUBWORDS = 8000
"""Entries of a vocabulary of subwords when the caller names no size."""

_SPECIAL = ("<pad>", "<unk>", "<s>", "</s>")


class Vocabulary:
    """Which tokens have a number, and which number.

    `PAD`, `UNKNOWN`, `START` and `END` are 0 to 3. Then come words and characters by falling
    frequency, ties by their text; bytes by value; subwords in the order in which they were
    learned. Bytes need no fit.

    Args:
        tokens: What a text is cut into.

    Attributes:
        names: Name of each number; a byte's is "<0x41>".

    Example:
        >>> vocabulary = Vocabulary(Tokens("word")).fit(["a rose is a rose", "is it?"])
        >>> vocabulary.names[4:]
        ['a', 'is', 'rose', '?', 'it']
        >>> vocabulary.encode("it is a pipe")
        [8, 5, 4, 1]
        >>> vocabulary.decode(vocabulary.encode("is it a rose?"))
        'is it a rose?'
    """

    def __init__(self, tokens: Tokens | None = None) -> None:
        self.tokens = tokens or Tokens()
        self._subwords: Subwords | None = None
        self._name(f"<0x{b:02X}>" for b in range(BYTES if self.tokens.unit == "byte" else 0))

    def __len__(self) -> int:
        """Entries, the four special ones included."""
        return len(self.names)

    def __repr__(self) -> str:
        """Show what it was made of, and its size."""
        return f"Vocabulary({self.tokens}, {len(self)} entries)"

    def fit(self, texts: str | Iterable[str]) -> Vocabulary:
        """Learn the entries from texts, which are read once; forgets earlier ones.

        Args:
            texts: Texts, or one text.

        Raises:
            InputError: A text is no text, or subwords are asked for and tokenizers is missing.
        """
        texts = (self._cased(t) for t in ([texts] if isinstance(texts, str) else texts))
        size, least = self.tokens.size, self.tokens.min_count
        if self.tokens.unit == "subword":
            size = (size or SUBWORDS) - SPECIALS
            self._subwords = Subwords.learned(texts, size, least)
            self._name(self._subwords.pieces)
        elif self.tokens.unit != "byte":
            counts: Counter[str] = Counter()
            for text in texts:
                counts.update(text if self.tokens.unit == "char" else split_words(text))
            ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            most = None if size is None else size - SPECIALS
            self._name([token for token, count in ranked if count >= least][:most])
        return self

    def split(self, text: str) -> list[str]:
        """Cut a text into its tokens, by name; `encode` gives their numbers.

        Raises:
            InputError: It is no text, or subwords were not learned yet.
        """
        text = self._cased(text)
        if self.tokens.unit == "word":
            return split_words(text)
        if self.tokens.unit == "char":
            return list(text)
        if self.tokens.unit == "byte":
            return [self.names[SPECIALS + b] for b in _utf8(text)]
        return self._learned.split(text)

    def encode(self, text: str) -> list[int]:
        """Give a text's numbers, without start and end.

        Raises:
            InputError: As in `split`.
        """
        if self.tokens.unit == "byte":
            return [SPECIALS + b for b in _utf8(self._cased(text))]
        return [self._numbers.get(token, UNKNOWN) for token in self.split(text)]

    def encode_tokens(self, tokens: Iterable[str]) -> list[int]:
        """Give the numbers of tokens that were cut elsewhere, one each."""
        return [self._numbers.get(self._cased(token), UNKNOWN) for token in tokens]

    def decode(self, numbers: Iterable[int]) -> str:
        """Give the text of numbers; padding, start and end are left out.

        Characters, bytes and subwords come back as they were; words as they are usually written.
        What is unknown becomes "<unk>" between words and U+FFFD elsewhere.

        Args:
            numbers: From 0 to below `len(self)`.

        Raises:
            InputError: A number has no entry.
        """
        numbers = self._checked(numbers)
        shown = [n for n in numbers if n not in (PAD, START, END)]
        if self.tokens.unit == "word":
            return join_words(self.names[n] for n in shown)
        if self.tokens.unit == "char":
            return "".join("\ufffd" if n == UNKNOWN else self.names[n] for n in shown)
        known = [n - SPECIALS for n in shown if n != UNKNOWN]
        if self.tokens.unit == "byte":
            return bytes(known).decode(errors="replace")
        return self._learned.join(known)

    def state(self) -> dict[str, Any]:
        """All that was learned, as JSON can hold it."""
        held: dict[str, Any] = {"tokens": asdict(self.tokens)}
        if self._subwords:
            held["subwords"] = self._subwords.text()
        elif self.tokens.unit != "byte":
            held["names"] = self.names[SPECIALS:]
        return held

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Vocabulary:
        """Take back what `state` gave.

        Example:
            >>> vocabulary = Vocabulary(Tokens("char")).fit("banana")
            >>> Vocabulary.restored(vocabulary.state()).names == vocabulary.names
            True
        """
        vocabulary = cls(Tokens(**state["tokens"]))
        if "subwords" in state:
            vocabulary._subwords = Subwords(state["subwords"])
            vocabulary._name(vocabulary._subwords.pieces)
        elif "names" in state:
            vocabulary._name(state["names"])
        return vocabulary

    def _name(self, names: Iterable[str]) -> None:
        self.names = [*_SPECIAL, *names]
        self._numbers = {name: n for n, name in enumerate(self.names) if n >= SPECIALS}

    def _cased(self, text: Any) -> str:
        if not isinstance(text, str):
            raise InputError(f"{text!r} is a {type(text).__name__}: give text")
        return text.lower() if self.tokens.lower else text

    def _checked(self, numbers: Iterable[int]) -> Sequence[int]:
        numbers = [int(n) for n in numbers]
        for number in numbers:
            if not 0 <= number < len(self):
                raise InputError(
                    f"the vocabulary has no entry {number}: give numbers from 0 to {len(self) - 1}"
                )
        return numbers

    @property
    def _learned(self) -> Subwords:
        if self._subwords is None:
            raise InputError("this vocabulary of subwords has learned none: call fit")
        return self._subwords


def _utf8(text: str) -> bytes:
    # Half a surrogate pair is no character; nothing else fails to be encoded.
    return text.encode(errors="replace")
