"""What scikit-learn asks of an estimator, asked by scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from gatewise.train import Trainer

from .toys import Layers, Regressor, problem

sklearn = pytest.importorskip("sklearn")
from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.validation import check_is_fitted  # noqa: E402

FAST = Trainer(max_epochs=2)


def test_clone_gives_an_unfitted_equal():
    model = Regressor(layers=Layers(5), trainer=FAST).fit(*problem())
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "network_")
    check_is_fitted(model)
    with pytest.raises(sklearn.exceptions.NotFittedError):
        check_is_fitted(copy)


def test_cross_validation_scores_each_part():
    scores = cross_val_score(Regressor(trainer=FAST), *problem(), cv=3)
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()


def test_a_grid_reaches_into_the_specs():
    grid = {"layers__hidden_size": [2, 16], "trainer__lr": [1e-5, 3e-2]}
    search = GridSearchCV(Regressor(trainer=Trainer(max_epochs=6)), grid, cv=2)
    search.fit(*problem())
    assert search.best_params_["trainer__lr"] == 3e-2
    assert search.best_estimator_.trainer.lr == 3e-2
    assert search.predict(problem()[0]).shape == (120,)


def test_it_stands_at_the_end_of_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), Regressor(trainer=FAST))
    pipeline.set_params(regressor__trainer__max_epochs=3)
    x, y = problem()
    pipeline.fit(x, y)
    assert pipeline[-1].history_.epochs[-1].epoch == 3
    assert pipeline.predict(x).shape == (120,)
    assert np.isfinite(pipeline.score(x, y))
    assert np.isfinite(cross_val_score(pipeline, x, y, cv=2)).all()
