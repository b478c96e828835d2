"""Made pairs are right, and what is tested was not trained on."""

import datetime
import random

import pytest

from benchmarks import rewriting, translation
from benchmarks.harness import Result


def test_numbers_are_spelled():
    assert rewriting.spelled(0) == "zero"
    assert rewriting.spelled(13_000) == "thirteen thousand"
    assert rewriting.spelled(980_111) == "nine hundred eighty thousand one hundred eleven"
    words = {rewriting.spelled(n) for n in range(0, 1_000_000, 997)}
    assert len(words) == len(range(0, 1_000_000, 997))


def test_dates_name_the_day_that_they_stand_for():
    forms = ("%B %d, %Y", "%A, %d %B %Y", "%d. %b %Y", "%d.%m.%Y", "%m/%d/%Y")
    read = 0
    for written, iso in rewriting.dates(500, random.Random(1)):
        day = datetime.date.fromisoformat(iso)
        for form in forms:
            try:
                found = datetime.datetime.strptime(written, form)
            except ValueError:
                continue
            assert found.date() == day
            read += 1
    assert read > 200
    ordinals = [w.split()[0] for w, _ in rewriting.dates(2000, random.Random(2)) if " of " in w]
    assert {"1st", "2nd", "3rd", "11th", "12th", "13th", "21st", "22nd", "23rd"} <= set(ordinals)


@pytest.mark.parametrize("name", rewriting.MADE)
def test_the_test_part_is_new_and_follows_from_the_seed(name):
    train, test = rewriting.parts(name, 300, 100, 0)
    assert (len(train), len(test)) == (300, 100)
    assert {t for _, t in train}.isdisjoint({t for _, t in test})
    assert rewriting.parts(name, 300, 100, 0) == (train, test)
    assert rewriting.parts(name, 300, 100, 1)[1] != test


def test_letters_are_reversed():
    assert all(a[::-1] == b for a, b in rewriting.reversal(50, random.Random(0)))


def test_the_gate_is_shut_by_what_is_broken():
    assert translation.gate(Result({"numbers_exact": 1.0, "multi30k_bleu": 30.0})) is None
    assert "numbers" in (translation.gate(Result({"numbers_exact": 0.5})) or "")
    worse = {"multi30k_bleu": 3.0, "multi30k_word_by_word_bleu": 9.0}
    assert "word by word" in (translation.gate(Result(worse)) or "")
