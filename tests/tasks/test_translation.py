"""A translator end to end: it learns, answers in the caller's form, is the same after a load."""

import numpy as np
import pytest
import torch

from benchmarks.rewriting import parts
from gatewise import datasets
from gatewise.data.text.tokens_spec import Tokens
from gatewise.decoders.search import Search
from gatewise.errors import InputError
from gatewise.nn.layers.encoder import Encoder
from gatewise.nn.networks.writer import Writer
from gatewise.tasks import load
from gatewise.tasks.translation import Translator
from gatewise.train.spec import Trainer

SMALL = Encoder(hidden_size=24, bidirectional=True, dropout=0.0)
WRITER = Writer(embedding=24, dropout=0.0)


def made(count=400, most=4, seed=0):
    """Letters and the same letters backwards."""
    rng = np.random.default_rng(seed)
    words = {"".join(rng.choice(list("abcde"), rng.integers(1, most + 1))) for _ in range(count)}
    return [(word, word[::-1]) for word in sorted(words)]


def translator(steps=250, **changed):
    options = {
        "encoder": SMALL,
        "writer": WRITER,
        "search": Search(beam=3),
        "holdout": 40,
        "trainer": Trainer(
            max_steps=steps, batch_size=32, lr=0.01, patience=0, average=0.9, epoch_examples=640
        ),
    }
    return Translator(Tokens("char"), **{**options, **changed})


@pytest.fixture(scope="module")
def fitted():
    return translator().fit(made())


def test_it_learns_to_reverse_what_it_has_not_seen(fitted):
    table = fitted.summary_.table
    assert list(table) == ["model", "source copied", "word by word"]
    assert table["model"]["exact"] > 0.9 > table["source copied"]["exact"]
    assert "On 40 pairs it reaches" in fitted.summary_.sentences[0]


def test_it_answers_in_the_form_it_was_asked_in(fitted, tmp_path):
    import pandas

    texts = ["abc", "", "edb"]
    answers = fitted.predict(texts)
    assert answers[0] == "cba"
    assert answers[1] == ""
    path = tmp_path / "asked.txt"
    path.write_text("\n".join(texts) + "\n")
    columns = fitted.predict(path)
    assert columns["translation"].tolist() == answers
    frame = fitted.predict(pandas.DataFrame({"source": texts}))
    assert frame["translation"].tolist() == answers


def test_it_is_the_same_after_a_load(fitted, tmp_path):
    pairs = made(60, seed=5)
    fitted.save(tmp_path / "model")
    other = load(tmp_path / "model")
    texts = [source for source, _ in pairs]
    assert other.predict(texts) == fitted.predict(texts)
    assert other.evaluate(pairs).table == fitted.evaluate(pairs).table
    assert other.score(pairs) == pytest.approx(fitted.score(pairs))
    assert other.summary_.table == fitted.summary_.table
    with pytest.raises(AttributeError, match="after a fit"):
        other.report_


def test_more_than_the_best_can_be_had(fitted):
    (found,) = fitted.translate("abc", n_best=4)
    assert found[0].text == "cba"
    assert len({one.text for one in found}) == 4
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert all(one.log_prob <= 0 for one in found)
    greedy = fitted.translate(["abc", "ed"], beam=1)
    assert [one[0].text for one in greedy] == ["cba", "de"]
    with pytest.raises(InputError, match="n_best=3"):
        fitted.translate("abc", n_best=3, beam=2)
    with pytest.raises(InputError, match="not fitted"):
        translator().translate("abc")


def test_order_and_company_change_no_answer(fitted):
    texts = [source for source, _ in made(80, seed=9)]
    alone = [fitted.predict([text])[0] for text in texts[:10]]
    assert fitted.predict(texts)[:10] == alone
    assert fitted.predict(texts[::-1])[::-1] == fitted.predict(texts)


def test_alignments_show_the_way_back(fitted):
    (one,) = fitted.alignments("abcd")
    assert one.source == ("a", "b", "c", "d", "</s>")
    assert one.target == tuple("dcba")
    assert one.weights.shape == (4, 5)
    np.testing.assert_allclose(one.weights.sum(1), 1, atol=1e-5)


