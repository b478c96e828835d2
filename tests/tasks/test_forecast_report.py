"""The report of a fitted forecaster shows what it saw and says what it reached."""

import re

import numpy as np
import pytest

from gatewise.inspection.page import SECTIONS

from .made import HORIZON, fitted, forecaster, several, table, wave


@pytest.mark.parametrize("kind", ["log", "linear", "rich"])
def test_the_page_has_all_sections(kind):
    page = fitted(kind).report_.html()
    assert tuple(re.findall(r"<h2[^>]*>([^<]*)</h2>", page)) == SECTIONS
    assert "seasonal naive" in page


def test_it_says_what_the_data_was():
    report = forecaster(steps=5).fit(table()).report_
    seen = report.seen
    lengths = [len(y) for y in several()]
    assert (seen.series, seen.points) == (3, sum(lengths))
    assert (seen.shortest, seen.longest) == (min(lengths), max(lengths))
    assert seen.freq == "D"
    assert seen.first.startswith("2023-01-01")
    assert report.title == f"Forecast of {HORIZON} steps (D)"
    assert [span.series for span in report.spans] == ["shop 0", "shop 1", "shop 2"]


def test_its_figures_are_those_of_the_fit():
    model = fitted("log")
    report = model.report_
    assert report.figures == model.summary_.table
    assert report.summary == model.summary_.sentences
    assert set(report.steps) == set(report.figures)
    assert all(len(column) == HORIZON for column in report.steps.values())


def test_its_windows_go_from_the_best_to_the_worst():
    report = fitted("log").report_
    errors = [window.error for window in report.windows]
    assert errors == sorted(errors)
    found = fitted("log").task_.judge.found_.by_window("gatewise")
    assert (errors[0], errors[-1]) == (np.nanmin(found), np.nanmax(found))
    assert report.windows[0].standing == "best"
    assert report.windows[-1].standing == "worst"


def test_a_model_that_loses_warns_of_it():
    walk = np.random.default_rng(0).normal(size=150).cumsum()
    model = forecaster(steps=3).fit([walk, wave(100, 1)])
    report = model.report_
    loses = model.summary_.sentences[0].startswith("This model loses")
    assert any(w.startswith("This model loses") for w in report.warnings) == loses


def test_nothing_held_out_is_no_report():
    model = forecaster(steps=3).fit(wave(15))
    assert model.summary_.sentences == ("Too short to hold anything out: nothing was judged.",)
    with pytest.raises(AttributeError, match="hold something out"):
        model.report_
