"""The detector as a whole: scores, alarms, events, figures, and what it refuses."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from gatewise.data.readings.channels_spec import Channels
from gatewise.errors import InputError
from gatewise.estimator import Estimator
from gatewise.nn import Encoder
from gatewise.tasks import load
from gatewise.tasks.anomaly import AnomalyDetector
from gatewise.train import Trainer

FAULT = slice(900, 930)


def readings(steps=1000, seed=0, fault=True):
    """Two waves with noise; in the second one something breaks."""
    noise = np.random.default_rng(seed).normal(size=(steps, 2))
    x = np.sin(np.arange(steps)[:, None] * 2 * np.pi / 24 + [0, 1]) + 0.1 * noise
    if fault:
        x[FAULT, 1] += 2.5
    return x


def table(x=None, label=True, **rest):
    x = readings(**rest) if x is None else x
    frame = pd.DataFrame(x, columns=["flow", "pressure"])
    frame.insert(0, "time", pd.date_range("2024-01-01", periods=len(x), freq="h"))
    if label:
        frame["label"] = 0
        frame.loc[FAULT.start : FAULT.stop - 1, "label"] = 1
    return frame


def detector(scorer="forecast", steps=150, **rest):
    return AnomalyDetector(
        scorer,
        horizon=rest.pop("horizon", 6),
        encoder=rest.pop("encoder", Encoder(hidden_size=12)),
        trainer=rest.pop("trainer", Trainer(max_steps=steps)),
        **rest,
    )


@cache
def fitted(scorer="forecast") -> AnomalyDetector:
    steps = 150 if scorer in ("forecast", "likelihood") else 60
    return detector(scorer, steps).fit(table(fault=False, label=False))


@pytest.mark.parametrize("scorer", ["forecast", "likelihood", "autoencoder", "variational"])
def test_what_breaks_has_the_highest_score(scorer):
    scores = fitted(scorer).score_points(table())
    assert FAULT.start <= int(np.argmax(scores)) < FAULT.stop + 12
    assert scores[FAULT].max() > 1.5 * np.quantile(scores[:850], 0.99)


def test_alarms_come_where_it_breaks_and_hardly_elsewhere():
    answer = fitted().predict(table())
    assert list(answer.columns) == ["time", "flow", "pressure", "label", "score", "alarm"]
    assert answer["alarm"][FAULT].mean() > 0.8
    assert answer["alarm"][: FAULT.start].mean() < 0.02


def test_an_event_says_when_how_bad_and_through_what():
    events = fitted().events(table())
    worst = max(events, key=lambda e: e.severity)
    assert pd.Timestamp("2024-02-07 12:00") <= pd.Timestamp(worst.start)
    assert worst.first <= 904
    assert worst.last >= FAULT.stop - 2
    assert next(iter(worst.channels)) == "pressure"
    assert sum(worst.channels.values()) == pytest.approx(1)
    assert worst.severity > 1
    assert worst.score == pytest.approx(
        fitted().score_points(table())[worst.first : worst.last + 1].max()
    )
    assert "pressure" in str(worst)


def test_anomalies_in_what_is_learned_from_do_little_harm():
    soiled = readings(fault=False, seed=1)
    for at in (100, 300, 480):
        soiled[at : at + 8] += 6
    model = detector().fit(table(soiled, label=False))
    scores = model.score_points(table())
    assert FAULT.start <= int(np.argmax(scores)) < FAULT.stop + 12


def test_the_scale_of_the_channels_does_not_matter():
    bent = table(fault=False, label=False)
    bent["pressure"] = 1e6 + 1e4 * bent["pressure"]
    broken = table()
    broken["pressure"] = 1e6 + 1e4 * broken["pressure"]
    model = detector().fit(bent)
    np.testing.assert_allclose(
        model.score_points(broken), fitted().score_points(table()), rtol=0.05
    )


def test_arrays_lists_and_dicts_are_answered_in_kind():
    x = readings(400, fault=False)
    model = detector(steps=5).fit([x, x[:300]])
    one, other = model.predict([x, x[:100]])
    assert (one.shape, other.shape) == ((400, 2), (100, 2))
    named = model.predict({"a": x})
    assert named["a"].shape == (400, 2)
    assert model.score_points(x).shape == (400,)


def test_a_file_is_answered_by_its_columns_and_two_more(tmp_path):
    table().to_csv(tmp_path / "a.csv", index=False)
    answer = fitted().predict(tmp_path / "a.csv")
    assert list(answer) == ["time", "flow", "pressure", "label", "score", "alarm"]
    np.testing.assert_allclose(answer["score"], fitted().score_points(table()), rtol=1e-4)


def test_series_of_one_table_are_scored_apart():
    both = pd.concat([table().assign(series="a"), table(seed=5).assign(series="b")])
    model = detector(steps=5).fit(both.drop(columns="label"))
    together = model.score_points(both)
    alone = model.score_points(table(seed=5).assign(series="b"))
    np.testing.assert_allclose(together[1], alone, rtol=1e-5)


def test_missing_readings_neither_raise_nor_lower_a_score_by_themselves():
    gone = table()
    random = np.random.default_rng(2)
    for column in ("flow", "pressure"):
        gone.loc[random.random(len(gone)) < 0.1, column] = np.nan
    scores = fitted().score_points(gone)
    assert np.isfinite(scores).all()
    assert FAULT.start <= int(np.argmax(scores)) < FAULT.stop + 12


def test_the_same_after_a_reload(tmp_path):
    fitted().save(tmp_path / "m")
    again = load(tmp_path / "m")
    pd.testing.assert_frame_equal(fitted().predict(table()), again.predict(table()))
    assert str(again.evaluate(table())) == str(fitted().evaluate(table()))
    assert again.threshold_ == fitted().threshold_


def test_the_same_seed_gives_the_same_model():
    x = readings(300, fault=False)
    one, other = (detector(steps=5).fit(x).score_points(x) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_with_labels_it_is_judged_beside_simple_scores():
    verdict = fitted().evaluate(table())
    assert list(verdict.table) == ["model", "random", "seasonal naive", "PCA"]
    ours = verdict.table["model"]
    assert ours["vus_pr"] > verdict.table["random"]["vus_pr"] + 0.3
    assert ours["event_recall"] == 1
    assert "alarms_per_day" in ours
    assert any("by chance alone" in s for s in verdict.sentences)


def test_labels_can_be_given_apart():
    x, labels = readings(), np.zeros(1000, int)
    labels[FAULT] = 1
    model = detector(steps=40).fit(readings(fault=False))
    assert "vus_pr" in model.evaluate(x, labels).table["model"]


def test_without_labels_it_is_judged_by_faults_that_are_made_up():
    summary = fitted().summary_
    assert summary is not None
    assert set(summary.table["model"]) >= {"made-up faults: vus_pr", "alarms_per_day"}
    assert "PCA" in summary.table


def test_false_alarms_are_rarer_where_it_is_asked_for():
    x = readings(fault=False)
    often = detector(steps=5, false_alarm_every=200).fit(x)
    rarely = detector(steps=5, false_alarm_every=20_000).fit(x)
    assert often.threshold_ < rarely.threshold_


def test_a_time_between_false_alarms_is_counted_in_readings():
    x = table(fault=False, label=False)
    by_time = detector(steps=3, false_alarm_every="5D").fit(x)
    by_number = detector(steps=3, false_alarm_every=120).fit(x)
    assert by_time.threshold_ == by_number.threshold_


@pytest.mark.parametrize("threshold", ["quantile", "telemanom", "surprise"])
def test_other_thresholds_find_it_too(threshold):
    model = detector(threshold=threshold).fit(table(fault=False, label=False))
    assert model.predict(table())["alarm"][FAULT].any()


def test_a_surprise_is_told_at_once_and_hardly_again(tmp_path):
    model = detector(threshold="surprise").fit(table(fault=False, label=False))
    alarm = model.predict(table())["alarm"].to_numpy()
    smoothed = fitted().predict(table())["alarm"].to_numpy()
    assert alarm[FAULT.start : FAULT.start + 3].any()
    assert alarm[FAULT].sum() < smoothed[FAULT].sum() / 2
    assert alarm[: FAULT.start].mean() < 0.02
    verdict = model.evaluate(table())
    assert list(verdict.table) == ["model", "random", "seasonal naive", "PCA"]
    assert "10 to the power of" in model.report_.html()
    model.save(tmp_path / "m")
    pd.testing.assert_frame_equal(model.predict(table()), load(tmp_path / "m").predict(table()))


def test_the_report_shows_series_events_and_channels():
    page = detector(steps=20).fit(table()).report_.html()
    for word in ("<h2>Events</h2>", "<svg", "pressure", "usual error", "<h2>Learning</h2>"):
        assert word in page
    assert "http" not in page.replace("http-equiv", "")


def test_names_from_the_data_are_escaped_in_the_report():
    x = table(label=False).rename(columns={"pressure": "<b>p</b>"})
    assert "<b>p</b>" not in detector(steps=3).fit(x).report_.html()


def test_it_is_an_estimator_like_any_other():
    assert AnomalyDetector.__bases__ == (Estimator,)
    assert AnomalyDetector.verb == "anomaly"
    assert repr(AnomalyDetector("likelihood", adapt=True)) == (
        "AnomalyDetector(scorer='likelihood', adapt=True)"
    )


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"scorer": "magic"}, "scorer is 'magic'"),
        ({"threshold": "max"}, "threshold is 'max'"),
        ({"horizon": 0}, "horizon is 0"),
        ({"smoothing": 1.5}, "smoothing is 1.5"),
        ({"false_alarm_every": "soon"}, "false_alarm_every is 'soon'"),
        ({"false_alarm_every": "5D"}, "have no stamps"),
        ({"false_alarm_every": 1}, "2 readings or more"),
        ({"encoder": Encoder(bidirectional=True)}, "must not see what comes after"),
        ({"columns": Channels(time="when")}, "no columns to name"),
    ],
)
def test_wrong_parameters_are_refused_in_a_sentence(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        AnomalyDetector(**{"trainer": Trainer(max_steps=2), **wrong}).fit(readings(200))


def test_a_missing_channel_is_named():
    with pytest.raises(InputError, match="'pressure' is not in the data"):
        fitted().predict(table().drop(columns="pressure"))


def test_it_has_to_be_fitted():
    with pytest.raises(InputError, match="not fitted"):
        AnomalyDetector().stream()
