"""How a target sequence is written, as a small value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ...errors import InputError, nearest
from ..arguments import check_sizes

Looking = Literal["multiplicative", "additive", "none"]
Feeding = Literal["layer", "none", "output", "context"]


@dataclass(frozen=True)
class Writer:
    """How the target is written; its layers are as many and of the cell as the encoder's.

    Args:
        attention: How a step looks at the source: "multiplicative" (Luong et al. 2015,
            https://arxiv.org/abs/1508.04025), "additive" (Bahdanau et al. 2015,
            https://arxiv.org/abs/1409.0473) or "none", which is told all by the encoder's last
            state.
        feeding: How a step knows where those before it looked: by a recurrent "layer" above the
            attention, or as part of the input, the last "output" (Luong's input feeding) or
            "context" (Bahdanau's); or "none". With "layer" and "none" training computes all
            steps at once, in about half the time.
        coverage: Price of looking twice at the same place (See et al. 2017,
            https://arxiv.org/abs/1704.04368); additive attention is also told what it has covered,
            step by step.
        embedding: Features of a token.
        tied: Whether the output's weights are those of the target's embedding.
        dropout: Rate of what is dropped of embeddings and outputs while training.
        sampling: Share of the inputs that are the network's own guesses in the end of training
            (Bengio et al. 2015, https://arxiv.org/abs/1506.03099); above 0 it trains step by step.

    Raises:
        InputError: A field is not as above.

    Example:
        >>> Writer(attention="additive").at_once
        True
        >>> Writer(feeding="outputs")
        Traceback (most recent call last):
        gatewise.errors.InputError: feeding='outputs': did you mean 'output'?
    """

    attention: Looking = "multiplicative"
    feeding: Feeding = "layer"
    coverage: float = 0.0
    embedding: int = 256
    tied: bool = True
    dropout: float = 0.3
    sampling: float = 0.0

    def __post_init__(self) -> None:
        for name, known in (("attention", get_args(Looking)), ("feeding", get_args(Feeding))):
            if (value := getattr(self, name)) not in known:
                raise InputError(f"{name}={value!r}: {nearest(str(value), known)}")
        check_sizes({"embedding": self.embedding}, self.dropout)
        if not isinstance(self.tied, bool):
            raise InputError(f"tied={self.tied!r}: give True or False")
        if isinstance(self.sampling, bool) or not 0 <= self.sampling <= 1:
            raise InputError(f"sampling={self.sampling!r}: give a share from 0 to 1")
        if isinstance(self.coverage, bool) or not 0 <= self.coverage < float("inf"):
            raise InputError(f"coverage={self.coverage!r}: give a number of at least 0")
        if self.attention == "none" and (self.coverage or self.feeding in ("output", "context")):
            raise InputError(
                "attention='none' has nothing to feed or to cover: set feeding to 'layer' or "
                "'none', and coverage to 0"
            )

    @property
    def covers(self) -> bool:
        """Whether the attention is told what it has covered."""
        return self.coverage > 0 and self.attention == "additive"

    @property
    def at_once(self) -> bool:
        """Whether training computes all steps at once."""
        return self.feeding in ("layer", "none") and not self.covers and not self.sampling
