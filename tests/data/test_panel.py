"""Cutting, choosing and hashing panels."""

import numpy as np
import pandas as pd
import pytest

from gatewise.data import read_panel
from gatewise.errors import InputError


@pytest.fixture
def panel():
    time = pd.date_range("2024-01-31", periods=10, freq="ME")
    rows = [
        pd.DataFrame({"series": s, "time": time[k:], "target": np.arange(k, 10.0)})
        for s, k in (("a", 0), ("b", 3))
    ]
    frame = pd.concat(rows).assign(known=lambda f: f.target, code="x", size=1.0)
    frame.loc[frame.target >= 8, "target"] = np.nan
    return read_panel(frame, past="code", future="known", static="size")


def test_lengths_and_what_is_known_ahead(panel):
    assert panel.lengths.tolist() == [8, 5]
    assert panel.ahead.tolist() == [2, 2]
    assert len(panel) == 2


def test_until_keeps_the_future_known(panel):
    cut = panel.until(3)
    assert cut.values[1].tolist() == [3, 4]
    assert cut.ahead.tolist() == [5, 5]
    assert [len(a) for a in cut.past["code"]] == [5, 2]
    np.testing.assert_array_equal(cut.starts, panel.starts)
    with pytest.raises(InputError, match="series 'b' has 5 steps, and 5 are to be held out"):
        panel.until(5)


def test_tail_moves_the_starts(panel):
    tail = panel.tail(6)
    assert tail.values[0].tolist() == [2, 3, 4, 5, 6, 7]
    assert tail.starts.astype("M8[D]").astype(str).tolist() == ["2024-03-31", "2024-04-30"]
    assert tail.future["known"][0].tolist() == [2, 3, 4, 5, 6, 7, 8, 9]
    np.testing.assert_array_equal(tail.ahead_stamps(2), panel.ahead_stamps(2))


def test_select(panel):
    one = panel.select([1])
    assert one.names == ("b",)
    assert one.static["size"].tolist() == [1.0]
    assert panel.select(np.array([False, True])).names == ("b",)


def test_stamps(panel):
    ahead = panel.stamps(1, first=5, n=2).astype("M8[D]").astype(str)
    assert ahead.tolist() == ["2024-09-30", "2024-10-31"]
    np.testing.assert_array_equal(panel.ahead_stamps(2)[1].astype("M8[D]").astype(str), ahead)


def test_hash_sees_every_part(panel):
    again = panel.select([0, 1])
    assert again.hash() == panel.hash()
    others = [panel.until(1), panel.tail(2), panel.select([1, 0]), panel.select([0])]
    assert len({p.hash() for p in [panel, *others]}) == 5


def test_answers_of_arrays_are_arrays():
    panel = read_panel([[1.0, 2], [3.0, 4]])
    values = np.arange(6.0).reshape(2, 3)
    assert panel.answer({"forecast": values, "q0.5": values}).shape == (2, 3, 2)
    with pytest.raises(InputError, match=r"columns of one shape \[2 series, horizon\]"):
        panel.answer({"forecast": values[:1]})
