"""A translator at work: its search, its figures, its alignments."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import evaluation, train
from ..data.batches import move
from ..data.text.vocabulary import END, START
from ..decoders.beam import BeamSearch, Hypothesis
from ..decoders.search import Search
from ..evaluation.translations import translation_figures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from ..data.pairs.pairs import Pairs
    from ..data.pairs.sentences import Sentences
    from ..evaluation.verdict import Verdict
    from .translation import Alignment, Translator

BATCH = 64
"""Sentences that are searched at a time."""

SAMPLED = 4
"""Held-out sentences that are translated while the network learns."""


def searching(search: Search, data: Pairs, n_best: int = 1) -> BeamSearch:
    """The search over the target's tokens."""
    return BeamSearch(START, END, search, n_best=n_best, never=data.never)


def searched(
    network: Any, decode: BeamSearch, dataset: Sentences, size: int = BATCH
) -> list[list[Hypothesis]]:
    """Search a dataset, sentences of a like length together; answers in the dataset's order."""
    import torch

    lengths = dataset.lengths
    order = torch.arange(0) if lengths is None else lengths.argsort(stable=True)
    answers: list[list[Hypothesis]] = [[] for _ in range(len(dataset))]
    device = next(network.parameters()).device
    with train.frozen(network):
        for rows in order.split(size):
            batch = move(dataset.batch(rows), device)
            found = decode(network, batch)
            for row, hypotheses in zip(rows.tolist(), found, strict=True):
                answers[row] = hypotheses
    return answers


def found(
    model: Translator, texts: Sequence[str], n_best: int, beam: int | None
) -> list[tuple[str, list[Hypothesis]]]:
    """Each text, and the hypotheses of a fitted model."""
    search = model.search
    if beam is not None:
        search = replace(search, beam=beam)
    elif isinstance(n_best, int) and n_best > search.beam:
        search = replace(search, beam=n_best)
    data: Any = model.data_
    decode = searching(search, data, n_best)
    if not texts:
        return []
    dataset = data.encode(list(texts))
    return list(zip(texts, searched(model.network_, decode, dataset), strict=True))


def sampler(data: Pairs) -> Callable[[nn.Module], str] | None:
    """Make what translates a few held-out texts at each look at them, a line each; greedily."""
    if data.valid_ is None:
        return None
    texts = list(data.valid_.pairs.sources[:SAMPLED])
    dataset, decode = data.encode(texts), searching(Search(beam=1), data)

    def sample(network: nn.Module) -> str:
        best = (one[0] for one in searched(network, decode, dataset))
        written = (data.written(text, each) for text, each in zip(texts, best, strict=True))
        return "\n".join(" ".join(text.split()) for text in written)

    return sample


def aligned(data: Pairs, source: str, best: Hypothesis) -> Alignment:
    """Name the tokens of a hypothesis and of its source beside the weights."""
    from .translation import Alignment

    if not source.strip():
        best = best._replace(tokens=[], weights=best.weights[:0])
    names = data.copied(source, best) or [data.target_.names[token] for token in best.tokens]
    tokens = (*data.source_.split(source), data.source_.names[END])
    weights = best.weights[:, : len(tokens)].numpy()
    return Alignment(tokens, tuple(names), weights)


class Figures:
    """BLEU, chrF and exact matches on pairs, beside those of a copy and of the lexicon.

    Args:
        data: Fitted.

    Attributes:
        translations: Of the pairs that the fit held out; None after a load.
    """

    def __init__(self, data: Pairs) -> None:
        self.data = data
        self.translations: list[str] | None = None

    def __call__(self, network: nn.Module, decode: Any, dataset: Any) -> Verdict:
        """Judge a network on pairs."""
        pairs = dataset.pairs
        assert pairs.targets is not None
        best = [one[0] for one in searched(network, decode, dataset)]
        rows = zip(pairs.sources, best, strict=True)
        translations = [self.data.written(text, hypothesis) for text, hypothesis in rows]
        if dataset is self.data.valid_:
            self.translations = translations
        table = {
            "model": translation_figures(translations, pairs.targets),
            "source copied": translation_figures(pairs.sources, pairs.targets),
            "word by word": translation_figures(
                [self.data.looked_up(text) for text in pairs.sources], pairs.targets
            ),
        }
        return evaluation.Verdict(table, tuple(_said(table, len(pairs))))


def _said(table: dict[str, dict[str, float]], count: int) -> list[str]:
    metric = next(iter(table["model"]))
    own, others = table["model"][metric], {k: v[metric] for k, v in table.items() if k != "model"}
    name = max(others, key=lambda k: others[k])
    words = {"bleu": "a BLEU of", "exact": "a share of exact matches of"}[metric]
    shown = [f"{v:.1f}" if metric == "bleu" else f"{v:.3f}" for v in (own, others[name])]
    said = [f"On {count} pairs it reaches {words} {shown[0]}; {name} reaches {shown[1]}."]
    if own <= others[name]:
        said.append(f"This model loses to {name}: give it more pairs or more steps.")
    return said


def worst(translations: Sequence[str], references: Sequence[str], count: int) -> list[int]:
    """Places of the translations that are least like their references, worst first."""
    from ..evaluation.translations import sentence_scores

    scores = np.array(sentence_scores(translations, references))
    return scores.argsort(kind="stable")[:count].tolist()
