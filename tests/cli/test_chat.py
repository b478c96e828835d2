from __future__ import annotations

import io
import subprocess
import sys

import pytest

from gatewise.cli.main import main
from gatewise.nn import Encoder
from gatewise.tasks import Dialogue, Forecaster
from gatewise.train import Trainer

PAIRS = [("Hello", "Hi!"), ("Who are you?", "A program.\nReally."), ("Bye", "See you.")]


@pytest.fixture(autouse=True)
def _stub_tasks():
    """Nothing stands in for the real tasks here."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("chat") / "chat.model"
    encoder = Encoder(hidden_size=8)
    Dialogue(sure=0.0, encoder=encoder, trainer=Trainer(max_steps=3)).fit(PAIRS).save(path)
    return path


def typed(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


def test_a_line_in_is_a_line_out(folder, monkeypatch, capsys):
    typed(monkeypatch, b"hello\r\n\n who are you\n\xff bye\n")
    assert main(["chat", str(folder), "--reply", "choose"]) == 0
    assert capsys.readouterr().out.splitlines() == ["Hi!", "A program. Really.", "See you."]


def test_it_says_why_and_begins_anew(folder, monkeypatch, capsys):
    typed(monkeypatch, b"/why\nHello\n/why\n/reset\n/why\n/help")
    assert main(["chat", str(folder)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("nothing was said yet\nHi!\nchance of being right")
    assert out.count("nothing was said yet") == 2
    assert "Ctrl-D ends" in out.splitlines()[-1]


def test_it_answers_before_the_next_line_is_there(folder):
    command = [sys.executable, "-m", "gatewise", "chat", str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, encoding="utf-8") as chat:
        assert chat.stdin
        assert chat.stdout
        chat.stdin.write("Hello\n")
        chat.stdin.flush()
        assert chat.stdout.readline() == "Hi!\n"
        chat.stdin.close()
        assert chat.wait(timeout=30) == 0


def test_another_model_does_not_talk(tmp_path, capsys):
    series = [float(i % 7) for i in range(100)]
    Forecaster(3, trainer=Trainer(max_steps=1)).fit(series).save(tmp_path / "m")
    assert main(["chat", str(tmp_path / "m")]) == 2
    assert "does not talk" in capsys.readouterr().err


def test_its_help_says_what_it_cannot_do(capsys):
    assert main(["chat", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "It knows nothing else" in shown
    assert "/reset" in shown
