from __future__ import annotations

import json
import math
from html import escape

import numpy as np
import pytest
import torch

from gatewise import Trainer, datasets
from gatewise.cli.main import main
from gatewise.cli.settings import resolved
from gatewise.data import Tokens
from gatewise.decoders.neural_cache import Cache
from gatewise.decoders.sampling_spec import Sampling
from gatewise.errors import InputError
from gatewise.nn.layers.encoder import Encoder
from gatewise.nn.networks.language_spec import Regularization
from gatewise.tasks.language_model import LanguageModel
from gatewise.tasks.language_presets import DEFAULT, chosen, settings
from gatewise.tasks.language_report import _lines
from gatewise.train.dynamic import Dynamic, evaluate_dynamically

VERSES = [
    f"{a} {b} {c}, said the {d}.\n"
    for a in ("the cat", "a dog", "my hen")
    for b in ("sat on", "ran to", "slept by")
    for c in ("the mat", "a hill", "the sea")
    for d in ("king", "queen", "fool")
]
TEXT = "".join(np.random.default_rng(0).permutation(VERSES * 4))
SMALL = {"encoder": Encoder(hidden_size=24), "trainer": Trainer(max_epochs=8, batch_size=8)}


@pytest.fixture(scope="module")
def model():
    return LanguageModel(**SMALL).fit(TEXT)


def test_it_learns_more_than_single_letters(model):
    rows = model.summary_.table
    assert list(rows) == ["model", "5-gram", "unigram", "gzip", "xz"]
    assert rows["model"]["nats_per_token"] < 0.6 * rows["unigram"]["nats_per_token"]
    row = rows["model"]
    assert row["perplexity"] == pytest.approx(math.exp(row["nats_per_token"]))
    assert row["bits_per_character"] == pytest.approx(row["nats_per_token"] / math.log(2))


def test_a_model_that_loses_to_counting_is_said_to():
    poor = LanguageModel(encoder=Encoder(hidden_size=2), trainer=Trainer(max_steps=1)).fit(TEXT)
    assert "counting is better here" in poor.summary_.sentences[0]


def test_it_judges_and_scores_the_same_after_a_save(model, tmp_path):
    model.save(tmp_path / "m")
    again = LanguageModel.load(tmp_path / "m")
    text = "the cat sat on a hill, said the fool.\n"
    assert again.evaluate(text).state() == model.evaluate(text).state()
    assert again.token_scores(text) == model.token_scores(text)
    assert again.generate("a", Sampling(seed=4)) == model.generate("a", Sampling(seed=4))


def test_scores_of_tokens_are_the_figure_of_the_text(model):
    text = "".join(VERSES[:40])
    scored = model.token_scores(text)
    assert "".join(token for token, _ in scored) == text
    mean = np.mean([nats for _, nats in scored])
    assert mean == pytest.approx(model.evaluate(text).table["model"]["nats_per_token"], abs=1e-4)
    assert mean == pytest.approx(-model.score(text), abs=1e-4)


def test_what_cannot_be_said_is_surprising(model):
    usual = dict(enumerate(nats for _, nats in model.token_scores("the cat sat on the mat")))
    odd = dict(enumerate(nats for _, nats in model.token_scores("the cat sat on tqe mat")))
    assert odd[16] > usual[16] + 2


def test_writing_is_streamed_stopped_and_seeded(model):
    text = model.generate("the ", Sampling(seed=1), most=60)
    assert len(text) <= 60
    assert "".join(model.stream("the ", Sampling(seed=1), most=60)) == text
    first = model.generate("the ", Sampling(seed=1), most=300, stop=["said"])
    assert "said" not in first
    assert text.startswith(first[:50])
    endless = model.stream("the ", Sampling(seed=1))
    assert len([next(endless) for _ in range(2000)]) == 2000


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"sampling": 0.5}, r"sampling=0\.5: give a gatewise\..*Sampling"),
        ({"stop": 3}, "stop=3: give a text, or several"),
        ({"stop": ["a", 3]}, "give a text, or several"),
        ({"most": 1.5}, "most is 1.5"),
        ({"prompt": None}, "give text"),
    ],
)
def test_what_a_text_cannot_be_written_with_is_named(model, how, said):
    with pytest.raises(InputError, match=said):
        model.generate(**{"most": 5, **how})


