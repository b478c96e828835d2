"""Which files a task takes by position, and what becomes of too few and too many."""

import json
from pathlib import Path

import pytest

from gatewise import tasks
from gatewise.cli import flags
from gatewise.cli.files import taken
from gatewise.errors import InputError
from gatewise.evaluation import Verdict
from gatewise.train import Trainer

from .conftest import Echo


class Fitted(Echo):
    """A task that says what it was fitted on."""

    seen: list = []  # noqa: RUF012 - what the tests look at

    def __init__(self, *, trainer: Trainer = Trainer()) -> None:
        self.trainer = trainer

    def fit(self, *given, progress, checkpoint, log):
        self.seen.append(given)
        checkpoint.mkdir(exist_ok=True)
        log.write_text("{}\n")
        (checkpoint / "checkpoint.safetensors").write_text("state")
        self.trainer_, self.summary_ = self.trainer.resolve(), None
        return self

    def evaluate(self, *given):
        self.seen.append(given)
        rows = {"model": {"bleu": 30.0, "lost": float("nan")}, "copy": {"bleu": 2.0}}
        return Verdict(rows, ("Better.",))


class Pairs(Fitted):
    """Two files."""

    inputs = {"source": "Text.", "target": "Its translation."}  # noqa: RUF012


class Table(Fitted):
    """One file or two."""

    inputs = {"source": "Text, or a table.", "target?": "Its translation."}  # noqa: RUF012


class Stream(Fitted):
    """Many files."""

    inputs = {"files...": "Texts."}  # noqa: RUF012


@pytest.fixture(autouse=True)
def _tasks(monkeypatch):
    Fitted.seen.clear()
    monkeypatch.setattr(flags, "tasks", lambda: {"pairs": Pairs, "table": Table, "stream": Stream})


def test_two_files_are_x_and_y(run, tmp_path):
    status, _, error = run("fit", "pairs", "a.de", "a.en", "--out", tmp_path / "model")
    assert (status, Fitted.seen) == (0, [(Path("a.de"), Path("a.en"))]), error
    assert 'source = "a.de"\ntarget = "a.en"' in (tmp_path / "model" / "run.toml").read_text()
    status, _, error = run("fit", "pairs", "a.de", "--out", tmp_path / "other")
    assert status == 2
    assert "TARGET is missing" in error


def test_an_optional_file_may_be_left_out(run, tmp_path):
    out = tmp_path / "model"
    status, _, error = run("fit", "table", "a.tsv", "--out", out)
    assert (status, Fitted.seen) == (0, [(Path("a.tsv"),)]), error
    assert 'source = "a.tsv"' in (out / "run.toml").read_text()
    assert run("fit", "table", "--config", out / "run.toml", "--out", tmp_path / "again")[0] == 0
    assert run("fit", "table", "a.de", "a.en", "--out", tmp_path / "other")[0] == 0
    assert Fitted.seen[1:] == [(Path("a.tsv"),), (Path("a.de"), Path("a.en"))]
    with pytest.raises(InputError, match=r"takes SOURCE and TARGET, and 3 files .* give 1 or 2"):
        taken(Table, [Path("a"), Path("b"), Path("c")])


def test_many_files_are_a_list(run, tmp_path):
    status, _, error = run("fit", "stream", "a.txt", "b.txt", "--out", tmp_path / "model")
    assert (status, Fitted.seen) == (0, [([Path("a.txt"), Path("b.txt")],)]), error
    status, _, error = run("fit", "stream", "--out", tmp_path / "other")
    assert status == 2
    assert "FILES is missing" in error


def test_help_names_the_files(run):
    _, shown, _ = run("fit", "pairs", "--help")
    assert "SOURCE TARGET" in shown
    assert "Its translation." in shown
    assert "gatewise fit pairs source.txt target.txt" in shown
    assert "gatewise fit stream file.txt" in run("fit", "stream", "--help")[1]


def test_evaluate_writes_its_own_figures_apart_from_the_baselines(run, tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "load", lambda path: Pairs())
    file = tmp_path / "figures.json"
    status, shown, _ = run("evaluate", "model", "a.de", "a.en", "--json", file)
    assert status == 0
    assert "Better." in shown
    held = json.loads(file.read_text())
    assert held["figures"] == {"bleu": 30.0, "lost": None}
    assert held["baselines"] == {"copy": {"bleu": 2.0}}
    status, _, error = run("evaluate", "model", "a.de")
    assert status == 2
    assert "takes SOURCE and TARGET, and 1 file was given; give 2" in error
    status, _, error = run("evaluate", "model", "a", "b", "--json", tmp_path / "figures.txt")
    assert status == 2
    assert "has to end in .json" in error


def test_taken_says_what_a_task_takes():
    with pytest.raises(InputError, match="Echo takes DATA, and 2 files were given; give 1"):
        taken(Echo, [Path("a"), Path("b")])
