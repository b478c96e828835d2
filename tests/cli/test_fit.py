"""Fitting from the command line: flags, settings, folders, faults."""

from typing import get_type_hints

import pytest
import tomllib

from gatewise.cli.form import form
from gatewise.nn import Encoder
from gatewise.train import Trainer


@pytest.fixture
def out(tmp_path):
    return tmp_path / "model"


def test_flags_fill_the_constructor(run, data, out, fits):
    status, shown, _ = run(
        *("fit", "echo", data, "--horizon", 3, "--out", out, "--quantiles", 0.2, 0.8),
        *("--output", "student_t", "--past", "a", "--past", "b", "--no-seasonal"),
        *("--encoder.hidden-size", 16, "--trainer.lr", "1e-3", "--trainer.betas", 0.8, 0.9),
    )
    (model,) = fits
    assert status == 0
    assert (model.horizon, model.quantiles, model.columns.past) == (3, (0.2, 0.8), ("a", "b"))
    assert (model.output, model.seasonal) == ("student_t", False)
    assert model.encoder == Encoder(hidden_size=16)
    assert model.trainer == Trainer(lr=1e-3, betas=(0.8, 0.9), max_epochs=3)
    assert "It repeats the last value." in shown


def test_defaults_are_the_constructors_and_not_the_specs(run, data, out, fits):
    assert run("fit", "echo", data, "--horizon", 3, "--out", out, "--encoder.dropout", 0.5)[0] == 0
    (model,) = fits
    assert model.encoder == Encoder(hidden_size=32, dropout=0.5)
    assert model.quantiles == (0.1, 0.5, 0.9)


def test_a_task_that_asks_for_nothing(run, data, out, fits):
    assert run("fit", "easy", data, "--out", out, "--trainer.seed", 3)[0] == 0
    assert fits[0].trainer == Trainer(seed=3)


def test_settings_are_saved_and_repeat_the_run(run, data, out, tmp_path, fits):
    run("fit", "echo", data, "--horizon", 3, "--out", out, "--past", 'odd "name"', "--no-seasonal")
    saved = tomllib.loads((out / "run.toml").read_text())
    assert saved["horizon"] == 3
    assert saved["trainer"]["lr"] == 0.5
    assert saved["encoder"]["cell"] == "lstm"
    again = tmp_path / "again"
    assert run("fit", "echo", "--config", out / "run.toml", "--out", again)[0] == 0
    first, second = fits
    assert second.trainer == first.trainer_
    assert (second.columns.past, second.seasonal) == (('odd "name"',), False)
    assert (again / "run.toml").read_text() == (out / "run.toml").read_text()


def test_flags_win_over_settings(run, data, out, tmp_path, fits):
    config = tmp_path / "run.toml"
    config.write_text('horizon = 3\npast = ["a"]\n[encoder]\nhidden-size = 8\nnum_layers = 2\n')
    run("fit", "echo", data, "--config", config, "--out", out, "--horizon", 5, "--past", "b")
    (model,) = fits
    assert (model.horizon, model.columns.past) == (5, ("b",))
    assert model.encoder == Encoder(hidden_size=8, num_layers=2)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("horizn = 3", "sets 'horizn', which is no flag here: did you mean 'horizon'?"),
        ("[encoder]\nhiden_size = 3", "did you mean 'encoder.hidden_size'?"),
        ("horizon = ", "is not TOML"),
        ('horizon = "x"', "--horizon is 'x', and has to be a whole number"),
        ("horizon = 2.5", "--horizon is '2.5', and has to be a whole number"),
        (None, "there is no file"),
    ],
)
def test_wrong_settings(run, data, out, tmp_path, content, said):
    config = tmp_path / "run.toml"
    if content is not None:
        config.write_text(content)
    status, _, error = run("fit", "echo", data, "--config", config, "--out", out)
    assert status == 2
    assert said in error
    assert error.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--horizn", 3], "there is no flag --horizn: did you mean '--horizon'?"),
        (["--horizon", "x"], "--horizon is 'x', and has to be a whole number"),
        (["--horizon", "1.5"], "--horizon is '1.5', and has to be a whole number"),
        (["--horizon"], "--horizon"),
        ([], "--horizon is missing; `gatewise fit echo --help` shows an example"),
        (["--horizon", 3, "--trainer.lr", -1], "lr is -1.0"),
        (["--horizon", 3, "--encoder.cell", "lstmm"], "did you mean 'lstm'?"),
        (
            ["--horizon", 3, "--output", "student"],
            "--output is 'student', and has to be one of quantile, student_t",
        ),
        (["--horizon", 3, "--encoder.hiddensize", 3], "did you mean '--encoder.hidden-size'?"),
    ],
)
def test_wrong_flags(run, data, out, words, said):
    status, shown, error = run("fit", "echo", data, "--out", out, *words)
    assert (status, shown) == (2, "")
    assert said in error
    assert error.startswith("gatewise: ")
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_second_word_is_not_taken_for_anything(run, data, out):
    status, _, error = run("fit", "echo", data, "--horizon", 3, "--out", out, "--quiet", "b")
    assert status == 2
    assert "nothing here takes 'b'" in error


