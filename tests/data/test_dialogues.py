from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from gatewise.data.dialogue.dialogues import Dialogues
from gatewise.data.dialogue.library import Library
from gatewise.data.dialogue.overlap import Overlap
from gatewise.data.dialogue.word_forms import SHAPES, WordForms
from gatewise.data.text.tokens_spec import Tokens
from gatewise.errors import InputError
from gatewise.nn.networks import matcher

THREADS = [(f"What is thing {i}?", f"A thing called T{i}.", "I see.") for i in range(50)]


def fitted(threads=THREADS, context=4):
    data = Dialogues(Tokens("word"), context)
    return data, data.fit(threads)


def test_whole_conversations_are_held_out_and_nothing_is_learned_from_them():
    data, fold = fitted()
    held = {context[0] for context in fold.valid.contexts}
    kept = {context[0] for context in fold.train.contexts}
    assert len(held) == 5
    assert not held & kept
    for prompt in held:
        number = prompt.split()[-1].rstrip("?")
        assert number not in data.vocabulary_.names
        assert f"t{number}" not in data.overlap_.kinds[0].seen
        assert prompt not in {pair[0] for pair in data.pairs_}


def test_a_batch_says_who_said_what_and_what_else_is_right():
    data, fold = fitted(context=2)
    batch = fold.train.batch(torch.tensor([0, 1, 2, 3]))
    assert batch.context_lengths.tolist() == [1, 2, 1, 2]
    assert batch.mine.tolist() == [[0, 0], [1, 0], [0, 0], [1, 0]]
    # "I see." is the reply of two of them, and one candidate.
    assert batch.right.tolist() == [0, 1, 2, 1]
    assert not batch.also.any()
    assert len(batch.answers) == batch.answer_lengths.sum()
    turn = batch.turns.tokens[batch.context[1, 1]]
    assert data.vocabulary_.decode(turn.tolist()) == fold.train.contexts[1][-1]


def test_another_known_reply_is_no_wrong_one():
    _, fold = fitted([("Joke?", "One."), ("joke?", "Two."), ("Hm?", "Three.")])
    assert fold.valid is None
    batch = fold.train.batch(torch.arange(3))
    assert batch.also.int().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_what_is_restored_makes_the_same_batches():
    data, _ = fitted()
    settings, tensors = data.state()
    again = Dialogues(Tokens("word"), 4)
    again.restore(json.loads(json.dumps(settings)), tensors)
    contexts = [("What is thing 3?",), ("What is new?", "I see.", "Who?")]
    one, two = (d.encode(contexts).batch(torch.arange(2)) for d in (data, again))
    for a, b in zip(one.turns, two.turns, strict=True):
        assert torch.equal(a, b)
    assert again.library.familiar("thing 3") == data.library.familiar("thing 3")
    assert np.array_equal(again.unigram(), data.unigram())


def test_an_empty_conversation_is_named():
    data, _ = fitted()
    with pytest.raises(InputError, match="conversation 2 is empty"):
        data.encode(["hello", "  "])


def test_overlap_is_the_cosine_of_both_kinds():
    overlap = Overlap().fit([turn for thread in THREADS for turn in thread])
    texts, others = ["What thing?", "", "zebra zebras"], ["A thing", "zebra", "what thing"]
    found = overlap(texts, others)
    for k, kind in enumerate(overlap.kinds):
        assert np.allclose(found[..., k], kind.similarity(texts, others), atol=1e-6)


def test_the_network_knows_all_shapes():
    assert len(SHAPES) == matcher.SHAPES


def test_rare_words_share_what_they_have_in_common():
    forms = WordForms(least=2).fit(["who painted it", "who counted it"])
    one, two = forms.encode("who painted it"), forms.encode("who invited it")
    assert one == two
    assert forms.encode("Hello 1,000 A4 NASA !")[1] == [2, 4, 5, 3, 6]
    again = WordForms.restored(json.loads(json.dumps(forms.state())))
    assert again.encode("who went?") == forms.encode("who went?")


def test_a_library_of_too_much_keeps_some_of_it(monkeypatch):
    monkeypatch.setattr("gatewise.data.dialogue.library.MOST", 3)
    pairs = [(f"p{i}", f"r{i}") for i in range(9)]
    library = Library(pairs, Overlap().fit(p for pair in pairs for p in pair))
    assert len(library.pairs) == 3
    assert set(library.pairs) <= set(pairs)
