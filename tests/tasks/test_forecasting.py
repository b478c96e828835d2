"""What a forecaster answers: form, order, signs, odd series, reloading, and seeds."""

import io

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
import torch

import gatewise
from gatewise.data.series.columns_spec import Columns
from gatewise.errors import InputError
from gatewise.nn import Encoder
from gatewise.tasks.forecasting import Forecaster
from gatewise.train import Trainer

from .made import (
    COLUMNS,
    HORIZON,
    QUANTILES,
    changing,
    close,
    fitted,
    forecaster,
    gappy,
    numbers,
    rich_table,
    several,
    table,
    wave,
)

NAMES = ["shop", "day", "forecast", "q0.1", "q0.5", "q0.9"]


@pytest.fixture(scope="module")
def on_table():
    return forecaster(columns=Columns(series="shop", time="day", target="sales")).fit(table())


def test_each_kind_of_table_is_answered_in_kind_with_the_same_numbers(on_table, tmp_path):
    frame = table()
    file = tmp_path / "sales.csv"
    frame.to_csv(file, index=False)
    expected = on_table.predict(frame)
    assert isinstance(expected, pd.DataFrame)
    assert list(expected.columns) == NAMES
    assert len(expected) == 3 * HORIZON
    polar = on_table.predict(polars.from_pandas(frame))
    assert isinstance(polar, polars.DataFrame)
    assert polar.columns == NAMES
    arrow = on_table.predict(pyarrow.Table.from_pandas(frame, preserve_index=False))
    assert isinstance(arrow, pyarrow.Table)
    assert arrow.column_names == NAMES
    text = on_table.predict(file)
    assert list(text) == NAMES
    for answer in (polar, arrow, text):
        close(numbers(answer), numbers(expected), 1e-6)
    assert polar["day"].to_list() == expected["day"].dt.to_pydatetime().tolist()
    assert list(text["shop"]) == expected["shop"].tolist()
    for shop, own in frame.groupby("shop"):
        days = expected.loc[expected["shop"] == shop, "day"]
        due = pd.date_range(own["day"].max() + pd.Timedelta(days=1), periods=HORIZON)
        assert days.tolist() == due.tolist()


def test_arrays_lists_and_dicts_are_answered_as_arrays():
    model = fitted("log")
    series = several()
    expected = model.predict(series)
    assert expected.shape == (3, HORIZON, 1 + len(QUANTILES))
    named = model.predict({f"s{i}": y for i, y in enumerate(series)})
    np.testing.assert_array_equal(named, expected)
    block = np.stack([y[-80:] for y in series])
    np.testing.assert_array_equal(model.predict(block), model.predict(list(block)))
    assert model.predict(series[0]).shape == (1, HORIZON, 4)
    close(model.predict(series[0])[0], expected[0])
    close(model.predict(series[0].tolist())[0], expected[0])


@pytest.mark.parametrize("kind", ["log", "linear"])
def test_neither_order_nor_company_matters(kind):
    model = fitted(kind)
    series = several() if kind == "log" else changing()
    expected = model.predict(series)
    close(model.predict(series[::-1])[::-1], expected)
    for i, y in enumerate(series):
        close(model.predict(y)[0], expected[i])


def test_rows_in_any_order_mean_the_same(on_table):
    shuffled = table().sample(frac=1, random_state=0)
    expected, found = on_table.predict(table()), on_table.predict(shuffled)
    found = found.sort_values(["shop", "day"], ignore_index=True)
    close(numbers(found), numbers(expected))


def test_series_that_were_not_fitted_on_are_forecast(on_table):
    unseen = table([wave(60, 11), wave(30, 12)]).replace({"shop 0": "new", "shop 1": "newer"})
    answer = on_table.predict(unseen)
    assert answer["shop"].unique().tolist() == ["new", "newer"]
    assert np.isfinite(numbers(answer)).all()
    known = on_table.predict(unseen.replace({"new": "shop 1"}))
    close(numbers(known)[:HORIZON], numbers(answer)[:HORIZON])


@pytest.mark.parametrize("kind", ["log", "linear", "rich"])
@pytest.mark.parametrize("ensemble", [1, 2])
def test_quantiles_increase_and_the_median_is_the_point(kind, ensemble):
    model = fitted(kind, ensemble)
    data = {"log": several, "linear": changing, "rich": lambda: rich_table(130, HORIZON)}[kind]()
    answer = numbers(model.predict(data))
    assert (np.diff(answer[:, 1:], axis=1) > 0).all()
    close(answer[:, 0], answer[:, 2], 1e-6)


