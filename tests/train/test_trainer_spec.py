from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import pytest

from gatewise.errors import InputError
from gatewise.train import Trainer
from gatewise.train.spec import GENERIC


def test_a_given_value_comes_before_the_tasks_and_the_tasks_before_the_generic_one():
    chosen = Trainer(lr=0.5).resolve({"lr": 0.1, "batch_size": 7})
    assert (chosen.lr, chosen.batch_size) == (0.5, 7)
    assert chosen.patience == GENERIC["patience"]


def test_resolving_leaves_nothing_open_but_two_of_the_three_limits_and_is_done_once():
    chosen = Trainer().resolve()
    open_ = {f.name for f in fields(chosen) if getattr(chosen, f.name) is None}
    assert open_ == {"max_steps", "max_seconds", "epoch_examples"}
    assert chosen.resolve() == chosen == chosen.resolve({"lr": 9.0, "batch_size": 1})


@pytest.mark.parametrize(
    ("given", "defaults", "steps", "epochs"),
    [
        ({}, {}, None, GENERIC["max_epochs"]),
        ({}, {"max_steps": 9}, 9, None),
        ({}, {"max_steps": 9, "max_epochs": 2}, 9, 2),
        ({"max_steps": 5}, {"max_epochs": 2}, 5, None),
        ({"max_epochs": 3}, {"max_steps": 9}, None, 3),
        ({"max_epochs": 3, "max_steps": 5}, {"max_steps": 9}, 5, 3),
        ({"max_seconds": 2.5}, {"max_steps": 9}, None, None),
        ({}, {"max_seconds": 2.5}, None, None),
    ],
)
def test_a_limit_that_is_given_stands_alone(given, defaults, steps, epochs):
    chosen = Trainer(**given).resolve(defaults)
    assert (chosen.max_steps, chosen.max_epochs) == (steps, epochs)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lr", 0.0),
        ("lr", float("nan")),
        ("batch_size", 0),
        ("batch_size", 1.5),
        ("batch_size", True),
        ("max_epochs", 0),
        ("max_steps", -1),
        ("epoch_examples", -1),
        ("patience", -1),
        ("clip_norm", -1.0),
        ("weight_decay", float("inf")),
        ("betas", 0.9),
        ("betas", (0.9, 1.0)),
        ("schedule", "cosin"),
        ("warmup", 1.0),
        ("average", 1.0),
        ("seed", -1),
    ],
)
def test_a_value_out_of_range_is_named(name, value):
    with pytest.raises(InputError, match=f"Trainer: {name} is .*, and has to be"):
        Trainer(**{name: value})


def test_a_default_for_no_field_is_the_tasks_mistake():
    with pytest.raises(TypeError, match="did you mean 'batch_size'"):
        Trainer().resolve({"batchsize": 3})


def test_every_field_is_described():
    described = Trainer.__doc__ or ""
    for field in fields(Trainer):
        assert f"\n        {field.name}: " in described


def test_reading_the_specs_imports_no_torch():
    code = (
        "import sys; from gatewise.train import Trainer; from gatewise.estimator import Estimator;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