def test_nothing_and_empty_texts_are_answered_by_nothing(fitted):
    assert fitted.translate([]) == fitted.alignments([]) == []
    assert fitted.translate("")[0][0].text == ""
    (one,) = fitted.alignments(" ")
    assert one.target == ()
    assert one.weights.shape == (0, len(one.source))
    with pytest.raises(InputError, match="lines=3: give texts"):
        fitted.translate(3)


def test_an_alignment_is_drawn(fitted):
    assert fitted.alignments("abcd")[0].svg().startswith("<svg")


def test_a_report_holds_pictures_and_the_worst(fitted):
    page = fitted.report_.html()
    assert page.count("<figure style=") == 4
    assert "Where each written token looked" in page
    assert "Worst translations" in page
    epochs = fitted.history_.epochs
    assert len({epoch.sample for epoch in epochs}) > 1
    held = fitted.data_.valid_.pairs.sources[:4]
    assert epochs[-1].sample.count("\n") == len(held) - 1
    for epoch in (epochs[0], epochs[-1]):
        assert f"<h3>After {epoch.step} steps: {epoch.value:.3f} nats</h3>" in page
    assert f"<dt>{held[0]}</dt><dd>{epochs[-1].sample.splitlines()[0]}</dd>" in page


@pytest.mark.parametrize(
    "writer",
    [
        Writer("additive", "context", embedding=24, dropout=0.1),
        Writer("multiplicative", "output", embedding=16, dropout=0.1, tied=False),
        Writer("additive", "layer", 0.5, embedding=24, dropout=0.1),
        Writer("multiplicative", "layer", 0.5, embedding=24, dropout=0.1, sampling=0.5),
        Writer("none", "none", embedding=24, dropout=0.1),
    ],
    ids=["bahdanau", "luong", "covered", "sampled", "none"],
)
def test_every_kind_of_writer_learns(writer, tmp_path):
    model = translator(60, writer=writer).fit(made(150))
    epochs = model.history_.epochs
    assert epochs[-1].valid_loss < epochs[0].valid_loss
    model.save(tmp_path / "model")
    assert load(tmp_path / "model").predict(["abc"]) == model.predict(["abc"])
    assert model.alignments("abc")[0].weights.shape[1] == (0 if writer.attention == "none" else 4)


def test_several_networks_answer_as_one(tmp_path):
    model = translator(40, ensemble=2).fit(made(150))
    assert len(model.network_.members) == 2
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.predict(["abc", "de"]) == model.predict(["abc", "de"])
    # Of several, no single alignment is the answer's.
    assert model.alignments("abc")[0].weights.shape[0] >= 0


def test_a_fit_is_repeated_by_its_seed():
    texts = ["abc", "deab"]
    pair = [translator(20).fit(made(100)).predict(texts) for _ in range(2)]
    assert pair[0] == pair[1]


def test_words_to_characters():
    train, test = parts("numbers", 600, 20, 0)
    model = Translator(
        Tokens("word"), Tokens("char"), encoder=SMALL, writer=WRITER,
        trainer=Trainer(max_steps=20, batch_size=16),
    ).fit(train)  # fmt: skip
    assert all(set(text) <= set("0123456789") for text in model.predict([s for s, _ in test]))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"max_length": 1}, "max_length"),
        ({"ensemble": 0}, "ensemble"),
        ({"holdout": -1}, "holdout"),
        ({"smoothing": 1.0}, "smoothing"),
    ],
)
def test_what_makes_no_sense_is_refused(options, named):
    with pytest.raises(InputError, match=named):
        translator(**options).fit(made(50))


def test_captions_are_learned_from_files():
    folder = datasets_folder()
    model = Translator(
        Tokens("subword", 600), encoder=SMALL, writer=WRITER, holdout=20,
        trainer=Trainer(max_steps=2, batch_size=8),
    )  # fmt: skip
    small = [_head(folder / f"val.{side}.gz", 100) for side in ("de", "en")]
    model.fit(*small)
    assert len(model.predict(small[0][:2])) == 2
    assert torch.isfinite(torch.tensor(model.score(*small)))


def datasets_folder():
    try:
        return datasets.find("multi30k_de_en")
    except InputError as missing:
        pytest.skip(str(missing))


def _head(path, count):
    from gatewise.data.files.text_files import read_lines

    return read_lines(path)[:count]