def test_what_is_never_negative_is_never_forecast_to_be():
    rng = np.random.default_rng(0)
    rare = [rng.poisson(0.4, 120).astype(float) for _ in range(3)]
    model = forecaster().fit(rare)
    assert model.data_.transform_ == "linear"
    assert (model.predict(rare) >= 0).all()
    assert (model.predict([r * 0 for r in rare][0:1] + rare) >= 0).all()


def test_a_constant_series_among_others_is_forecast_to_stay():
    series = [*several(), np.full(100, 7.0)]
    for data in (series, [y - 5 for y in series]):
        model = forecaster().fit(data)
        answer = model.predict(data)
        assert np.isfinite(answer).all()
        np.testing.assert_allclose(answer[3, :, 0], data[3][-1], rtol=0.05)


def test_gaps_and_short_series_beside_long_ones():
    series = [*gappy(several()), wave(15, 4), wave(9, 5), wave(8, 6)]
    model = forecaster().fit(series)
    answer = model.predict(series)
    assert answer.shape == (6, HORIZON, 4)
    assert np.isfinite(answer).all()
    short = model.predict([[3.0], [4.0, 5.0, 4.0]])
    assert np.isfinite(short).all()


def test_a_series_that_is_too_short_to_fit_is_named():
    with pytest.raises(InputError, match="series 1 has 7 steps, and a horizon of 6 needs 8"):
        forecaster().fit([several()[0], wave(7)])


def test_a_level_that_comes_and_goes_moves_the_forecast_with_it():
    model = fitted("linear")
    y = changing()[0]
    close(model.predict(y + 1e3)[0] - 1e3, model.predict(y)[0], 2e-2)
    close(model.predict(50 * y)[0] / 50, model.predict(y)[0], 1e-3)
    log = fitted("log")
    close(log.predict(7 * several()[0])[0] / 7, log.predict(several()[0])[0])


def test_future_values_that_are_missing_are_named():
    with pytest.raises(InputError, match=r"'price' for series 'shop 0'.*'promo'"):
        fitted("rich").predict(rich_table())


def test_a_promotion_ahead_is_heeded():
    sales = rich_table(130, HORIZON)
    model = forecaster(steps=150, columns=COLUMNS).fit(rich_table())
    none, all_of_it = sales.copy(), sales.copy()
    ahead = sales["sales"].isna()
    none.loc[ahead, "promo"], all_of_it.loc[ahead, "promo"] = "no", "yes"
    lift = model.predict(all_of_it)["forecast"] - model.predict(none)["forecast"]
    assert 1 < lift.mean() < 5


@pytest.mark.parametrize("kind", ["log", "linear", "rich"])
@pytest.mark.parametrize("ensemble", [1, 2])
def test_a_loaded_forecaster_is_the_one_that_was_saved(kind, ensemble, tmp_path):
    model = fitted(kind, ensemble)
    model.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    assert type(gatewise.load(tmp_path / "model")) is Forecaster
    data = {"log": several, "linear": changing, "rich": lambda: rich_table(130, HORIZON)}[kind]()
    np.testing.assert_array_equal(numbers(loaded.predict(data)), numbers(model.predict(data)))
    past = rich_table() if kind == "rich" else data
    ours, theirs = model.backtest(past, windows=2), loaded.backtest(past, windows=2)
    assert ours.figures == theirs.figures
    assert ours.verdict == theirs.verdict
    np.testing.assert_array_equal(
        numbers(loaded.stream(data).forecast()), numbers(model.stream(data).forecast())
    )
    assert loaded.score(past) == model.score(past)
    assert loaded.summary_ == model.summary_
    with pytest.raises(AttributeError):
        loaded.report_


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.network_.parameters()])


def test_a_seed_gives_the_same_weights_and_another_gives_others():
    one, two = (forecaster(steps=8).fit(several()) for _ in range(2))
    assert torch.equal(weights(one), weights(two))
    np.testing.assert_array_equal(one.predict(several()), two.predict(several()))
    other = forecaster(trainer=Trainer(max_steps=8, batch_size=32, seed=1)).fit(several())
    assert not torch.equal(weights(one), weights(other))


def test_a_fit_leaves_the_processes_randomness_alone():
    torch.manual_seed(3)
    np.random.seed(3)
    before, numbers_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    forecaster(steps=5).fit(several())
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numbers_before)


