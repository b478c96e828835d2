"""Every experiment runs in seconds, and what it claims of its small version holds."""

import json

import pytest

from experiments import command, page
from experiments.catalogue import NAMES, by_name
from experiments.experiment import Setting


@pytest.mark.parametrize("name", NAMES)
def test_smoke(name, tmp_path):
    experiment = by_name(name)
    budget = experiment.budgets["smoke"]
    setting = Setting("smoke", budget.parts, tuple(range(budget.seeds)))
    record = json.loads(json.dumps(command.execute(experiment, setting, [name])))
    assert {row["part"] for row in record["rows"]} == set(budget.parts)
    assert [sentence for sentence, held in record["criteria"] if not held] == []
    page.write(experiment, [record], tmp_path)
    text = (tmp_path / f"{name}.md").read_text()
    assert f"# {experiment.title}" in text
    assert f"$ python -m experiments {name}" in text
    figure = tmp_path / f"{name}.svg"
    assert not figure.exists() or figure.read_text().rstrip().endswith("</svg>")
