from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data import Tokens, Vocabulary
from gatewise.data.text.vocabulary import END, PAD, START, UNKNOWN
from gatewise.errors import InputError

TEXTS = [
    "the cat sat on the mat",
    "the dog sat",
    "a cat!",
    "caf\u00e9 \U0001f469\u200d\U0001f467 \x00\r\n",
]
UNITS = ("word", "char", "byte", "subword")


def made(unit, texts=TEXTS, **options):
    if unit == "subword":
        pytest.importorskip("tokenizers")
    return Vocabulary(Tokens(unit, **options)).fit(texts)


@pytest.mark.parametrize("unit", UNITS)
def test_special_numbers_come_first(unit):
    assert (PAD, UNKNOWN, START, END) == (0, 1, 2, 3)
    assert made(unit).names[:4] == ["<pad>", "<unk>", "<s>", "</s>"]


def test_words_are_ranked_by_how_often_then_by_text():
    assert made("word").names[4:9] == ["the", "cat", "sat", "\x00", "\n"]


def test_size_and_min_count_keep_the_most_frequent():
    assert made("word", size=6).names[4:] == ["the", "cat"]
    assert made("word", min_count=2).names[4:] == ["the", "cat", "sat"]
    assert len(made("subword", size=270)) <= 270


def test_lower_case_is_asked_for():
    assert made("word", ["The the"]).names[4:] == ["The", "the"]
    vocabulary = made("word", ["The the"], lower=True)
    assert vocabulary.encode("THE") == vocabulary.encode_tokens(["tHe"]) == [4]


def test_bytes_need_no_fit():
    vocabulary = Vocabulary(Tokens("byte"))
    assert len(vocabulary) == 260
    assert vocabulary.encode("A\u20ac") == [4 + b for b in "A\u20ac".encode()]
    assert vocabulary.split("A") == ["<0x41>"]


@given(text=st.text(st.characters(codec="utf-8")))
def test_bytes_and_characters_come_back(text):
    assert Vocabulary(Tokens("byte")).decode(Vocabulary(Tokens("byte")).encode(text)) == text
    vocabulary = Vocabulary(Tokens("char")).fit(text)
    assert vocabulary.decode(vocabulary.encode(text)) == text


@settings(deadline=None, max_examples=40)
@given(text=st.text(st.characters(codec="utf-8")))
def test_subwords_come_back_even_where_nothing_like_it_was_learned(text):
    vocabulary = made("subword", size=300)
    assert UNKNOWN not in vocabulary.encode(text)
    assert vocabulary.decode(vocabulary.encode(text)) == text


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("text", [*TEXTS, "", "<pad> <s> unseen"])
def test_tokens_have_the_numbers_of_their_text(unit, text):
    vocabulary = made(unit)
    assert vocabulary.encode_tokens(vocabulary.split(text)) == vocabulary.encode(text)
    assert not {PAD, START, END} & set(vocabulary.encode(text))


@pytest.mark.parametrize("unit", UNITS)
def test_a_restored_vocabulary_is_the_same(unit):
    vocabulary = made(unit, lower=True)
    again = Vocabulary.restored(json.loads(json.dumps(vocabulary.state())))
    assert again.names == vocabulary.names
    assert again.tokens == vocabulary.tokens
    for text in [*TEXTS, "Something ELSE\n"]:
        assert again.encode(text) == vocabulary.encode(text)
        assert again.decode(again.encode(text)) == vocabulary.decode(vocabulary.encode(text))


@pytest.mark.parametrize("unit", UNITS)
def test_the_same_texts_give_the_same_numbers(unit):
    assert made(unit).names == made(unit, list(TEXTS)).names


def test_what_is_unknown_is_shown():
    assert made("word").decode([4, UNKNOWN, PAD, START, END, 5]) == "the <unk> cat"
    assert made("char").decode([UNKNOWN]) == "\ufffd"


def test_one_text_is_not_taken_for_many():
    assert made("word", "the cat").names[4:] == ["cat", "the"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"unit": "bytes"}, "did you mean 'byte'"),
        ({"size": 0}, "size=0: give a whole number of at least 5"),
        ({"unit": "subword", "size": 100}, "at least 260"),
        ({"min_count": 1.5}, "min_count=1.5"),
        ({"lower": "no"}, "lower='no': give True or False"),
    ],
)
def test_wrong_tokens_are_refused(fields, said):
    with pytest.raises(InputError, match=said):
        Tokens(**fields)


def test_wrong_texts_and_numbers_are_refused():
    vocabulary = made("word")
    with pytest.raises(InputError, match="3 is a int: give text"):
        vocabulary.encode(3)
    with pytest.raises(InputError, match="no entry 99"):
        vocabulary.decode([99])
    with pytest.raises(InputError, match="call fit"):
        Vocabulary(Tokens("subword")).encode("a")
