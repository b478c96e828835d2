from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from gatewise.decoders.answers import WAYS, Manner
from gatewise.decoders.confidence import Confidence
from gatewise.decoders.sampling_spec import Sampling
from gatewise.tasks.dialogue import Dialogue
from gatewise.train import Trainer

THREADS = [(f"What is thing {i}?", f"A thing called T{i}.", "I see.") for i in range(50)]


@pytest.fixture(scope="module")
def model():
    return Dialogue(trainer=Trainer(max_steps=4)).fit(THREADS)


def asked(model, texts, **manner):
    decode, network = model.task_.decode, model.network_
    batch = decode.coder.batch([(text,) for text in texts], None)
    with torch.no_grad():
        return decode.answers(network, batch, network.hear(batch), Manner(**manner))


def test_confidence_is_scikit_learns_logistic_regression():
    linear = pytest.importorskip("sklearn.linear_model")
    draw = np.random.default_rng(0)
    x = draw.normal(size=(200, 2)) * [1.0, 5.0] + [0.0, 2.0]
    y = draw.random(200) < 1 / (1 + np.exp(-(x[:, 0] + 0.3 * x[:, 1])))
    scaled = np.column_stack([(x - x.mean(0)) / x.std(0), np.ones(200)])
    # Its penalty is on the sum, ours on the mean: C = 1 / (ridge * examples).
    theirs = linear.LogisticRegression(C=1 / (1e-2 * 200), fit_intercept=False, tol=1e-8)
    expected = theirs.fit(scaled, y).predict_proba(scaled)[:, 1]
    assert np.allclose(Confidence(("a", "b")).fit(x, y)(x), expected, atol=1e-3)


def test_a_measure_never_speaks_against_an_answer():
    x = np.array([[0.0, 3.0], [1.0, 2.0], [2.0, 1.0], [3.0, 0.0]])
    confidence = Confidence(("a", "b")).fit(x, [False, False, True, True])
    assert (confidence.weights[:2] >= 0).all()
    assert confidence([[2.0, 0.0]]) == confidence([[2.0, 9.0]])
    again = Confidence(("a", "b"))
    again.restore(json.loads(json.dumps(confidence.state())))
    assert np.array_equal(again(x), confidence(x))


def test_all_wrong_is_never_sure():
    x = np.arange(20.0)[:, None]
    assert (Confidence(("a",)).fit(x, [False] * 20)(x) < 0.2).all()


def test_each_way_proposes_ranks_and_says_why(model):
    for way in WAYS:
        for answer in asked(model, ["What is thing 3?", "zebra"], way=way, sure=0.0):
            scores = [p.score for p in answer.proposals]
            assert scores == sorted(scores, reverse=True)
            assert answer.text == answer.proposals[0].text
            assert not answer.unsure
            assert 0 <= answer.confidence <= 1
            assert np.isfinite(answer.measures).all()


def test_diversity_weighs_likelihood_against_fit(model):
    for diversity in (0.0, 0.3, 1.0):
        (answer,) = asked(model, ["What is thing 3?"], way="beam", diversity=diversity)
        for p in answer.proposals:
            expected = (1 - diversity) * p.likelihood + diversity * p.match
            assert p.score == pytest.approx(expected)


def test_below_the_threshold_the_fallback_is_said(model):
    (answer,) = asked(model, ["zebra"], way="choose", sure=1.0, fallback="No idea.")
    assert answer.unsure
    assert answer.text == "No idea."
    assert answer.proposals


def test_draws_follow_their_seed(model):
    def drawn(seed):
        answers = asked(model, ["thing"], way="sample", sampling=Sampling(seed=seed), sure=0.0)
        return [p.text for p in answers[0].proposals]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_reply_that_was_learned_is_chosen_for_its_turn(model):
    known = model.data_.pairs_[0]
    (answer,) = asked(model, [known[0]], way="choose", sure=0.0)
    assert answer.text == known[1]
    assert answer.familiar == known
    assert answer.measures[2] == pytest.approx(1.0, abs=1e-6)


def test_what_nobody_says_is_less_sure_than_what_was_learned(model):
    known, strange = asked(model, [model.data_.pairs_[0][0], "gniht si tahw"], way="choose")
    assert strange.confidence < 0.2 < known.confidence


def test_the_way_that_was_right_most_often_is_taken(model):
    decode = model.task_.decode
    assert set(decode.right) == set(WAYS)
    best = max(decode.right.values())
    assert decode.right[decode.chosen(Manner())] == best
    assert decode.chosen(Manner(way="sample")) == "sample"
