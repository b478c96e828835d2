"""How near translations come to their references."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from .._optional import need

RUN = 4
"""Words of the longest runs that BLEU counts."""


def translation_figures(translations: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Judge translations: BLEU and chrF, in percent, by sacrebleu's defaults, and exact matches.

    Post, A Call for Clarity in Reporting BLEU Scores, 2018 (https://arxiv.org/abs/1804.08771).
    BLEU counts runs of four words, and is left out where most references have fewer. Where
    sacrebleu is not installed, the share of exact matches is all there is.

    Args:
        translations: Texts as they are written, not tokenized.
        references: One for each.

    Returns:
        `bleu` and `chrf`, from 0 to 100, and `exact`, from 0 to 1; what is judged by comes first.

    Example:
        >>> translation_figures(["a b c d", "x"], ["a b c d", "y"])["exact"]
        0.5
    """
    same = [a.strip() == b.strip() for a, b in zip(translations, references, strict=True)]
    exact = {"exact": sum(same) / max(1, len(same))}
    if importlib.util.find_spec("sacrebleu") is None:
        return exact
    sacrebleu, answers = need("sacrebleu", "text"), [list(references)]
    chrf = {"chrf": sacrebleu.corpus_chrf(list(translations), answers).score}
    if sum(len(text.split()) >= RUN for text in references) < len(references) / 2:
        return exact | chrf
    return {"bleu": sacrebleu.corpus_bleu(list(translations), answers).score, **chrf, **exact}


def sentence_scores(translations: Sequence[str], references: Sequence[str]) -> list[float]:
    """Give each translation's likeness to its reference, from 0 to 100, to find the worst.

    It is sacrebleu's sentence chrF, which is smooth on short sentences; without sacrebleu, 100
    where both are the same.
    """
    pairs = list(zip(translations, references, strict=True))
    if importlib.util.find_spec("sacrebleu") is None:
        return [100.0 * (a.strip() == b.strip()) for a, b in pairs]
    judge = need("sacrebleu", "text").CHRF()
    return [judge.sentence_score(a, [b]).score for a, b in pairs]
