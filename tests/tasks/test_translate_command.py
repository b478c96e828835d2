"""Lines in, translations out, from the command line."""

import io
import sys
from types import SimpleNamespace

import pytest

from gatewise.data.text.tokens_spec import Tokens
from gatewise.nn.layers.encoder import Encoder
from gatewise.nn.networks.writer import Writer
from gatewise.tasks.translation import Translator
from gatewise.train.spec import Trainer


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    pairs = [(f"{a}{b}", f"{b}{a}") for a in "abcdef" for b in "abcdef"]
    place = tmp_path_factory.mktemp("models") / "turned"
    Translator(
        Tokens("char"),
        encoder=Encoder(hidden_size=16, bidirectional=True),
        writer=Writer(embedding=16, dropout=0.0),
        trainer=Trainer(max_steps=60, lr=0.02, batch_size=16, average=0.0),
    ).fit(pairs).save(place)
    return place


@pytest.fixture
def typed(monkeypatch):
    def feed(raw):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))

    return feed


def call(capsys, *arguments):
    from gatewise.cli.main import main

    status = main([str(a) for a in arguments])
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def test_each_line_gets_one(model, typed, capsys):
    typed(b"ab\r\n\ncd\n")
    status, out, said = call(capsys, "translate", model)
    assert status == 0, said
    assert len(out.split("\n")) == 4
    assert out.split("\n")[1] == ""


def test_n_best_come_with_number_and_score(model, typed, capsys):
    typed(b"ab\nef\n")
    _, out, _ = call(capsys, "translate", model, "--n-best", 2, "--beam", 4)
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[0] for row in rows] == ["1", "1", "2", "2"]
    assert float(rows[0][1]) >= float(rows[1][1])


def test_a_line_is_answered_before_the_next_is_read(model, monkeypatch, capsys):
    seen = []

    def lines():
        yield b"ab\n"
        seen.append(capsys.readouterr().out)
        yield b"cd\n"

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=lines()))
    call(capsys, "translate", model)
    assert seen[0].endswith("\n")


def test_what_is_no_utf8_is_named(model, typed, capsys):
    typed(b"ab\n\xff\n")
    status, _, said = call(capsys, "translate", model)
    assert status == 2
    assert "line 2 of standard input is not UTF-8: byte 0xff at place 0" in said


def test_files_are_fitted_and_judged(tmp_path, capsys):
    for name, texts in {
        "a.src": ["ab", "ba", "aa", "bb"] * 5,
        "a.tgt": ["x", "y", "z", "w"] * 5,
    }.items():
        (tmp_path / name).write_text("\n".join(texts) + "\n")
    status, _, said = call(
        capsys, "fit", "translator", tmp_path / "a.src", tmp_path / "a.tgt", "--out",
        tmp_path / "m", "--tokens.unit", "char", "--target-tokens.unit", "word", "--holdout", 5,
        "--encoder.hidden-size", 8, "--writer.embedding", 8, "--trainer.max-steps", 3, "--quiet",
    )  # fmt: skip
    assert status == 0, said
    assert (tmp_path / "m" / "report.html").exists()
    figures = tmp_path / "f.json"
    status, out, _ = call(
        capsys,
        "evaluate",
        tmp_path / "m",
        tmp_path / "a.src",
        tmp_path / "a.tgt",
        "--json",
        figures,
    )
    assert status == 0
    assert "word by word" in out
    assert figures.exists()
