"""The tagger from end to end: on words, on letters, on numbers, and on what is wrong."""

from __future__ import annotations

import random

import numpy as np
import pytest

import gatewise
from gatewise import Encoder, InputError, Trainer
from gatewise.data import TagColumns
from gatewise.datasets import cb513, ud_english_ewt
from gatewise.nn import TokenFeatures
from gatewise.tasks import SequenceTagger

SMALL = Encoder(hidden_size=16, bidirectional=True)
FEATURES = TokenFeatures(size=16, character_size=8, dropout=0.1)
PEOPLE, PLACES = ("Ada", "Alan", "Grace"), ("London", "New York", "Rome")


def named(count=120, seed=0):
    """Sentences of people in places, with BIO tags."""
    draw = random.Random(seed)
    sentences, tags = [], []
    for _ in range(count):
        place = draw.choice(PLACES).split()
        words = [draw.choice(PEOPLE), draw.choice(("sees", "leaves", "loves")), *place]
        marks = ["B-PER", "O", "B-LOC", *["I-LOC"] * (len(place) - 1)]
        if draw.random() < 0.5:
            words, marks = ["yesterday", *words], ["O", *marks]
        sentences.append(words)
        tags.append(marks)
    return sentences, tags


@pytest.fixture(scope="module")
def fitted():
    model = SequenceTagger(
        encoder=SMALL, features=FEATURES, trainer=Trainer(max_epochs=6, batch_size=8)
    )
    return model.fit(*named())


def test_names_are_found(fitted):
    assert fitted.predict([["yesterday", "Ada", "leaves", "New", "York"]]) == [
        ["O", "B-PER", "O", "B-LOC", "I-LOC"]
    ]
    (spans,) = fitted.spans(["Grace sees New York"])
    assert [tuple(span) for span in spans] == [("PER", 0, 1), ("LOC", 2, 4)]


def test_the_verdict_stands_beside_looking_words_up(fitted):
    table = fitted.summary_.table
    assert list(table) == ["model", "most frequent tag of each word", "majority"]
    assert table["model"]["span_f1"] > 0.9
    assert table["model"]["accuracy"] > table["majority"]["accuracy"]
    verdict = fitted.evaluate(*named(20, seed=1))
    assert verdict.table["model"]["accuracy"] > 0.9
    assert fitted.score(*named(20, seed=1)) > 0.9


def test_probabilities_belong_to_the_classes(fitted):
    (tags,) = fitted.classes_.values()
    sentence = [["Ada", "sees", "Rome"]]
    (chances,) = fitted.predict_proba(sentence)
    assert chances.shape == (3, len(tags))
    assert chances.sum(1) == pytest.approx(np.ones(3), abs=1e-5)
    assert tags[int(chances[0].argmax())] == fitted.predict(sentence)[0][0]


def test_only_links_of_the_scheme_are_taken(fitted):
    strange = [["zzz"] * n for n in range(1, 9)]
    for tags in fitted.predict(strange):
        for before, after in zip(["O", *tags], tags, strict=False):
            assert not (after.startswith("I-") and before[2:] != after[2:])


def test_a_loaded_model_answers_the_same_and_judges_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = gatewise.load(tmp_path / "model")
    x, y = named(10, seed=2)
    assert loaded.predict(x) == fitted.predict(x)
    assert np.array_equal(loaded.predict_proba(x)[0], fitted.predict_proba(x)[0])
    assert loaded.evaluate(x, y) == fitted.evaluate(x, y)


def test_the_report_shows_tables_and_escapes_words(fitted):
    html = fitted.report_.html()
    for heading in ("Spans", "Tags", "Confusions", "Worst sequences"):
        assert f"<h2>{heading}</h2>" in html
    x, y = named(12)
    x = [["<b>", *words] for words in x]
    y = [["O", *tags] for tags in y]
    other = SequenceTagger(encoder=SMALL, features=FEATURES, trainer=Trainer(max_epochs=1))
    assert "<b>" not in other.fit(x, y).report_.html().replace("<b>0", "").replace("<b>1", "")


def test_files_are_answered_in_columns(tmp_path):
    text = "\n".join("Ada B-PER\nsees O\nRome B-LOC\n" for _ in range(12))
    (tmp_path / "a.conll").write_text(text)
    model = SequenceTagger(encoder=SMALL, features=FEATURES, trainer=Trainer(max_epochs=8))
    model.fit(tmp_path / "a.conll")
    answer = model.predict(str(tmp_path / "a.conll"))
    assert list(answer) == ["series", "token", "label", "probability"]
    assert len({len(column) for column in answer.values()}) == 1
    assert answer["token"][:3].tolist() == ["Ada", "sees", "Rome"]
    assert answer["label"][:3].tolist() == ["B-PER", "O", "B-LOC"]