def test_words_follow_their_prompt_with_one_space():
    model = LanguageModel(tokens=Tokens("word"), **{**SMALL, "trainer": Trainer(max_steps=3)})
    model.fit(TEXT)
    plain = model.generate("the cat", Sampling(seed=1), most=5, stop="\n")
    spaced = model.generate("the cat ", Sampling(seed=1), most=5, stop="\n")
    assert plain == " " + spaced
    assert not spaced.startswith(" ")


def test_the_weights_of_a_stream_may_be_coarser(model):
    for weights in ("bfloat16", "int8"):
        assert len(list(model.stream("the", Sampling(seed=1), most=30, weights=weights))) <= 30


def test_getting_used_to_a_text_helps_where_it_is_new(model):
    text = "zzyx! " * 60
    before = {n: p.clone() for n, p in model.network_.named_parameters()}
    verdict = model.evaluate(text, dynamic=Dynamic(lr=3e-3), cache=Cache(share=0.5))
    rows = {name: row.get("nats_per_token") for name, row in verdict.table.items()}
    assert rows["dynamic evaluation"] < 0.8 * rows["model"]
    assert rows["neural cache"] < 0.9 * rows["model"]
    assert rows["model"] == pytest.approx(-model.score(text), abs=1e-4)
    assert all(torch.equal(p, before[n]) for n, p in model.network_.named_parameters())


def test_a_cache_of_no_share_changes_nothing(model):
    rows = model.evaluate("the cat sat", cache=Cache(share=0.0)).table
    assert rows["neural cache"]["nats_per_token"] == pytest.approx(
        rows["model"]["nats_per_token"], abs=1e-5
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dynamic": True}, "dynamic=True: give a gatewise.train.dynamic.Dynamic"),
        ({"cache": 2000}, "cache=2000: give a gatewise.decoders.neural_cache.Cache"),
        ({"caches": Cache()}, "no option 'caches' to be judged with: did you mean 'cache'"),
    ],
)
def test_options_of_a_judgement_are_checked(model, options, said):
    with pytest.raises(InputError, match=said):
        model.evaluate("the cat sat", **options)


def test_only_streams_can_be_followed(model):
    class Rows:
        pass

    with pytest.raises(InputError, match="none"):
        evaluate_dynamically(model.network_, None, Rows(), Dynamic())


def test_the_report_shows_samples_and_worst_lines(model, tmp_path):
    html = model.report_.html()
    assert "<h2>Samples</h2>" in html
    assert "<h2>Worst lines</h2>" in html
    epochs = model.history_.epochs
    assert len({epoch.sample for epoch in epochs}) > 1
    for epoch in (epochs[0], epochs[-1]):
        assert f"<h3>After {epoch.step} steps: {epoch.valid_loss:.3f} nats</h3>" in html
        assert escape(epoch.sample) in html
    assert "rgba(217,119,6" in html
    model.save(tmp_path / "m")
    with pytest.raises(AttributeError):
        _ = LanguageModel.load(tmp_path / "m").report_


def test_the_report_reads_no_more_than_the_beginning_of_what_is_held_out(model, monkeypatch):
    monkeypatch.setattr("gatewise.tasks.language_report.READ", 60)
    lines = _lines(model)
    shown = "".join(token for line in lines for token, _ in line)
    valid = model.data_.valid_
    assert shown == model.data_.vocabulary_.decode(valid.tokens[valid.start :][:60])
    monkeypatch.setattr("gatewise.tasks.language_report.LONGEST", 20)
    assert max(map(len, _lines(model))) == 20


@pytest.mark.parametrize(
    "how",
    [
        {"tokens": Tokens("word")},
        {"tokens": Tokens("byte"), "tied": True},
        {"preset": "awd-lstm", "embedding_size": 12},
        {"direction": "backward"},
        {"regularization": Regularization(words=0.1, embedding=0.1), "window": 20},
        {"encoder": Encoder("gru", 16, num_layers=2)},
    ],
)
def test_every_kind_is_fitted_saved_and_scored(how, tmp_path):
    given = {**SMALL, "trainer": Trainer(max_steps=3, batch_size=4), **how}
    model = LanguageModel(**given).fit(TEXT)
    model.save(tmp_path / "m")
    again = LanguageModel.load(tmp_path / "m")
    text = "a dog ran to the sea"
    assert again.token_scores(text) == model.token_scores(text)
    assert math.isfinite(model.summary_.table["model"]["nats_per_token"])
    if model.direction == "backward":
        with pytest.raises(InputError, match="cannot write"):
            model.generate("a")
    else:
        assert isinstance(again.generate("a", most=5), str)


