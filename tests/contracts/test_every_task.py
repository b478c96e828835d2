"""What holds for every task from a file to a saved model and back, with no word about any."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import gatewise.tasks
from gatewise.cli import flags
from gatewise.cli.main import main
from gatewise.errors import InputError
from gatewise.tasks import TASKS
from gatewise.train import Trainer

from .tasks import EXAMPLES

SHORT = Trainer(max_steps=3)


@pytest.fixture(params=sorted(TASKS), scope="module")
def name(request):
    return request.param


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tasks")


@pytest.fixture(scope="module")
def files(name, folder):
    assert name in EXAMPLES, "tests/contracts/tasks.py needs an example of each task"
    return EXAMPLES[name].fit(folder)


@pytest.fixture(scope="module")
def fitted(name, files):
    return _made(name).fit(*_given(getattr(gatewise.tasks, name), files))


def _made(name):
    return getattr(gatewise.tasks, name)(**EXAMPLES[name].params, trainer=SHORT)


def _given(cls, files):
    return [files] if next(iter(cls.inputs)).endswith("...") else files


def same(a, b):
    """Whether two answers of any form are equal, to the bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray) and a.dtype.kind == "f":
        return np.array_equal(a, b, equal_nan=True)
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b


def test_its_verb_and_its_files_are_named(name):
    cls = getattr(gatewise.tasks, name)
    verb = cls.verb or flags.verb(name)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", verb)
    assert flags.tasks()[verb] is cls
    assert all(isinstance(said, str) and said.endswith(".") for said in cls.inputs.values())


def test_its_help_teaches(name, capsys):
    cls = getattr(gatewise.tasks, name)
    assert main(["fit", cls.verb or flags.verb(name), "--help"]) == 0
    shown = capsys.readouterr().out
    assert "$ gatewise fit" in shown
    assert "--trainer.lr" in shown


def test_a_loaded_model_answers_to_the_bit(name, fitted, files, tmp_path):
    fitted.save(tmp_path / "model")
    again = gatewise.load(tmp_path / "model")
    asked = files[0]
    assert same(again.predict(asked), fitted.predict(asked))
    assert again.get_params() == fitted.get_params()
    assert again.summary_ == fitted.summary_


def test_it_is_judged_beside_baselines(name, fitted, files):
    verdict = fitted.evaluate(*_given(type(fitted), files))
    rows = list(verdict.table)
    assert rows[0] == "model"
    assert all(np.isfinite(v) for v in verdict.table["model"].values())
    if fitted.task_.measure is not None:
        assert len(rows) > 1


def test_a_loaded_model_is_judged_alike(name, fitted, files, tmp_path):
    fitted.save(tmp_path / "model")
    again = gatewise.load(tmp_path / "model")
    given = _given(type(fitted), files)
    here, there = fitted.evaluate(*given).table, again.evaluate(*given).table
    assert there["model"] == here["model"]
    assert there.keys() <= here.keys()


def test_its_report_is_one_page(fitted):
    page = fitted.report_.html()
    assert page.startswith("<!doctype html>")
    assert "<h2>Figures</h2>" in page
    assert not re.search(r"""(?:src|href)=["'](?!#)""", page)


def test_from_the_command_line(name, files, tmp_path, capsys):
    cls = getattr(gatewise.tasks, name)
    asked = [f"--{key}={value}" for key, value in EXAMPLES[name].params.items()]
    model = str(tmp_path / "model")
    words = ["fit", cls.verb or flags.verb(name), *map(str, files), *asked, "--out", model]
    assert main([*words, "--trainer.max-steps", "2", "--quiet"]) == 0, capsys.readouterr().err
    assert (tmp_path / "model" / "report.html").is_file()
    figures = tmp_path / "figures.json"
    assert main(["evaluate", model, *map(str, files), "--json", str(figures)]) == 0
    assert json.loads(figures.read_text())["figures"]
    capsys.readouterr()
    assert main(["predict", model, str(files[0]), "--out", str(tmp_path / "answer.csv")]) == 0
    assert len((tmp_path / "answer.csv").read_text().splitlines()) > 1


def test_a_file_that_is_not_there_is_named(name, tmp_path):
    cls = getattr(gatewise.tasks, name)
    missing = [tmp_path / f"missing{i}.csv" for i in range(len(cls.inputs))]
    with pytest.raises(InputError, match=r"missing0\.csv"):
        _made(name).fit(*_given(cls, missing))
