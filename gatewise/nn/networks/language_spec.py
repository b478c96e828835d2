"""How a language model is kept from learning its text by heart, as a small value."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ...errors import InputError


@dataclass(frozen=True)
class Regularization:
    """What is dropped while a language model trains, and what is asked of its outputs.

    A field left at None is the preset's. The set is that of Merity, Keskar & Socher 2018
    (https://arxiv.org/abs/1708.02182); recurrent weights are dropped by the encoder's
    `weight_dropout`.

    Args:
        embedding: Rate of the words that are dropped in a whole batch, all places at once.
        words: Rate of the places where a word is taken for an unknown one.
        input: Rate of the features that are dropped of the embedded words, the same ones at all
            steps.
        hidden: Rate of what is dropped between layers.
        output: Rate of what is dropped of the last layer's output.
        locked: Whether these two drop the same features at all steps.
        alpha: Weight of large outputs (AR).
        beta: Weight of outputs that change from step to step (TAR).

    Raises:
        InputError: A rate is not from 0 to below 1, or a weight below 0.

    Example:
        >>> Regularization(output=0.5).over(Regularization(output=0.1, alpha=2.0)).alpha
        2.0
    """

    embedding: float | None = None
    words: float | None = None
    input: float | None = None
    hidden: float | None = None
    output: float | None = None
    locked: bool | None = None
    alpha: float | None = None
    beta: float | None = None

    def __post_init__(self) -> None:
        for name in ("embedding", "words", "input", "hidden", "output"):
            rate = getattr(self, name)
            if rate is not None and not 0 <= rate < 1:
                raise InputError(f"{name}={rate!r}: give a rate from 0 to below 1")
        for name in ("alpha", "beta"):
            weight = getattr(self, name)
            if weight is not None and not 0 <= weight < float("inf"):
                raise InputError(f"{name}={weight!r}: give a number of at least 0")

    def over(self, other: Regularization) -> Regularization:
        """Take from `other` what is left at None here."""
        held = {f.name: getattr(self, f.name) for f in fields(self)}
        return Regularization(
            **{n: getattr(other, n) if value is None else value for n, value in held.items()}
        )
