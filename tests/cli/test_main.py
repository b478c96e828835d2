"""The command as a whole: help, speed, pipes, and the other verbs."""

import resource
import subprocess
import sys

import pytest

import gatewise
from gatewise import tasks
from gatewise.cli import flags
from gatewise.cli.form import flowing, form
from gatewise.nn import Encoder

VERBS = (
    (),
    ("fit",),
    ("fit", "echo"),
    ("predict",),
    ("backtest",),
    ("info",),
    ("explain",),
)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_teaches(run, verb):
    status, shown, error = run(*verb, "--help")
    assert (status, error) == (0, "")
    assert "Example" in shown
    assert "$ gatewise" in shown


def test_help_has_the_docstrings_words_and_the_signatures_defaults(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    shown = run("fit", "echo", "--help")[1]
    assert "Levels, ascending. [default: 0.1 0.5 0.9]" in shown
    assert "Units of each layer and direction. [default: 32]" in shown
    assert "--encoder.cell STR" in shown
    assert "--encoder.cell.name" not in shown
    assert "--no-resume" not in shown
    assert "--no-seasonal" in shown
    assert "[default: ]" not in shown
    assert "--horizon 24 --out data.model" in shown
    assert "It stands for any task: its docstring is wrapped." in shown


def test_no_verb_shows_help(run):
    assert run() == run("--help")


def test_misspelt_verb(run):
    status, _, error = run("predct")
    assert status == 2
    assert "did you mean 'predict'?" in error


def test_version(run):
    assert run("--version") == (0, f"{gatewise.__version__}\n", "")


def test_predict_to_standard_output(run, data):
    assert run("predict", "model", data) == (0, "series,time,forecast\na,1,0.5\na,2,\n", "")


def test_predict_to_a_file(run, data, tmp_path):
    out = tmp_path / "out.csv"
    assert run("predict", "model", data, "--out", out) == (0, "", "")
    assert out.read_text() == "series,time,forecast\na,1,0.5\na,2,\n"


@pytest.mark.parametrize("name", ["out.xlsx", "nowhere/out.csv", "."])
def test_predict_refuses_the_file_before_the_work(run, data, tmp_path, name, monkeypatch):
    monkeypatch.delattr(tasks, "load")
    status, _, error = run("predict", "model", data, "--out", tmp_path / name)
    assert status == 2
    assert error.count("\n") == 1


def test_backtest_needs_something_that_forecasts(run, data):
    status, _, error = run("backtest", "model", data)
    assert status == 2
    assert "holds a Echo" in error


@pytest.mark.parametrize("verb", ["predict", "info", "backtest"])
def test_what_is_no_model(run, tmp_path, data, monkeypatch, verb):
    from gatewise.tasks.loading import load

    monkeypatch.setattr(tasks, "load", load)
    words = [tmp_path] if verb == "info" else [tmp_path, data]
    status, _, error = run(verb, *words)
    assert status == 2
    assert "is not a saved model" in error


def test_explain(run):
    status, shown, _ = run("explain", "gru", "--hidden-size", 4)
    assert status == 0
    assert "torch.sigmoid" in shown
    assert "reference" in shown


def test_explain_misspelt(run):
    status, _, error = run("explain", "lstmm")
    assert (status, error) == (2, "gatewise: there is no cell 'lstmm': did you mean 'lstm'?\n")


def test_verbs_are_written_with_dashes():
    assert flags.verb("SequenceClassifier") == "sequence-classifier"


def test_lines_flow():
    assert flowing("a\nb\n\nc") == "a b\n\nc"


def test_a_form_keeps_what_the_constructor_has():
    blank = form(Encoder)
    assert blank() == blank(cell="lstm", hidden_size=Encoder().hidden_size)


def test_help_loads_no_framework():
    program = (
        "import sys\n"
        "from gatewise.cli.main import main\n"
        "assert main(['fit', '--help']) == 0\n"
        "heavy = {'torch', 'numpy', 'pandas', 'polars', 'pyarrow', 'matplotlib', 'narwhals'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_help_answers_at_once():
    """In processor time: what else the machine is doing does not count."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "gatewise", "fit", "forecaster", "--help"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.5


def test_a_reader_that_leaves_early():
    program = "import sys\nfrom gatewise.cli.main import main\nsys.exit(main(['fit', '--help']))"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 1
