from __future__ import annotations

import json
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from gatewise.errors import InputError
from gatewise.estimator import Estimator, Task
from gatewise.evaluation import Verdict
from gatewise.train import Checkpoint, Ensemble, Trainer

from .toys import Layers, Regressor, problem, squared

FAST = Trainer(max_epochs=4)


@pytest.fixture(scope="module")
def fitted():
    return Regressor(trainer=FAST).fit(*problem())


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.network_.parameters()])


def test_fit_learns_and_says_what_it_used(fitted):
    x, y = problem(40, seed=1)
    longer = Regressor(trainer=Trainer(max_epochs=60)).fit(*problem())
    assert longer.predict(x).shape == (40,)
    assert np.corrcoef(longer.predict(x), y)[0, 1] > 0.9
    assert fitted.trainer_ == FAST.resolve({"batch_size": 16, "lr": 1e-2})
    assert fitted.history_.epochs[-1].epoch == 4
    assert set(fitted.summary_.table) == {"model", "zero"}


def test_the_decoder_is_calibrated_on_what_is_held_out(fitted):
    x, y = problem()
    with torch.no_grad():
        held_out = fitted.data_.examples(x[-24:], y[-24:])
        batch = held_out.batch(torch.arange(24))
        error = (batch.y - fitted.network_(batch)).mean()
    assert fitted.task_.decode.shift.item() == pytest.approx(error.item(), abs=1e-5)


def test_nothing_held_out_leaves_the_decoder_as_it_was():
    model = Regressor(trainer=FAST).fit(*problem(4))
    assert model.task_.decode.shift.item() == 0.0
    assert model.history_.best().valid_loss is None


def test_score_is_the_loss_negated_without_another_number(fitted):
    x, y = problem()
    output = fitted.predict(x) - fitted.task_.decode.shift.item()
    assert fitted.score(x, y) == pytest.approx(-np.square(output - y).mean(), rel=1e-4)


def test_predict_takes_no_rows_and_leaves_the_process_alone(fitted):
    before = torch.get_rng_state().tolist(), random.getstate()
    assert fitted.predict(np.zeros((0, 3))).shape == (0,)
    fitted.predict(problem()[0])
    assert (torch.get_rng_state().tolist(), random.getstate()) == before


def test_the_seed_alone_decides(fitted):
    torch.manual_seed(99)
    assert torch.equal(weights(Regressor(trainer=FAST).fit(*problem())), weights(fitted))
    other = Regressor(trainer=Trainer(max_epochs=4, seed=1)).fit(*problem())
    assert not torch.equal(weights(other), weights(fitted))


def test_an_ensembles_members_are_single_models_of_the_seeds_that_follow():
    both = Regressor(members=2, trainer=FAST).fit(*problem())
    for k, member in enumerate(both.network_.members):
        alone = Regressor(trainer=Trainer(max_epochs=4, seed=k)).fit(*problem())
        single = torch.cat([p.detach().flatten() for p in member.parameters()])
        assert torch.equal(single, weights(alone))


def test_a_failed_fit_leaves_what_was_learned():
    model = Regressor(trainer=FAST).fit(*problem())
    before, (x, y) = weights(model), problem()
    x[3, 1] = np.nan
    with pytest.raises(InputError):
        model.fit(x, y)
    assert torch.equal(weights(model), before)


def test_fit_goes_on_from_a_checkpoint_and_refuses_another_fits(tmp_path, fitted):
    place = Checkpoint(tmp_path, every=0.0)
    first = Regressor(trainer=FAST).fit(*problem(), checkpoint=place)
    again = Regressor(trainer=FAST).fit(*problem(), checkpoint=tmp_path)
    assert torch.equal(weights(first), weights(again))
    assert torch.equal(weights(first), weights(fitted))
    with pytest.raises(InputError, match=r"params\.layers\.fields\.hidden_size was 8, is 9"):
        Regressor(layers=Layers(9), trainer=FAST).fit(*problem(), checkpoint=tmp_path)
    with pytest.raises(InputError, match="data was"):
        Regressor(trainer=FAST).fit(*problem(seed=1), checkpoint=tmp_path)


