from __future__ import annotations

import io
import sys

import pytest

from gatewise.train import progress
from gatewise.train.history import Epoch


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that each look moves on by half a second."""
    seconds = iter(range(10_000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds) / 2)


def epoch(number, score=None):
    return Epoch(number, number * 10, 0.5, 0.25, score, 1e-3, 1.0)


def run(shown, steps, total, score=None):
    shown.open(total, "accuracy")
    for step in range(1, steps + 1):
        shown.step(step, 0.5)
        if step % 10 == 0:
            shown.epoch(epoch(step // 10, score))
    shown.close("took all steps")


def test_plain_lines_say_the_figures_the_time_and_the_end(clock, capsys):
    run(progress.Lines(), 20, 6000, score=0.75)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "about 50 min for 6000 steps, at most"
    assert said[1] == "step 10, epoch 1: loss 0.5, held out 0.25, accuracy 0.75"
    assert said[-1] == "took all steps"


def test_a_short_fit_is_not_announced(clock, capsys):
    run(progress.Lines(), 12, 12)
    assert "about" not in capsys.readouterr().err


def test_lines_come_at_most_once_a_second_and_the_last_is_kept(capsys, monkeypatch):
    monkeypatch.setattr(progress.time, "monotonic", lambda: 5.0)
    run(progress.Lines(), 30, 30)
    said = [line.split(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert said == ["step 10, epoch 1", "step 30, epoch 3", "took all steps"]


def test_the_bar_shows_figures_on_a_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    run(progress.chosen(None), 20, 20)
    assert "held out 0.25" in terminal.getvalue()
    assert "took all steps" in terminal.getvalue()


def test_what_is_shown_depends_on_the_wish_and_on_the_terminal(monkeypatch, capsys):
    assert [type(progress.chosen(p)).__name__ for p in (True, None, False)] == [
        "Lines",
        "Progress",
        "Progress",
    ]
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert [type(progress.chosen(p)).__name__ for p in (True, None, False)] == [
        "Bar",
        "Bar",
        "Progress",
    ]
    run(progress.Progress(), 20, 20)
    assert capsys.readouterr().err == ""
