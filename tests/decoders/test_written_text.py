from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.data import Tokens, Vocabulary
from gatewise.decoders.written_text import stopped, written

TEXT = "He said: \"Well, it's 5 o'clock (or so).\"\nShe left; then 😀 came.\n" * 3


@pytest.mark.parametrize("unit", ["word", "char", "byte"])
def test_pieces_together_are_the_text(unit):
    vocabulary = Vocabulary(Tokens(unit)).fit(TEXT)
    numbers = vocabulary.encode(TEXT)
    pieces = list(written(vocabulary, numbers))
    assert "".join(pieces) == vocabulary.decode(numbers)
    assert len(pieces) > len(numbers) / 2


def test_half_a_character_waits_and_is_not_waited_for_without_end():
    vocabulary = Vocabulary(Tokens("byte"))
    smile = vocabulary.encode("😀")
    assert list(written(vocabulary, smile)) == ["😀"]
    broken = [smile[0]] * 20
    assert "".join(written(vocabulary, broken)) == vocabulary.decode(broken)


@given(st.text("abc", max_size=30), st.lists(st.text("abc", max_size=3), max_size=3), st.data())
def test_it_stops_at_the_first_of_the_texts_however_it_is_cut(text, stop, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    edges = [0, *cuts, len(text)]
    pieces = [text[a:b] for a, b in pairwise(edges)]
    ends = [at for s in stop if s and (at := text.find(s)) >= 0]
    found = "".join(stopped(iter(pieces), stop))
    assert found == text[: min(ends, default=len(text))]


def test_what_cannot_become_a_stop_text_is_given_at_once():
    given_ = []

    def pieces():
        for piece in "ab", "c", "d":
            given_.append(piece)
            yield piece

    text = stopped(pieces(), ["xyz"])
    assert next(text) == "ab"
    assert given_ == ["ab"]


def test_one_text_to_stop_at_is_not_its_letters():
    assert "".join(stopped(iter(["no ", "END", " more"]), "END")) == "no "


@pytest.mark.parametrize("unit", ["word", "byte"])
def test_what_follows_a_prompt_is_written_as_if_it_had_been_one_text(unit):
    vocabulary = Vocabulary(Tokens(unit)).fit(TEXT)
    numbers = vocabulary.encode(TEXT)
    for cut in (1, 20, 40):
        prompt, rest = numbers[:cut], numbers[cut:]
        pieces = "".join(written(vocabulary, rest, prompt))
        assert pieces == vocabulary.decode(numbers)[len(vocabulary.decode(prompt)) :]