def test_misspelt_task(run):
    status, _, error = run("fit", "ecko")
    assert status == 2
    assert "did you mean 'echo'?" in error


def test_folder_of_other_things_is_refused_before_the_work(run, data, out, fits):
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    status, _, error = run("fit", "echo", data, "--horizon", 3, "--out", out, "--overwrite")
    assert status == 2
    assert str(out) in error
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]
    assert fits == []


def test_missing_parent_is_refused_before_the_work(run, data, tmp_path, fits):
    out = tmp_path / "nowhere" / "model"
    status, _, error = run("fit", "echo", data, "--horizon", 3, "--out", out)
    assert status == 2
    assert "there is no folder" in error
    assert fits == []


def test_checkpoint_is_gone_after_success(run, data, out):
    run("fit", "echo", data, "--horizon", 3, "--out", out)
    assert sorted(path.name for path in out.parent.iterdir()) == ["data.csv", "model"]
    assert sorted(p.name for p in out.iterdir()) == ["log.jsonl", "model.json", "run.toml"]


def test_interrupt_says_how_to_go_on(run, data, out):
    data.write_text("interrupt")
    words = ("fit", "echo", data, "--horizon", 3, "--out", out)
    status, _, error = run(*words)
    assert status == 130
    assert "--resume" in error
    assert not out.exists()

    data.write_text("fine now")
    status, _, error = run(*words)
    assert status == 2
    assert "--resume goes on with it, --overwrite starts anew" in error
    assert run(*words, "--resume")[0] == 0
    assert not out.with_name("model.checkpoint").exists()


def test_interrupt_before_a_checkpoint_leaves_nothing(run, data, out):
    data.write_text("interrupt early")
    status, _, error = run("fit", "echo", data, "--horizon", 3, "--out", out)
    assert status == 130
    assert "nothing was saved" in error
    assert [path.name for path in out.parent.iterdir()] == ["data.csv"]


def test_nothing_to_resume(run, data, out):
    status, _, error = run("fit", "echo", data, "--horizon", 3, "--out", out, "--resume")
    assert status == 2
    assert "leave --resume out" in error


def test_overwrite_starts_anew(run, data, out):
    data.write_text("interrupt")
    words = ("fit", "echo", data, "--horizon", 3, "--out", out)
    run(*words)
    data.write_text("fine now")
    assert run(*words, "--overwrite")[0] == 0


def test_wrong_data_is_one_sentence(run, out, tmp_path):
    status, _, error = run("fit", "echo", tmp_path / "no.csv", "--horizon", 3, "--out", out)
    assert (status, error) == (2, f"gatewise: there is no file {tmp_path / 'no.csv'}\n")


def test_a_full_disk_is_one_sentence(run, data, out):
    data.write_text("full")
    status, _, error = run("fit", "echo", data, "--horizon", 3, "--out", out)
    assert status == 2
    assert "the disk is full for somewhere" in error


def test_a_fault_of_the_program_is_not_hidden(run, data, out):
    data.write_text("bug")
    with pytest.raises(RuntimeError, match="a fault of the program"):
        run("fit", "echo", data, "--horizon", 3, "--out", out)


class Lends:
    """Take one folder or several.

    Args:
        folders: Names.
    """

    def __init__(self, *, folders: str | tuple[str, ...] | None = None) -> None:
        self.folders = folders


def test_what_may_be_one_word_or_several_takes_several():
    assert get_type_hints(form(Lends))["folders"] == tuple[str, ...] | None
