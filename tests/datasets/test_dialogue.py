from __future__ import annotations

import pytest

from gatewise.data.dialogue.turns import read_conversations
from gatewise.datasets.dialogue import chatterbot
from gatewise.errors import InputError


def topics():
    try:
        return chatterbot()
    except InputError as missing:
        pytest.skip(str(missing))


def test_topics_are_files_and_most_of_the_pairs_are_there_once():
    found = topics()
    assert len(found) == 21
    assert sum(len(t) - 1 for c in found.values() for t in c.threads) == 2306
    tech = read_conversations(found["tech_support"].threads)
    assert len(tech) == 10


def test_another_language_is_there_and_an_unknown_one_is_not():
    topics()
    assert len(chatterbot("german")) > 1
    with pytest.raises(InputError, match="language='klingon': give one of bengali"):
        chatterbot("klingon")
