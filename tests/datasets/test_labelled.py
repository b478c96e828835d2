"""The sets of labelled sequences have the sizes that their authors gave them."""

from __future__ import annotations

import pytest

from gatewise.datasets.labelled import peptides, sst2, trec, ucr
from gatewise.errors import InputError


def got(load):
    """A set, or a skipped test with the sentence that says how to get it."""
    try:
        return load()
    except InputError as missing:
        pytest.skip(str(missing))


def test_japanese_vowels_has_uneven_lengths():
    train, test = got(lambda: ucr("JapaneseVowels"))
    assert (len(train), len(test)) == (270, 370)
    assert (train.lengths.min(), train.lengths.max()) == (7, 26)
    assert len(train.channels) == 12
    assert train.labels is not None
    assert len(set(train.labels)) == 9


def test_osu_leaf_is_univariate():
    train, test = got(lambda: ucr("OSULeaf"))
    assert (len(train), len(test)) == (200, 242)
    assert train.channels == ("value",)
    assert set(train.lengths) == {427}


def test_questions_and_reviews_are_texts_with_labels(data_dir):
    train, test = got(lambda: trec(data_dir))
    assert (len(train), len(test)) == (5452, 500)
    assert test.labels is not None
    assert set(test.labels) == set("012345")
    parts = got(lambda: sst2(data_dir))
    assert [len(part) for part in parts] == [6920, 872, 1821]


def test_no_peptide_is_in_both_parts_or_twice():
    train, test = got(peptides)
    assert len(train) + len(test) == 4620
    assert train.texts is not None
    assert test.texts is not None
    assert len({*train.texts, *test.texts}) == 4620
    assert train.labels is not None
    assert set(train.labels) == {"AMP", "UniProt"}


def test_a_set_that_is_not_there_is_named():
    with pytest.raises(InputError, match="did you mean 'GunPoint'"):
        ucr("Gunpoint")
