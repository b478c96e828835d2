"""What a reply is: proposals, the answer among them, and the manner in which it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from .sampling_spec import Sampling
from .search import Search

Way = Literal["auto", "beam", "sample", "choose"]

WAYS: tuple[Way, ...] = ("choose", "beam", "sample")
"""The ways there are; the first of equals is taken by "auto"."""

MEASURES = ("match", "fluency", "familiarity")
"""How well the reply fits what was said; how likely the network is to write it, in nats per token;
and how much the last turn shares with the most similar one that was learned."""


class Proposal(NamedTuple):
    """A reply that may be given.

    Attributes:
        text: The reply.
        score: What it was ranked by.
        match: The matcher's score: information that the conversation and the reply share, in nats.
        likelihood: Logarithm of its probability; None where it was chosen.
    """

    text: str
    score: float
    match: float
    likelihood: float | None


class Answer(NamedTuple):
    """What is replied.

    Attributes:
        text: The reply, or the fallback line where it is unsure.
        confidence: Chance that the best reply is right, from 0 to 1.
        unsure: Whether that is too little.
        measures: What the confidence follows from, in the order of `MEASURES`.
        proposals: Replies that were compared, best first.
        familiar: The most similar turn that was learned, and its reply.
    """

    text: str
    confidence: float
    unsure: bool
    measures: tuple[float, ...]
    proposals: tuple[Proposal, ...]
    familiar: tuple[str, str]


@dataclass(frozen=True)
class Manner:
    """How to reply.

    Args:
        way: "beam" and "sample" write, "choose" takes one of the replies that were learned, "auto"
            whichever of these was right most often on held-out conversations.
        search: Of "beam".
        sampling: Of "sample".
        diversity: From 0 for the likeliest reply to 1 for the one that fits best.
        sure: Least chance of being right; below it the fallback is said.
        fallback: What is said then.
    """

    way: Way = "auto"
    search: Search = Search()
    sampling: Sampling = Sampling()
    diversity: float = 0.5
    sure: float = 0.5
    fallback: str = ""