def test_the_awd_preset_is_the_papers():
    encoder = chosen(DEFAULT, settings("awd-lstm"))
    assert (encoder.hidden_size, encoder.num_layers, encoder.weight_dropout) == (1150, 3, 0.5)
    model = LanguageModel(preset="awd-lstm", trainer=Trainer(max_steps=1), encoder=Encoder(
        hidden_size=8)).fit(TEXT)  # fmt: skip
    assert model.trainer_.optimizer == "nt-asgd"
    assert (model.trainer_.lr, model.trainer_.clip_norm) == (30.0, 0.25)
    assert model.network_.reader.output_size == 400
    assert model.task_.objective.alpha == 2.0
    ran = resolved(model)
    assert (ran["encoder"]["hidden_size"], ran["encoder"]["num_layers"]) == (8, 1)
    assert ran["encoder"]["weight_dropout"] == 0.5
    assert (ran["regularization"]["output"], ran["regularization"]["beta"]) == (0.4, 1.0)
    assert (ran["window"], ran["embedding_size"], ran["tied"]) == (70, 400, True)


def test_large_vocabularies_get_a_softmax_in_parts(monkeypatch):
    monkeypatch.setattr("gatewise.tasks.language_model.ADAPTIVE_FROM", 2_000)
    text = " ".join(f"w{n}" for n in range(3_000)) + "\n"
    how = {**SMALL, "trainer": Trainer(max_steps=1)}
    model = LanguageModel(tokens=Tokens("word"), holdout=0.0, **how).fit(text)
    assert type(model.network_.head).__name__ == "AdaptiveHead"
    assert model.generate("w1 w2", most=3)


@pytest.mark.parametrize(
    ("name", "value"),
    [("window", 0), ("embedding_size", 1.5), ("holdout", 0.9), ("preset", "big"),
     ("direction", "up")],
)  # fmt: skip
def test_parameters_out_of_range_are_named(name, value):
    with pytest.raises(InputError, match=name):
        LanguageModel(**{name: value}).fit(TEXT)


def test_the_command_line_fits_judges_and_writes(tmp_path, capsys):
    file = tmp_path / "verses.txt"
    file.write_text(TEXT, encoding="utf-8")
    out = str(tmp_path / "m")
    flags = ["--encoder.hidden-size", "12", "--trainer.max-steps", "3", "--quiet"]
    assert main(["fit", "language-model", str(file), str(file), "--out", out, *flags]) == 0
    figures = tmp_path / "f.json"
    assert main(["evaluate", out, str(file), "--json", str(figures)]) == 0
    found = json.loads(figures.read_text())
    assert {"nats_per_token", "bits_per_character", "perplexity"} <= found["figures"].keys()
    assert found["baselines"].keys() == {"5-gram", "unigram", "gzip", "xz"}
    used = ["--dynamic", "1e-3", "--cache", "50", "--cache-share", "0.2"]
    assert main(["evaluate", out, str(file), "--json", str(figures), *used]) == 0
    rows = json.loads(figures.read_text())["baselines"]
    assert rows["dynamic evaluation"]["nats_per_token"] < found["figures"]["nats_per_token"]
    assert rows["neural cache"]["nats_per_token"] < found["figures"]["nats_per_token"]
    capsys.readouterr()
    assert main(["evaluate", out, str(file), "--cache-share", "0.2"]) == 2
    assert "--cache-share is of a cache: give --cache" in capsys.readouterr().err
    assert main(["evaluate", out, str(file), "--cache", "0"]) == 2
    assert "size of at least 1" in capsys.readouterr().err
    capsys.readouterr()
    asked = ["generate", out, "--prompt", "the", "--most", "20", "--seed", "1", "--top-k", "5"]
    assert main(asked) == 0
    first = capsys.readouterr().out
    assert first.startswith("the")
    assert main(asked) == 0
    assert capsys.readouterr().out == first
    assert main(["generate", out, "--temperature", "-1"]) == 2
    assert "temperature=-1" in capsys.readouterr().err


def test_shakespeare_is_less_than_chance_in_a_moment(data_dir):
    folder = datasets.find("tiny_shakespeare", data_dir)
    text = (folder / "input.txt").read_text()[:60_000]
    model = LanguageModel(encoder=Encoder(hidden_size=32), trainer=Trainer(max_steps=60)).fit(text)
    assert model.summary_.table["model"]["nats_per_token"] < 3.2
