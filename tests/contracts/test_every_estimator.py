"""What holds for every task, with no word about any of them."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest

import gatewise.tasks
from gatewise import export
from gatewise.estimator import Estimator, parameters
from gatewise.tasks import TASKS

NEEDED = {"horizon": 3}
"""An example for each parameter, of any task, that has no default."""


def made(name):
    cls = getattr(gatewise.tasks, name)
    needed = [p.name for p in parameters(cls).values() if p.default is p.empty]
    return cls(**{p: NEEDED[p] for p in needed})


@pytest.fixture(params=sorted(TASKS))
def model(request):
    return made(request.param)


def test_it_is_a_task_in_the_file_it_is_said_to_be_in(model):
    cls = type(model)
    assert cls.__bases__ == (Estimator,)
    assert cls.__module__ == f"gatewise.tasks{TASKS[cls.__name__]}"


def test_its_constructor_keeps_what_it_is_given(model):
    for name, parameter in parameters(type(model)).items():
        if parameter.default is not parameter.empty:
            assert getattr(model, name) is parameter.default
    assert all(not name.endswith("_") for name in vars(model))


def test_its_parameters_are_few_and_described(model):
    held = parameters(type(model))
    assert len(held) <= 12
    for name, parameter in held.items():
        assert f" {name}: " in (inspect.getdoc(type(model)) or "")
        assert parameter.annotation is not parameter.empty


def test_its_parameters_can_be_saved(model):
    cls = type(model)
    held = json.loads(json.dumps(export.encode(model.get_params(deep=False)), allow_nan=False))
    again = cls(**export.decode(held, export.specs_of(cls.__init__)))
    assert again.get_params() == model.get_params()
    assert repr(again) == repr(model)


def test_its_parameters_can_be_set_one_by_one(model):
    for name, value in model.get_params().items():
        model.set_params(**{name: value})
    assert repr(model) == repr(made(type(model).__name__))


def test_scikit_learn_clones_it(model):
    base = pytest.importorskip("sklearn.base")
    assert base.clone(model).get_params() == model.get_params()


def test_its_signature_is_read_without_torch():
    names = sorted(TASKS)
    code = (
        f"import sys, inspect, gatewise.tasks as t; [inspect.signature(getattr(t, n)) for n in "
        f"{names}]; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
