"""How a dialogue network writes, greedily: in samples while it learns, and in pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..data.batches import move
from ..data.dialogue.sets import LONGEST
from ..data.text.vocabulary import END, PAD, START, UNKNOWN
from ..decoders.beam import BeamSearch, Hypothesis
from ..decoders.search import Search
from ..train.asking import device_of, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from torch import nn

    from ..data.dialogue.dialogues import Dialogues
    from ..data.dialogue.turns import Thread

SAMPLED = 4
"""Held-out conversations that are replied to while the network learns."""


def sampler(data: Dialogues) -> Callable[[nn.Module], str] | None:
    """Make what replies to a few held-out conversations at each look at them, a line each."""
    contexts = sampled(data)
    if not contexts:
        return None

    def sample(network: nn.Module) -> str:
        texts = (data.vocabulary_.decode(h.tokens) for h in _written(network, data, contexts))
        return "\n".join(" ".join(text.split()) for text in texts)

    return sample


def sampled(data: Dialogues) -> list[Thread]:
    """The conversations that are replied to; none where nothing is held out, or after a load."""
    return [] if data.valid_ is None else list(data.valid_.contexts[:SAMPLED])


def attended(
    network: nn.Module, data: Dialogues, contexts: Sequence[Thread]
) -> list[tuple[list[str], list[str], np.ndarray]]:
    """Where in the last turn the network looks while it writes a reply.

    Returns:
        For each conversation the last turn's tokens, the reply's, and weights [reply, turn].
    """
    names, found = data.vocabulary_.names, []
    for context, best in zip(contexts, _written(network, data, contexts), strict=True):
        tokens = data.vocabulary_.split(context[-1])[:LONGEST]
        weights = best.weights[:, : len(tokens)].numpy()
        found.append((tokens, [names[token] for token in best.tokens], weights))
    return found


def _written(network: Any, data: Dialogues, contexts: Sequence[Thread]) -> list[Hypothesis]:
    search = BeamSearch(START, END, Search(beam=1), never=(PAD, UNKNOWN))
    with frozen(network):
        batch = move(data.coder.batch(contexts, None), device_of(network))
        return [best for (best,) in search(network, batch)]