@pytest.mark.parametrize("members", [1, 2])
def test_a_saved_model_answers_to_the_bit(tmp_path, members):
    x, y = problem()
    model = Regressor(members=members, trainer=FAST).fit(x, y)
    model.save(tmp_path / "model")
    again = Regressor.load(tmp_path / "model")
    assert (again.predict(x) == model.predict(x)).all()
    assert again.score(x, y) == model.score(x, y)
    assert again.get_params() == model.get_params()
    for name in ("trainer_", "history_", "summary_", "provenance_"):
        assert getattr(again, name) == getattr(model, name)
    again.save(tmp_path / "twice")
    assert [f.read_bytes() for f in sorted((tmp_path / "twice").iterdir())] == [
        f.read_bytes() for f in sorted((tmp_path / "model").iterdir())
    ]


def test_a_saved_model_answers_to_the_bit_in_another_process(tmp_path, fitted):
    x, _ = problem()
    fitted.save(tmp_path / "model")
    np.save(tmp_path / "x.npy", x)
    code = (
        "import sys, numpy as np; from tests.toys import Regressor; at = sys.argv[1];"
        "np.save(at + '/y.npy', Regressor.load(at + '/model').predict(np.load(at + '/x.npy')))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert (np.load(tmp_path / "y.npy") == fitted.predict(x)).all()


def test_a_saved_model_says_where_it_came_from(tmp_path, fitted):
    fitted.save(tmp_path / "model", files={"report.html": b"<p>"})
    held = json.loads((tmp_path / "model" / "model.json").read_text())
    assert held["provenance"]["seed"] == 0
    assert held["provenance"]["versions"]["torch"] == str(torch.__version__)
    assert len(held["provenance"]["data"]) == 64
    assert held["trainer"]["fields"]["batch_size"] == 16
    assert held["summary"]["table"]["model"]["mse"] > 0
    assert (tmp_path / "model" / "report.html").read_bytes() == b"<p>"


def test_another_tasks_model_and_one_that_no_longer_fits_are_refused(tmp_path, fitted):
    fitted.save(tmp_path / "model")
    file = tmp_path / "model" / "model.json"
    text = file.read_text()
    file.write_text(text.replace('"Regressor"', '"Classifier"'))
    with pytest.raises(InputError, match=r"holds a Classifier, not a Regressor: use Classifier"):
        Regressor.load(tmp_path / "model")
    file.write_text(text.replace('"members": 1', '"membres": 1'))
    with pytest.raises(InputError, match=r"does not fit this version of Regressor .*membres"):
        Regressor.load(tmp_path / "model")
    file.write_text(text.replace('"hidden_size": 8', '"hidden_size": 9'))
    with pytest.raises(InputError, match=r"does not fit this version of Regressor"):
        Regressor.load(tmp_path / "model")
    file.write_text(text.replace('"columns": 3', '"colums": 3'))
    with pytest.raises(InputError, match=r"does not fit this version of Regressor .*columns"):
        Regressor.load(tmp_path / "model")


def test_what_is_not_fitted_says_so(tmp_path):
    model = Regressor()
    for ask in (
        lambda: model.predict(1),
        lambda: model.score(1),
        lambda: model.save(tmp_path / "x"),
    ):
        with pytest.raises(InputError, match="this Regressor is not fitted: call fit"):
            ask()


def test_parameters_by_name_and_inside_of_specs():
    model = Regressor().set_params(trainer__lr=0.1, layers__hidden_size=5, members=2)
    assert model.get_params()["trainer__lr"] == 0.1
    assert model.layers == Layers(5)
    assert set(model.get_params(deep=False)) == {"members", "layers", "trainer"}
    model.set_params(trainer__seed=3, trainer=Trainer(lr=9.0))
    assert model.trainer == Trainer(lr=9.0, seed=3)
    with pytest.raises(InputError, match="no parameter 'trainer__lrr': did you mean 'trainer__lr'"):
        model.set_params(trainer__lrr=1, members=7)
    assert model.members == 2
    with pytest.raises(InputError, match="lr is -1"):
        model.set_params(trainer__lr=-1)


def test_repr_shows_what_differs():
    assert repr(Regressor()) == "Regressor()"
    model = Regressor(members=2, trainer=Trainer(lr=0.5))
    assert repr(model) == "Regressor(members=2, trainer=Trainer(lr=0.5))"


def methods(**changed):
    def init(self, *, trainer=Trainer()):
        self.trainer = trainer

    return {"__init__": init, "data": lambda s: None, "task": lambda s, d: None, **changed}


@pytest.mark.parametrize("name", ["fit", "predict", "score", "save", "load", "get_params"])
def test_a_task_overrides_nothing(name):
    with pytest.raises(TypeError, match=f"Bad.{name}: give other parts"):
        type("Bad", (Estimator,), methods(**{name: lambda s: None}))


def test_a_task_is_final_and_whole():
    with pytest.raises(TypeError, match="a task is final"):
        type("Bad", (Regressor,), {})
    parts = methods()
    del parts["data"]
    with pytest.raises(TypeError, match="Bad has no data"):
        type("Bad", (Estimator,), parts)


def test_a_task_spells_out_its_parameters_and_takes_a_trainer():
    with pytest.raises(TypeError, match=r"spell out what \*options"):
        type("Bad", (Estimator,), methods(__init__=lambda self, **options: None))
    with pytest.raises(TypeError, match="takes no trainer"):
        type("Bad", (Estimator,), methods(__init__=lambda self, lr: None))


def test_a_verdict_survives_and_reads_well():
    verdict = Verdict({"model": {"a": 1.0}, "naive": {"a": 2.0, "b": 3.0}}, ("Good.",))
    assert Verdict.restored(json.loads(json.dumps(verdict.state()))) == verdict
    assert str(verdict).splitlines()[-1] == "Good."


def test_parts_may_do_without_judge_and_calibration():
    class Plain(Estimator):
        def __init__(self, *, trainer: Trainer = FAST):
            self.trainer = trainer

        def data(self):
            return Regressor().data()

        def task(self, data):
            network = Regressor().task(data).network
            return Task(network, squared, lambda net, batch: net(batch)[:, 0])

    model = Plain().fit(*problem())
    assert model.summary_ is None
    assert model.trainer_.batch_size == 64
    assert model.predict(problem()[0]).shape == (120,)


def test_an_ensemble_of_one_is_the_network_itself_and_steps_its_members():
    class Counter(torch.nn.Module):
        def start(self, batch):
            return torch.zeros(batch)

        def step(self, token, state):
            return (token + state)[:, None].float(), state + 1

        def select(self, state, rows):
            return state[rows]

    assert isinstance(Ensemble.of(Counter, 1, seed=0), Counter)
    pair = Ensemble.of(Counter, 2, seed=0)
    state = pair.select(pair.start(3), torch.tensor([2, 2]))
    output, state = pair.step(torch.tensor([1, 5]), state)
    assert output.tolist() == [[1.0], [5.0]]
    assert [s.tolist() for s in state] == [[1.0, 1.0], [1.0, 1.0]]


def test_a_spec_of_another_type_is_refused_before_the_work():
    from gatewise.tasks import Translator

    with pytest.raises(InputError, match=r"tokens='word' is a str: give a gatewise\..*\.Tokens"):
        Translator("word").fit([("one", "two")])
    with pytest.raises(InputError, match=r"trainer=3 is a int: give a gatewise\..*\.Trainer"):
        Translator(trainer=3).fit([("one", "two")])
