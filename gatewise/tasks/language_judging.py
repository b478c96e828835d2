"""A language model beside what counting and compressing reach."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.text.vocabulary import UNKNOWN
from ..decoders.neural_cache import Cache, cached_nats
from ..errors import InputError
from ..evaluation.ngram import compressed
from ..evaluation.verdict import Verdict
from ..objectives.language import LanguageLoss
from ..train import evaluate
from ..train.dynamic import Dynamic, evaluate_dynamically

if TYPE_CHECKING:
    from torch import nn

    from ..data.language.streams import Passage
    from ..data.language.texts import Texts

READERS = 16
"""Streams that a passage is shared out among when it is judged."""

ADAPTED_WINDOW = 32
"""Tokens between two steps of a model that follows the text."""


@dataclass(frozen=True)
class Judge:
    """Puts surprise per token and bits per character beside the baselines'.

    Args:
        data: With the vocabulary, and the counts of the training part.
    """

    data: Texts

    def __call__(
        self,
        network: nn.Module,
        decode: Any,
        dataset: Any,
        *,
        dynamic: Dynamic | None = None,
        cache: Cache | None = None,
    ) -> Verdict:
        """Judge on a passage, in ways that the model gets used to it as well.

        Args:
            network: A `LanguageNetwork`, in evaluation mode.
            decode: Not asked.
            dataset: The passage.
            dynamic: How weights follow the text; None for weights that stay.
            cache: How what was read lately is asked; None for no cache.

        Returns:
            The table, with a row for each of the two that is given.

        Raises:
            InputError: One of the two is something else.
        """
        for name, given, kind in (("dynamic", dynamic, Dynamic), ("cache", cache, Cache)):
            if given is not None and not isinstance(given, kind):
                raise InputError(f"{name}={given!r}: give a {kind.__module__}.{kind.__name__}")
        # What follows the text is read by one reader: others would read the future.
        readers = READERS if dynamic is None and cache is None else 1
        loss, _ = evaluate(network, LanguageLoss(), dataset, readers)
        found = {"model": loss}
        if dynamic is not None:
            near = replace(dataset, window=ADAPTED_WINDOW)
            name = "dynamic evaluation"
            found[name] = evaluate_dynamically(network, LanguageLoss(), near, dynamic)
        if cache is not None:
            found["neural cache"] = cached_nats(network, dataset, cache)
        return self.verdict(dataset, found)

    def verdict(self, dataset: Passage, found: dict[str, float]) -> Verdict:
        """Rows of what was found, in nats per token, then those of the baselines."""
        rows = {name: figures(loss, dataset) for name, loss in found.items()}
        sentences: list[str] = []
        if (counts := self.data.baselines_) is not None:
            for name, loss in counts.means(dataset.tokens, dataset.start).items():
                rows[name] = figures(loss, dataset)
            own, gram = rows["model"]["nats_per_token"], rows["5-gram"]["nats_per_token"]
            worse = own >= gram
            sentences.append(
                f"The model's surprise is {own:.3f} nats per token and the 5-gram's {gram:.3f}"
                + (": counting is better here." if worse else ".")
            )
        head = dataset.facts["head"]
        if head:
            characters = len(head.decode(errors="replace"))
            for name, bits in compressed(head).items():
                rows[name] = {"bits_per_character": bits / characters}
            sentences.append("gzip and xz saw nothing but the text itself.")
        unknown = np.count_nonzero(dataset.tokens[dataset.start :] == UNKNOWN)
        if unknown:
            share = unknown / len(dataset)
            sentences.append(
                f"{share:.2%} of the tokens have no entry in the vocabulary; to guess only that "
                "something unknown comes flatters all but gzip and xz."
            )
        return Verdict(rows, tuple(sentences))


def figures(loss: float, dataset: Passage) -> dict[str, float]:
    """Nats per token as the usual figures.

    Args:
        loss: Mean over the passage's tokens.
        dataset: The passage.
    """
    bits = loss * len(dataset) / math.log(2) / max(dataset.facts["characters"], 1)
    return {
        "nats_per_token": loss,
        "bits_per_character": bits,
        "perplexity": math.exp(min(loss, 700.0)),
    }
