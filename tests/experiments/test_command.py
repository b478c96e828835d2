"""The command: list, run, results, page, wrong input."""

import json
import sys

import pytest
import torch

from experiments import command, page
from experiments.catalogue import NAMES, by_name
from experiments.experiment import Budget, Experiment, Paper, seeded
from gatewise import InputError

PAPER = Paper("Nobody", 1999, "Nothing", "https://example.org")


def counted(setting):
    return [{"part": part, "seed": seed, "value": seed} for part in setting.parts
            for seed in setting.seeds]  # fmt: skip


TOY = Experiment(
    name="toy",
    title="Is it so?",
    papers=(PAPER,),
    budgets={"smoke": Budget("All of it.", ("a", "b"), 2)},
    run=counted,
    summary=lambda rows: [{"rows": len(rows)}],
    criteria=lambda rows: [(f"{len(rows)} rows are more than three", len(rows) > 3)],
    listing=lambda rows: "as it is",
    deviations=("None.",),
)


pytestmark = pytest.mark.usefixtures("threads_as_before")


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setattr(command, "by_name", lambda name: TOY)


def test_a_list_names_every_experiment(capsys):
    assert command.main(["--list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in NAMES)
    assert command.main([]) == 0


def test_results_say_what_was_run(toy, tmp_path, capsys):
    target = tmp_path / "results" / "toy.json"
    assert command.main(["toy", "--json", str(target)]) == 0
    record = json.loads(target.read_text())
    assert record["rows"][0] == {"part": "a", "seed": 0, "value": 0}
    assert record["criteria"] == [["4 rows are more than three", True]]
    assert record["parts"] == ["a", "b"]
    assert record["seeds"] == [0, 1]
    assert record["command"].startswith("python -m experiments toy")
    assert set(record["machine"]) >= {"cpu", "cores"}
    assert "Holds: 4 rows" in capsys.readouterr().out


def test_a_criterion_that_does_not_hold_is_status_one(toy, capsys):
    assert command.main(["toy", "--only", "b", "--seeds", "3", "--first-seed", "7"]) == 1
    assert "Does not hold: 3 rows" in capsys.readouterr().out


def test_pages_are_written_of_results_files_alone(toy, tmp_path, capsys):
    one, two = tmp_path / "1.json", tmp_path / "2.json"
    command.main(["toy", "--only", "a", "--json", str(one)])
    command.main(["toy", "--only", "b", "--json", str(two)])
    arguments = ["toy", "--write-docs", str(one), str(two), "--docs", str(tmp_path)]
    assert command.main(arguments) == 1
    text = (tmp_path / "toy.md").read_text()
    assert "# Is it so?" in text
    assert "$ python -m experiments toy --only a\n$ python -m experiments toy --only b\n" in text
    assert "| rows |\n| ---: |\n|    4 |" in text
    assert "- Holds: 4 rows" in text
    assert "```text\nas it is\n```" in text
    assert str(tmp_path) not in text
    assert not (tmp_path / "toy.svg").exists()
    assert command.main(["toy", "--write-docs", "--docs", str(tmp_path / "own")]) == 0
    assert (tmp_path / "own" / "toy.md").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["hochreiter97"], "did you mean 'hochreiter1997'?"),
        (
            ["goodfellow2016", "--budget", "exact"],
            "--budget exact: goodfellow2016 has smoke, modern",
        ),
        (["hochreiter1997", "--only", "small ading"], "did you mean 'small adding'?"),
        (["greff2017", "--budget", "modern", "--data", "nowhere"], "no file nowhere"),
        (["olah2015", "--write-docs", "nowhere.json"], "give files that --json wrote"),
    ],
)
def test_wrong_input_is_a_sentence(arguments, sentence, capsys):
    assert command.main(arguments) == 2
    assert sentence in capsys.readouterr().err


def test_names_are_known():
    with pytest.raises(InputError, match="olah2015"):
        by_name("olah2016")


@pytest.mark.parametrize("name", NAMES)
def test_experiments_say_what_they_repeat(name):
    experiment = by_name(name)
    assert experiment.name == name
    assert experiment.papers
    assert "smoke" in experiment.budgets
    assert sys.modules["experiments.page"] is page
    for budget in experiment.budgets.values():
        assert budget.about.endswith(".")
        assert len(set(budget.parts)) == len(budget.parts) > 0
        assert not any("," in part for part in budget.parts)


def test_seeds_leave_torchs_generator_alone():
    before = torch.get_rng_state()
    with seeded(3):
        torch.rand(5)
    assert torch.equal(torch.get_rng_state(), before)
