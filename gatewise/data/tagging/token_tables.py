"""What is known of tokens: which there are, what they look like, what may stand for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ...errors import InputError
from ..text.tokens_spec import SPECIALS, Tokens
from ..text.vocabulary import PAD, Vocabulary
from .batches import Forms, Hidden
from .residues import are_residues, substitutes
from .word_looks import looks

if TYPE_CHECKING:
    from ...nn.networks.token_features import TokenFeatures

Sentences = Sequence[Sequence[str]]

LONGEST_WORD = 30
"""Characters of a word that are read: its first and its last ones."""

LOOKS_MIN_COUNT = 2

DRAWS = 2048
"""How finely the chances of residues to stand for each other are kept."""

_VOCABULARIES = ("words", "characters", "looks", "pretrained")


class TokenTables:
    """Numbers of tokens, of their characters and of their looks.

    Args:
        features: What is seen of a token.
        pretrained: A language model's vocabulary, where one reads the tokens, too.

    Attributes:
        words: Vocabulary of tokens, in lower case unless they are letters; None before `learn`.
        characters: Vocabulary of characters; None where none are read.
        looks: Vocabulary of casing and affixes; None where none are looked up.
        letters: Whether all tokens are single letters.
        counts: How often each entry of `words` occurs, float32.
    """

    def __init__(self, features: TokenFeatures, pretrained: Vocabulary | None = None) -> None:
        self.features, self.pretrained = features, pretrained
        self.words: Vocabulary | None = None
        self.characters: Vocabulary | None = None
        self.looks: Vocabulary | None = None
        self.letters = False
        self.counts = torch.zeros(0)

    def learn(self, sentences: Sentences) -> None:
        """Count tokens.

        Raises:
            InputError: A language model does not read such tokens.
        """
        counts = Counter(token for tokens in sentences for token in tokens)
        self.letters = all(len(token) == 1 for token in counts)
        self._check_pretrained()
        cased: Counter[str] = Counter()
        for token, count in counts.items():
            cased[token if self.letters else token.lower()] += count
        self.words = _vocabulary(cased, self.features.min_count, lower=not self.letters)
        self.counts = torch.tensor(
            [0.0] * SPECIALS + [float(cased[n]) for n in self.words.names[SPECIALS:]]
        )
        self.characters = self.looks = None
        if self.letters:
            return
        if self.features.characters != "none":
            self.characters = _vocabulary(Counter(c for token in counts for c in token), 1)
        if self.features.affixes:
            seen = Counter(n for token in counts for n in looks(token, self.features.affixes))
            self.looks = _vocabulary(seen, LOOKS_MIN_COUNT)

    def forms(self, sentences: Sentences) -> tuple[Forms, tuple[Tensor, ...]]:
        """The different tokens, and which of them each token is, int64 [time] a sentence."""
        assert self.words is not None
        numbers: dict[str, int] = {}
        places = tuple(
            torch.tensor([numbers.setdefault(t, len(numbers)) for t in tokens], dtype=torch.int64)
            for tokens in sentences
        )
        words = torch.tensor(self.words.encode_tokens(numbers), dtype=torch.int64)
        characters = seen = known = None
        if self.pretrained is not None:
            known = torch.tensor(self.pretrained.encode_tokens(numbers), dtype=torch.int64)
        if self.characters is not None:
            half = LONGEST_WORD // 2
            short = [t if len(t) <= LONGEST_WORD else t[:half] + t[-half:] for t in numbers]
            characters = _rows([self.characters.encode_tokens(t) for t in short])
        if self.looks is not None:
            named = [looks(t, self.features.affixes) for t in numbers]
            seen = _rows([self.looks.encode_tokens(n) for n in named])
        return Forms(words, characters, seen, known), places

    def hidden(self, sentences: Sentences, places: Sequence[Tensor], train: list[int]) -> Hidden:
        """What is hidden while training on some of the sentences.

        Args:
            sentences: All of them, as `forms` was given.
            places: What `forms` gave.
            train: Those to train on.
        """
        assert self.words is not None
        pool = torch.cat([places[i] for i in train]).unsqueeze(0)
        usual = 0.1 if self.letters else 0.0
        tokens = list(dict.fromkeys(token for of in sentences for token in of))
        if are_residues(tokens):
            counts = dict(zip(self.words.names, self.counts.tolist(), strict=True))
            pool, usual = _relatives(tokens, counts), 0.3
        rate = usual if self.features.replace is None else self.features.replace
        if self.letters:
            return Hidden(torch.zeros_like(self.counts), rate, pool)
        forget = self.features.forget / (self.features.forget + self.counts).clamp(min=1e-9)
        forget[:SPECIALS] = 0.0
        return Hidden(forget, rate, pool)

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All that was learned."""
        held = {name: getattr(self, name) for name in _VOCABULARIES}
        settings = {name: None if v is None else v.state() for name, v in held.items()}
        return {**settings, "letters": self.letters}, {"counts": self.counts}

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        for name in _VOCABULARIES:
            held = settings[name]
            setattr(self, name, None if held is None else Vocabulary.restored(held))
        self.letters, self.counts = settings["letters"], tensors["counts"]

    def _check_pretrained(self) -> None:
        wanted, kind = ("char", "single letters") if self.letters else ("word", "words")
        if self.pretrained is not None and (unit := self.pretrained.tokens.unit) != wanted:
            raise InputError(
                f"pretrained is a language model with tokens.unit={unit!r}, and these tokens are "
                f"{kind}: give one with tokens.unit={wanted!r}"
            )


def _vocabulary(counts: Counter[str], least: int, *, lower: bool = False) -> Vocabulary:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    tokens = Tokens("word", min_count=least, lower=lower)
    names = [token for token, count in ranked if count >= least]
    return Vocabulary.restored({"tokens": asdict(tokens), "names": names})


def _relatives(tokens: list[str], counts: Mapping[str, float]) -> Tensor:
    """For each residue, those that may stand in its place, as often as they do."""
    chances = substitutes(counts)
    place = {token: k for k, token in enumerate(tokens)}
    pool = torch.empty(len(tokens), DRAWS, dtype=torch.int64)
    grid = (torch.arange(DRAWS, dtype=torch.float64) + 0.5) / DRAWS
    for k, token in enumerate(tokens):
        row = {place[t]: c for t, c in chances.get(token, {}).items() if t in place} or {k: 1.0}
        edges = torch.tensor(list(row.values()), dtype=torch.float64).cumsum(0)
        found = torch.searchsorted(edges / edges[-1], grid)
        pool[k] = torch.tensor(list(row), dtype=torch.int64)[found]
    return pool


def _rows(numbers: list[list[int]]) -> Tensor:
    wide = max((len(row) for row in numbers), default=0) or 1
    return torch.tensor([row + [PAD] * (wide - len(row)) for row in numbers], dtype=torch.int64)
