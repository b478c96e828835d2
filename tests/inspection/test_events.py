"""The chart of a monitored series."""

import re

import numpy as np

from gatewise.inspection.events import MOST_POINTS, Watched, _thinned, events_chart


def watched(steps=5000, events=((10, 20), (4000, 4300)), dated=True):
    time = np.arange(steps)
    if dated:
        time = np.datetime64("2024-01-01", "ns") + time * np.timedelta64(5, "m")
    values = np.sin(np.arange(steps) / 20)
    return Watched(
        "<a & b>",
        time,
        {"flow": values, "pressure": np.full(steps, np.nan)},
        1 + values**2,
        np.full(steps, 1.9),
        np.array(events).reshape(-1, 2),
        held_out=3000,
    )


def test_it_is_one_small_svg_with_its_own_colours():
    drawn = events_chart(watched(), "x")
    assert drawn.startswith("<svg")
    assert "&lt;a &amp; b>" in drawn or "&lt;a &amp; b&gt;" in drawn
    assert "2 events shaded" in drawn
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", drawn)
    assert len(drawn) < 200_000


def test_step_numbers_and_no_event_will_do():
    assert events_chart(watched(steps=30, events=(), dated=False), "y").startswith("<svg")


def test_thinning_keeps_every_extreme():
    values = np.zeros(100_000)
    values[77_777], values[5] = 9.0, -9.0
    x, y = _thinned(np.arange(100_000), values)
    assert len(x) <= 2 * MOST_POINTS
    assert (y.max(), y.min()) == (9.0, -9.0)
    assert (np.diff(x) >= 0).all()
