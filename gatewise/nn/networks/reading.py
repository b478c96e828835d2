"""How a network reads whole sequences, as a small value that classifiers and regressors share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...errors import InputError, nearest

_CHOICES = {
    "pooling": ("auto", "last", "mean", "max", "attention"),
    "architecture": ("lstm", "lstm_fcn"),
}


@dataclass(frozen=True)
class Reading:
    """What comes before the recurrent layers, what after them, and what is dropped there.

    Args:
        pooling: How the steps become one vector: "last", "mean", "max", "attention"; "auto" takes
            the largest value of a text, and the mean of numbers.
        architecture: "lstm", or "lstm_fcn" with convolutions beside it (Karim et al. 2017,
            https://arxiv.org/abs/1709.05206).
        dropout: Rate of what is dropped before the answer, and of a token's features, while
            training.
        input_noise: Deviation of the noise on numbers while training, in units of the channel's.
        word_dropout: Rate of tokens that are read as unknown while training.
        embedding_size: Features of a token.

    Raises:
        InputError: A field is not as above.

    Example:
        >>> Reading("avg")
        Traceback (most recent call last):
        gatewise.errors.InputError: pooling='avg': there are: auto, last, mean, max, attention
    """

    pooling: Literal["auto", "last", "mean", "max", "attention"] = "auto"
    architecture: Literal["lstm", "lstm_fcn"] = "lstm"
    dropout: float = 0.4
    input_noise: float = 0.2
    word_dropout: float = 0.1
    embedding_size: int = 128

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if (value := getattr(self, name)) not in known:
                raise InputError(f"{name}={value!r}: {nearest(str(value), known)}")
        for name in ("dropout", "word_dropout"):
            value = getattr(self, name)
            if not _number(value) or not 0 <= value < 1:
                raise InputError(f"{name}={value!r}: give a number from 0 to below 1")
        if not _number(self.input_noise) or not 0 <= self.input_noise < float("inf"):
            raise InputError(f"input_noise={self.input_noise!r}: give a number of at least 0")
        size = self.embedding_size
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise InputError(f"embedding_size={size!r}: give a whole number of at least 1")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
