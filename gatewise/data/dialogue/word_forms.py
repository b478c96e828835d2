"""Words by what is common about them: themselves if frequent, else their endings; and shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ..text.words import split_words

SHAPES = ("", "lower", "capitalised", "upper", "number", "mixed", "sign")
"""What a word looks like; the first is padding."""

_ENDING = 2


class WordForms:
    """Numbers for words, so that little text teaches no more than it can.

    A word that is frequent has a number of its own; a rarer one shares that of its last two
    letters, or of all others. A network that reads these learns how questions are asked and how
    they are answered, and cannot learn names by heart.

    Args:
        least: How often a word or an ending has to occur to count as frequent.

    Example:
        >>> forms = WordForms(least=2).fit(["Who painted it?", "Who wanted it?"])
        >>> forms.names
        ['', 'other', '?', 'it', 'who', '-ed']
        >>> forms.encode("Who counted 12?")
        ([4, 5, 1, 2], [2, 1, 4, 6])
    """

    def __init__(self, least: int = 5) -> None:
        self.least = least
        self._name(())

    def fit(self, texts: Iterable[str]) -> WordForms:
        """Learn which words and endings are frequent; forgets earlier ones."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(word.lower() for word in split_words(text))
        rare: Counter[str] = Counter()
        for word, count in counts.items():
            if count < self.least:
                rare[_ending(word)] += count
        common = sorted(w for w, count in counts.items() if count >= self.least)
        endings = sorted(e for e, count in rare.items() if e and count >= self.least)
        self._name([*common, *endings])
        return self

    def __len__(self) -> int:
        """Numbers there are, that of padding included."""
        return len(self.names)

    def encode(self, text: str) -> tuple[list[int], list[int]]:
        """Forms and shapes of a text's words, one each."""
        words = split_words(text)
        return [self._form(word.lower()) for word in words], [_shape(word) for word in words]

    def state(self) -> dict[str, Any]:
        """All that was learned, as JSON can hold it."""
        return {"least": self.least, "names": self.names[2:]}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> WordForms:
        """Take back what `state` gave."""
        forms = cls(state["least"])
        forms._name(state["names"])
        return forms

    def _name(self, names: Iterable[str]) -> None:
        self.names = ["", "other", *names]
        self._numbers = {name: number for number, name in enumerate(self.names)}

    def _form(self, word: str) -> int:
        return self._numbers.get(word) or self._numbers.get(_ending(word)) or 1


def _ending(word: str) -> str:
    """What a rare word is known by; nothing for what is short or no word."""
    return f"-{word[-_ENDING:]}" if len(word) > _ENDING and word.isalpha() else ""


def _shape(word: str) -> int:
    if word.replace(".", "").replace(",", "").isdigit():
        return SHAPES.index("number")
    if not any(c.isalnum() for c in word):
        return SHAPES.index("sign")
    if any(c.isdigit() for c in word):
        return SHAPES.index("mixed")
    if len(word) > 1 and word.isupper():
        return SHAPES.index("upper")
    return SHAPES.index("capitalised" if word[0].isupper() else "lower")