def test_an_ensemble_averages_its_members():
    model = fitted("linear", 2)
    assert len(model.network_.members) == 2
    batch = model.data_.encode(changing()).batch(torch.arange(3))
    model.network_.eval()
    with torch.no_grad():
        both = model.network_(batch)
        own = [member(batch) for member in model.network_.members]
    torch.testing.assert_close(both.point, (own[0].point + own[1].point) / 2)
    torch.testing.assert_close(both.quantiles, (own[0].quantiles + own[1].quantiles) / 2)
    assert not torch.equal(own[0].point, own[1].point)


@pytest.mark.parametrize("output", ["student_t", "negative_binomial"])
def test_distributions_fit_calibrate_predict_and_stream(output, tmp_path):
    rng = np.random.default_rng(0)
    counts = [rng.poisson(wave(n, i)).astype(float) for i, n in enumerate([150, 90, 120])]
    model = forecaster(output=output).fit(counts)
    answer = model.predict(counts)
    assert np.isfinite(answer).all()
    assert (np.diff(answer[..., 1:]) >= 0).all()
    assert (answer >= 0).all()
    found = model.task_.judge.found_
    assert 0.5 < found.figures["gatewise"]["coverage 0.8"] <= 1
    assert np.isfinite(model.score(counts))
    close(model.predict(counts[1])[0], answer[1])
    stream = model.stream([y[:-5] for y in counts])
    stream.update(np.stack([y[-5:] for y in counts]))
    close(stream.forecast(), answer)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(Forecaster.load(tmp_path / "model").predict(counts), answer)


@pytest.mark.parametrize(
    "rest",
    [
        {"point": "mean"},
        {"context": 24},
        {"holdout": 20},
        {"quantiles": (0.5,)},
        {"quantiles": (0.3, 0.99)},
        {"horizon": 1},
        {"horizon": 30},
        {"encoder": Encoder(hidden_size=4, num_layers=2, dropout=0.1)},
        {"encoder": Encoder(cell="gru", hidden_size=4)},
    ],
    ids=str,
)
def test_every_parameter_is_heeded(rest):
    model = forecaster(steps=4, **rest).fit(several())
    answer = model.predict(several())
    levels = rest.get("quantiles", QUANTILES)
    assert answer.shape == (3, rest.get("horizon", HORIZON), 1 + len(levels))
    assert np.isfinite(answer).all()
    stream = model.stream([y[:-1] for y in several()])
    close(stream.update(np.array([y[-1] for y in several()])).forecast(), answer)
    if "holdout" in rest:
        assert (model.data_.split_.held_out == 20).all()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"horizon": 0}, "horizon is 0"),
        ({"horizon": 2.5}, "horizon is 2.5"),
        ({"horizon": True}, "horizon is True"),
        ({"ensemble": 0}, "ensemble is 0"),
        ({"context": -1}, "context is -1"),
        ({"context": 10_000}, "context is 10000"),
        ({"holdout": 2}, "holdout is 2"),
        ({"quantiles": ()}, "quantiles"),
        ({"quantiles": (0.9, 0.1)}, "quantiles"),
        ({"quantiles": (0.1, 1.0)}, "quantiles"),
        ({"point": "mode"}, "point is 'mode'"),
        ({"output": "normal"}, "output is 'normal'"),
        ({"decoding": "beam"}, "decoding is 'beam'"),
        ({"decoding": "autoregressive"}, "draws from a distribution"),
    ],
)
def test_wrong_parameters_are_refused_before_anything_is_learned(wrong, said):
    model = forecaster(**wrong)
    with pytest.raises(InputError, match=said):
        model.fit(several())


@pytest.mark.parametrize("ask", ["predict", "backtest", "stream", "score"])
def test_what_is_not_fitted_says_so(ask):
    with pytest.raises(InputError, match="not fitted"):
        getattr(forecaster(), ask)(several())


def test_it_works_with_scikit_learn():
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV, KFold

    model = forecaster(steps=4)
    copy = clone(model)
    assert copy is not model
    assert copy.get_params()["encoder__hidden_size"] == 8
    block = np.stack([wave(80, k) for k in range(6)])
    search = GridSearchCV(
        model, {"encoder__hidden_size": [2, 4], "context": [24]}, cv=KFold(2), refit=True
    )
    search.fit(block)
    assert search.best_params_["encoder__hidden_size"] in (2, 4)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.predict(block).shape == (6, HORIZON, 4)


def test_a_file_that_is_open_is_no_table():
    with pytest.raises(InputError):
        fitted("log").predict(io.StringIO("a,b\n1,2\n"))


def test_an_encoder_that_sees_the_future_is_refused():
    with pytest.raises(InputError, match=r"encoder\.bidirectional is True"):
        Forecaster(HORIZON, encoder=Encoder(bidirectional=True)).fit(wave())
