from __future__ import annotations

import numpy as np
import pytest

import gatewise
from gatewise.datasets.dialogue import chatterbot
from gatewise.errors import InputError
from gatewise.evaluation.dialogue import recall_at
from gatewise.nn import Encoder
from gatewise.tasks.dialogue import Dialogue
from gatewise.tasks.dialogue_writing import attended
from gatewise.train import Trainer

COLOURS = ["red", "blue", "green", "grey", "pink", "brown", "white", "black", "gold", "teal"]
THINGS = ["car", "cat", "hat", "cup"]
THREADS = [
    (f"What colour is the {thing} of {name}?", f"The {thing} is {colour}.", "Thank you.", "Sure!")
    for name, colour in zip("ABCDEFGHIJ", COLOURS, strict=True)
    for thing in THINGS
]


@pytest.fixture(scope="module")
def model():
    return Dialogue(
        sure=0.4, encoder=Encoder(hidden_size=48), trainer=Trainer(max_steps=150, lr=5e-3)
    ).fit(THREADS)


def test_it_ranks_better_than_chance_and_says_so(model):
    row = model.summary_.table["model"]
    assert row["recall_1"] > 0.3
    assert "ranks first among" in model.summary_.sentences[0]
    assert {"tf-idf", "tf-idf of pieces", "unigram", "people"} <= set(model.summary_.table)
    assert row["perplexity"] < model.summary_.table["unigram"]["perplexity"]


def test_it_learns_to_write(model):
    chat = model.stream(reply="beam")
    assert chat.say("Thank you.") == "Sure!"
    assert chat.answer.confidence > 0.4


def test_a_chat_is_what_the_whole_conversation_says(model):
    chat = model.stream()
    said = [turn for text in THREADS[0][::2] for turn in (text, chat.say(text))]
    assert chat.turns == said
    if not chat.answer.unsure:
        assert chat.answer.text == model.predict([said[:-1]])[0]


def test_a_chat_can_begin_anew_and_explain_itself(model):
    chat = model.stream()
    assert chat.why() == "nothing was said yet"
    first = chat.say("What colour is the cat of A?")
    confidence = chat.answer.confidence
    assert "chance of being right" in chat.why()
    assert "most similar turn" in chat.why()
    chat.say("Thank you.")
    chat.reset()
    assert chat.turns == []
    assert chat.say("What colour is the cat of A?") == first
    assert chat.answer.confidence == pytest.approx(confidence, abs=1e-6)


def test_it_is_unsure_of_what_is_new(model):
    chat = model.stream()
    chat.say("Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich \U0001f600\x00")
    assert chat.answer.unsure
    assert chat.turns[-1] == model.fallback


def test_ranking_prefers_the_reply_that_was_given(model):
    best, *_, worst = model.rank(THREADS[3][:1], ["Sure!", THREADS[3][1], "Purple elephants."])
    assert best.text == THREADS[3][1]
    assert best.score > worst.score
    scores = model.match([THREADS[3][0], THREADS[0][:3]], [THREADS[3][1], "Sure!"])
    assert scores.shape == (2, 2)
    assert scores[0, 0] == pytest.approx(best.score, rel=1e-5)
    assert scores.argmax(1).tolist() == [0, 1]


def test_the_report_shows_replies_as_they_came_and_where_it_looked(model, tmp_path):
    page = model.report_.html()
    epochs = model.history_.epochs
    assert epochs[0].sample != epochs[-1].sample
    for title in ("Sure, and least like what people said", "Written while it learned"):
        assert f"<h2>{title}</h2>" in page
    turns = [context[-1] for context in model.data_.valid_.contexts[:4]]
    assert f"<dt>{turns[0]}</dt><dd>{epochs[-1].sample.splitlines()[0]}</dd>" in page
    assert page.count("Where each written token looked") >= 1
    for turn, reply, weights in attended(model.network_, model.data_, [(turns[0],)]):
        assert weights.shape == (len(reply), len(turn))
        np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
    model.save(tmp_path / "model")
    with pytest.raises(AttributeError, match="after a fit"):
        _ = gatewise.load(tmp_path / "model").report_


def test_a_loaded_model_chats_alike(model, tmp_path):
    model.save(tmp_path / "model")
    again = gatewise.load(tmp_path / "model")
    for reply in ("auto", "beam", "sample", "choose"):
        here, there = model.stream(reply), again.stream(reply)
        for text in ("What colour is the cup of B?", "Thank you."):
            assert here.say(text) == there.say(text)
            assert here.answer == there.answer


def test_answers_take_the_form_of_what_is_asked(model, tmp_path):
    path = tmp_path / "asked.tsv"
    path.write_text("What colour is the cat of A?\nThank you.\n", encoding="utf-8")
    table = model.predict(path)
    assert list(table) == ["turn", "reply", "confidence", "unsure"]
    assert table["turn"].tolist() == ["What colour is the cat of A?", "Thank you."]
    replies = model.predict(table["turn"].tolist())
    assert isinstance(replies, np.ndarray)
    assert replies.tolist() == table["reply"].tolist()


def test_bytes_are_tokens_too():
    from gatewise.data import Tokens

    pairs = [("a", "\U0001f600!"), ("b", "no"), ("c", "yes")]
    model = Dialogue(tokens=Tokens("byte"), sure=0.0, trainer=Trainer(max_steps=3)).fit(pairs)
    assert len(model.predict(["a"])) == 1


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"reply": "shout"}, "reply='shout'"),
        ({"context": 0}, "context=0"),
        ({"sure": 1.5}, "sure=1.5"),
        ({"diversity": True}, "diversity=True"),
        ({"fallback": " "}, "fallback=' '"),
    ],
)
def test_wrong_parameters_are_refused(params, said):
    with pytest.raises(InputError, match=said):
        Dialogue(**params).fit(THREADS)


def test_wrong_questions_are_refused(model):
    with pytest.raises(InputError, match="not fitted"):
        Dialogue().stream()
    with pytest.raises(InputError, match="a turn is empty"):
        model.stream().say("  ")
    with pytest.raises(InputError, match="reply='loud'"):
        model.stream(reply="loud")
    with pytest.raises(InputError, match="at least one candidate"):
        model.rank("Hello", [])
    with pytest.raises(InputError, match="is empty"):
        model.rank("", ["Hi"])


def test_real_conversations_are_ranked_from_the_start():
    try:
        topics = chatterbot()
    except InputError as missing:
        pytest.skip(str(missing))
    assert len(topics) == 21
    threads = [t for name in ("greetings", "gossip") for t in topics[name].threads]
    model = Dialogue(encoder=Encoder(hidden_size=8), trainer=Trainer(max_steps=2)).fit(threads)
    prompts, replies = zip(*model.data_.pairs_, strict=True)
    scores = model.match(list(prompts), replies)
    # It begins about where TF-IDF ends; chance is 0.025.
    assert recall_at([np.r_[row[i], np.delete(row, i)] for i, row in enumerate(scores)]) > 0.05
