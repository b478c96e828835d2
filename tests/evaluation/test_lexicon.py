"""IBM's model 1 against the same in plain loops, and the figures of translations."""

import random
from collections import defaultdict

import pytest
import sacrebleu

from gatewise.evaluation.lexicon import Lexicon
from gatewise.evaluation.translations import sentence_scores, translation_figures


def plainly(sources, targets, rounds):
    """Brown et al. 1993 in the words of Koehn's textbook (2010, figure 4.3)."""
    chance = defaultdict(lambda: 1.0)
    for _ in range(rounds):
        counts, total = defaultdict(float), defaultdict(float)
        for source, target in zip(sources, targets, strict=True):
            for word in target:
                whole = sum(chance[word, other] for other in source)
                for other in source:
                    share = chance[word, other] / whole
                    counts[word, other] += share
                    total[other] += share
        chance = defaultdict(float, {(w, o): c / total[o] for (w, o), c in counts.items()})
    return chance


def test_it_is_model_1():
    draw = random.Random(0)
    sources = [[draw.choice("abcdef") for _ in range(draw.randint(1, 6))] for _ in range(60)]
    targets = [[w.upper() for w in s if draw.random() < 0.8] or ["X"] for s in sources]
    lexicon = Lexicon.fit(sources, targets, rounds=4)
    chance = plainly(sources, targets, 4)
    for word, best in lexicon.words.items():
        highest = max(p for (_, other), p in chance.items() if other == word)
        assert chance[best, word] == pytest.approx(highest)
    assert lexicon("abz") == ["A", "B", "z"]
    assert Lexicon.restored(lexicon.state()).words == lexicon.words


def test_of_nothing_it_copies():
    assert Lexicon.fit([[]], [["a"]])("xy") == ["x", "y"]


def test_figures_are_those_of_sacrebleu():
    translations = ["the cat sat on the mat", "a dog runs in the park", "hello world out there"]
    references = ["the cat sat on a mat", "a dog runs in the park", "hello wide world there"]
    figures = translation_figures(translations, references)
    assert list(figures) == ["bleu", "chrf", "exact"]
    assert figures["bleu"] == sacrebleu.corpus_bleu(translations, [references]).score
    assert figures["chrf"] == sacrebleu.corpus_chrf(translations, [references]).score
    assert figures["exact"] == pytest.approx(1 / 3)
    assert list(translation_figures(["12", "34"], ["12", "3"])) == ["exact", "chrf"]
    scores = sentence_scores(translations, references)
    assert scores.index(min(scores)) == 2


def test_without_sacrebleu_exact_matches_are_left(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert translation_figures(["a"], ["a "]) == {"exact": 1.0}
    assert sentence_scores(["a", "b"], ["a", "c"]) == [100.0, 0.0]
