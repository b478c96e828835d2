"""What a tagger sees of a token, as a small value that the command line can set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ...errors import InputError, nearest
from ..arguments import check_rates, check_sizes

Characters = Literal["lstm", "cnn", "none"]


@dataclass(frozen=True)
class TokenFeatures:
    """What is seen of a token, and what of it is hidden while training.

    Args:
        size: Numbers of a token's vector, and of that of its affixes; None for 32 where tokens
            are letters and 96 where they are words.
        characters: How a word's characters are read: by a bidirectional "lstm", by a "cnn", or
            not at all: "none". Tokens of one letter have none.
        character_size: Units of what reads the characters, for each direction.
        affixes: Letters of the longest beginning and ending of a word that are looked up, beside
            its casing; 0 to look up neither.
        min_count: How often a word has to occur to get a vector of its own.
        dropout: Rate of what is dropped of tokens' vectors, and of the layers' output, the same
            features at all steps.
        forget: How readily a word is taken for an unknown one: `forget / (forget + count)`
            (Kiperwasser & Goldberg 2016, https://arxiv.org/abs/1603.04351).
        replace: Rate at which tokens are replaced by others, drawn as they occur, residues of
            proteins by those of related ones (themselves often); None for 0.3 of residues, 0.1 of
            other letters, and no words.

    Raises:
        InputError: A field is not as above.

    Example:
        >>> TokenFeatures(characters="gru")
        Traceback (most recent call last):
        gatewise.errors.InputError: characters='gru': there are: lstm, cnn, none
    """

    size: int | None = None
    characters: Characters = "lstm"
    character_size: int = 32
    affixes: int = 4
    min_count: int = 1
    dropout: float = 0.4
    forget: float = 0.25
    replace: float | None = None

    def __post_init__(self) -> None:
        sizes = {"character_size": self.character_size, "min_count": self.min_count}
        check_sizes(sizes | ({} if self.size is None else {"size": self.size}), self.dropout)
        check_rates({"replace": self.replace or 0.0})
        if self.characters not in get_args(Characters):
            known = get_args(Characters)
            raise InputError(f"characters={self.characters!r}: {nearest(self.characters, known)}")
        if isinstance(self.affixes, bool) or not isinstance(self.affixes, int) or self.affixes < 0:
            raise InputError(f"affixes={self.affixes!r}: give a whole number, 0 for none")
        if not self.forget >= 0:
            raise InputError(f"forget={self.forget!r}: give a number of at least 0")
