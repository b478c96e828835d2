"""How a language network writes: on from a prompt, and in samples while it learns."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Literal

from ..data.text.vocabulary import END, PAD, START, UNKNOWN
from ..decoders.sampling import Sampler, Sampling
from ..decoders.writing import Steps, tokens
from ..decoders.written_text import stopped, written
from ..train import frozen
from ..train.asking import device_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import nn

    from ..data.language.texts import Texts

SAMPLED = 160
"""Tokens of a sample that is taken while the network learns."""

SAMPLES = Sampling(temperature=0.8, seed=0)
"""How those are drawn: the same chances each time, so that only the network changes."""


def write(
    network: nn.Module,
    data: Texts,
    prompt: str,
    sampling: Sampling,
    *,
    most: int | None,
    stop: str | Sequence[str] = (),
    weights: Literal["bfloat16", "int8"] | None = None,
) -> Iterator[str]:
    """Write on from a prompt, piece by piece.

    Args:
        network: A `LanguageNetwork`, in evaluation mode.
        data: With the vocabulary.
        prompt: What the text begins with.
        sampling: How tokens are drawn.
        most: Tokens to write at most; None for no limit.
        stop: Texts at which to stop, or one text.
        weights: Type of the recurrent weights.
    """
    vocabulary = data.vocabulary_
    given = vocabulary.encode(prompt)
    banned = (PAD, UNKNOWN, START) if data.ends_ else (PAD, UNKNOWN, START, END)
    # Tokens are written one by one, which a processor does best.
    on_processor = network if device_of(network).type == "cpu" else deepcopy(network).cpu()
    steps = Steps(on_processor, [END, *given], banned, weights)  # pyright: ignore[reportArgumentType]
    numbers = tokens(steps, Sampler(sampling), most=most, end=END)
    if vocabulary.tokens.unit == "char":
        return stopped(map(vocabulary.names.__getitem__, numbers), stop)
    pieces = written(vocabulary, numbers, given)
    if vocabulary.tokens.unit == "word" and prompt[-1:].isspace():
        pieces = _following_a_space(pieces)
    return stopped(pieces, stop)


def _following_a_space(pieces: Iterator[str]) -> Iterator[str]:
    """Words drop what stands between them: a prompt's space is there already."""
    yield next(pieces, "").lstrip(" ")
    yield from pieces


def sampler(data: Texts) -> Callable[[nn.Module], str]:
    """Make what lets a network write a few lines at each look at the held-out part.

    Args:
        data: With the vocabulary.
    """

    def sample(network: nn.Module) -> str:
        with frozen(network):
            return "".join(write(network, data, "", SAMPLES, most=SAMPLED))

    return sample
