from __future__ import annotations

import numpy as np
import pytest

from gatewise.decoders.sampling import Sampler, Sampling
from gatewise.errors import InputError

LOGITS = np.log(np.array([0.5, 0.25, 0.15, 0.1], np.float32))


def shares(sampling, logits=LOGITS, count=8000):
    draw = Sampler(sampling)
    return np.bincount([draw(logits) for _ in range(count)], minlength=len(logits)) / count


@pytest.mark.parametrize(
    ("sampling", "wanted"),
    [
        (Sampling(seed=0), [0.5, 0.25, 0.15, 0.1]),
        (Sampling(0.5, seed=0), np.array([0.25, 0.0625, 0.0225, 0.01]) / 0.345),
        (Sampling(0.0), [1, 0, 0, 0]),
        (Sampling(top_k=2, seed=0), [2 / 3, 1 / 3, 0, 0]),
        (Sampling(top_p=0.5, seed=0), [1, 0, 0, 0]),
        (Sampling(top_p=0.51, seed=0), [2 / 3, 1 / 3, 0, 0]),
        (Sampling(top_p=0.9, seed=0), np.array([0.5, 0.25, 0.15, 0]) / 0.9),
        (Sampling(top_k=3, top_p=0.8, seed=0), np.array([0.5, 0.25, 0.15, 0]) / 0.9),
    ],
)
def test_tokens_come_as_often_as_they_should(sampling, wanted):
    assert np.abs(shares(sampling) - wanted).max() < 0.02


def test_what_must_not_come_never_comes():
    logits = np.array([-np.inf, 1.0, -np.inf, 0.0], np.float32)
    for sampling in (Sampling(5.0, seed=1), Sampling(5.0, top_k=4, seed=1), Sampling(0)):
        assert shares(sampling, logits, 500)[[0, 2]].sum() == 0


def test_a_seed_gives_the_same_text_and_none_another():
    def text(seed):
        draw = Sampler(Sampling(seed=seed))
        return [draw(LOGITS) for _ in range(50)]

    assert text(3) == text(3) != text(4)
    assert text(None) != text(None)


def test_repetition_is_divided_or_multiplied_as_in_ctrl_and_forgotten_in_time():
    draw = Sampler(Sampling(0.0, repetition=2.0, lately=1))
    logits = np.array([3.0, 2.0, -1.0], np.float32)
    assert [draw(logits) for _ in range(4)] == [0, 1, 0, 1]
    assert [Sampler(Sampling(0.0, repetition=1.2))(logits) for _ in range(2)] == [0, 0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1), ("temperature", float("nan")), ("top_k", -1), ("top_k", 1.5),
        ("temperature", "hot"), ("top_p", True),
        ("top_p", 0.0), ("top_p", 1.1), ("repetition", 0.9), ("lately", 0), ("seed", -1),
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused_by_name(name, value):
    with pytest.raises(InputError, match=f"{name}="):
        Sampling(**{name: value})