def test_letters_with_two_sets_of_tags(tmp_path):
    draw = random.Random(0)
    chains = ["".join(draw.choices("ACDEFGHIKLMNPQRSTVWY", k=draw.randint(5, 12)))
              for _ in range(60)]  # fmt: skip
    three = ["".join("H" if c in "AELKMQR" else "E" if c in "VIYFWT" else "C" for c in chain)
             for chain in chains]  # fmt: skip
    eight = [tags.replace("C", "S") for tags in three]
    model = SequenceTagger(
        output="softmax",
        encoder=SMALL,
        features=TokenFeatures(dropout=0.0, replace=0.0),
        trainer=Trainer(max_epochs=15, lr=1e-2),
    ).fit(chains, {"q3": three, "q8": eight})
    assert model.predict(["ACV"]) == {"q3": [["H", "C", "E"]], "q8": [["H", "S", "E"]]}
    row = model.summary_.table["model"]
    assert {"accuracy", "segment_overlap", "q8_accuracy"} <= set(row)
    path = tmp_path / "a.fasta"
    path.write_text(">one\nACV\n>two\nKK\n")
    answer = model.predict(path)
    assert list(answer) == ["series", "token", "q3", "q3_probability", "q8", "q8_probability"]
    assert answer["series"].tolist() == ["one"] * 3 + ["two"] * 2


def test_numbers_beside_nothing_with_values_missing():
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    rows = [(s, t, rng.normal()) for s in range(40) for t in range(6)]
    frame = pandas.DataFrame(rows, columns=["series", "time", "x"])
    frame["label"] = np.where(frame["x"] > 0, "up", "down")
    frame.loc[3, "x"] = np.nan
    model = SequenceTagger(encoder=SMALL, trainer=Trainer(max_epochs=15, lr=1e-2)).fit(frame)
    assert list(model.summary_.table) == ["model", "majority"]
    answer = model.predict(frame[["series", "x"]])
    assert isinstance(answer, pandas.DataFrame)
    assert list(answer) == ["series", "label", "probability"]
    assert (answer["label"] == frame["label"]).mean() > 0.9


def test_groups_are_held_out_whole():
    x, y = named(30)
    made = gatewise.data.read_tagged(x, y)
    groups = tuple(f"document {i % 5}" for i in range(30))
    tagged = type(made)(made.names, made.tokens, made.labels, groups=groups)
    data = SequenceTagger(holdout=0.2).data()
    fold = data.fit(tagged)
    held = set(fold.valid.tagged.groups)
    assert len(held) == 1
    assert not held & set(fold.train.tagged.groups)


def test_nothing_is_learned_from_what_is_held_out():
    x, y = named(30)
    data = SequenceTagger(holdout=0.2).data()
    fold = data.fit(x, y)
    words = {word for words in fold.train.tagged.tokens for word in words}
    assert {name.lower() for name in data.tokens_.words.names[4:]} == {
        word.lower() for word in words
    }


def test_tags_that_were_never_seen_count_as_wrong(fitted):
    verdict = fitted.evaluate([["Ada", "sees", "Rome"]], [["B-CAT", "B-CAT", "B-CAT"]])
    assert verdict.table["model"]["accuracy"] == 0


def test_links_beside_the_scheme_are_said():
    x, y = named(20)
    y[0][-1] = "I-PER"
    model = SequenceTagger(encoder=SMALL, features=FEATURES, trainer=Trainer(max_epochs=1))
    assert any("none of that scheme" in s for s in model.fit(x, y).summary_.sentences)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"output": "crff"}, "did you mean 'crf'"),
        ({"decoding": "best"}, "viterbi, marginal"),
        ({"holdout": 1.0}, "holdout=1.0"),
        ({"ensemble": 0}, "ensemble=0"),
    ],
)
def test_wrong_parameters(params, said):
    with pytest.raises(InputError, match=said):
        SequenceTagger(**params).fit(*named(5))


def test_wrong_data(fitted):
    with pytest.raises(InputError, match="every token has the tag 'O'"):
        SequenceTagger().fit([["a"], ["b"]], [["O"], ["O"]])
    with pytest.raises(InputError, match="no token has a tag"):
        SequenceTagger().fit([["a"], ["b"]], [[None], [None]])
    with pytest.raises(InputError, match="fitted on tokens, and the data have channels"):
        fitted.predict([np.zeros((3, 1))])
    with pytest.raises(InputError, match="no tags called"):
        fitted.predict_proba([["a"]], "pos")
    with pytest.raises(InputError, match="there are no tags in the data"):
        fitted.evaluate([["Ada"]])
    with pytest.raises(InputError, match="'label'"):
        fitted.evaluate([["Ada"]], {"pos": [["O"]]})
    with pytest.raises(InputError, match="not fitted"):
        SequenceTagger().predict([["a"]])


def test_real_sentences(data_dir):
    tagged = ud_english_ewt("dev", data_dir).take(range(150))
    model = SequenceTagger(
        encoder=Encoder(hidden_size=32, bidirectional=True),
        features=FEATURES,
        trainer=Trainer(max_epochs=6, batch_size=8, lr=1e-2),
    ).fit(tagged)
    row, looked_up, _ = model.summary_.table.values()
    assert row["accuracy"] > 0.5
    assert row["unseen_accuracy"] > looked_up["unseen_accuracy"]


def test_real_proteins(data_dir):
    tagged = cb513(data_dir)
    assert len(tagged) == 432
    counted = sum(t is not None for tags in tagged.labels["dssp3"] for t in tags)
    assert counted == 83_991
    assert len(set(tagged.groups)) < len(tagged)
    both = SequenceTagger(columns=TagColumns(token="input", label=("dssp3",), mask="cb513_mask"))
    read = both.data().accept(data_dir / "cb513" / "CB513_HHblits.csv")
    assert sum(t is not None for tags in read.labels["dssp3"] for t in tags) == counted
