"""Many series on one regular clock: what every table and array of series is turned into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...errors import InputError
from ..digest import digest
from ..time.clock import Clock
from ..time.stamps import from_wall, to_wall


@dataclass(frozen=True)
class Panel:
    """Series of different lengths and starts, each on the regular grid of one frequency.

    Args:
        names: One per series, in order of appearance, as the user wrote them.
        values: The target per series, float64 [steps], NaN where missing. Ends at the last
            observed target: steps for which only covariates are known lie beyond it.
        starts: Stamp of each series' first step, datetime64[ns] [series], or int64 steps
            where the input has no stamps.
        freq: The clock as a pandas-like alias with a multiple ("h", "15min", "D", "W-SUN",
            "MS", "ME", "QS-OCT", "YS", "30s"), or None for plain step numbers.
        past: Column to one array per series, [steps]: known up to now only.
        future: Column to one array per series, [steps + ahead]: known ahead, too.
        static: Column to one value per series, an array [series].
            Covariate arrays are float64 (NaN missing) when numeric, object (None missing)
            when categorical.
        timezone: IANA name or offset of the stamps, None when naive; `starts` are then UTC.
        columns: Role to the user's column names ({"series": ..., "time": ..., "target": ...}),
            so that answers carry the same names; without the roles that no one column has.
        kind: Where it came from: "pandas", "polars", "pyarrow", "array", "csv" or "parquet".
        notes: What was guessed, filled, snapped or dropped, a sentence each.
        unit: "date", "s", "ms", "us" or "ns": how the stamps were written, and answers are.
    """

    names: tuple[Any, ...]
    values: tuple[np.ndarray, ...]
    starts: np.ndarray
    freq: str | None = None
    past: Mapping[str, tuple[np.ndarray, ...]] = field(default_factory=dict)
    future: Mapping[str, tuple[np.ndarray, ...]] = field(default_factory=dict)
    static: Mapping[str, np.ndarray] = field(default_factory=dict)
    timezone: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    kind: str = "array"
    notes: tuple[str, ...] = ()
    unit: str = "ns"

    def __len__(self) -> int:
        """Number of series."""
        return len(self.values)

    @property
    def lengths(self) -> np.ndarray:
        """Steps of each series up to its last observed target, int64 [series]."""
        return np.array([len(v) for v in self.values], dtype=np.int64)

    @property
    def ahead(self) -> np.ndarray:
        """Steps after the end for which all future covariates have rows, int64 [series]."""
        if not self.future:
            return np.zeros(len(self), np.int64)
        known = [[len(a) for a in arrays] for arrays in self.future.values()]
        return np.min(known, axis=0) - self.lengths

    def select(self, series: Sequence[int] | np.ndarray) -> Panel:
        """Keep the series at these places, in this order.

        Example:
            >>> from gatewise.data import read_panel
            >>> read_panel({"a": [1, 2], "b": [3, 4], "c": [5, 6]}).select([2, 0]).names
            ('c', 'a')
        """
        index = np.asarray(series)
        index = np.flatnonzero(index) if index.dtype == bool else index.astype(np.int64)

        def pick(arrays: tuple) -> tuple:
            return tuple(arrays[i] for i in index)

        return replace(
            self,
            names=pick(self.names),
            values=pick(self.values),
            starts=self.starts[index],
            past={c: pick(a) for c, a in self.past.items()},
            future={c: pick(a) for c, a in self.future.items()},
            static={c: a[index] for c, a in self.static.items()},
        )

    def until(self, n: int) -> Panel:
        """Cut the last `n` steps off every series; their future covariates stay known.

        Raises:
            InputError: A series has no more than `n` steps.

        Example:
            >>> from gatewise.data import read_panel
            >>> read_panel([1.0, 2.0, 3.0]).until(1).values
            (array([1., 2.]),)
        """
        short = np.flatnonzero(self.lengths <= n)
        if len(short):
            i = int(short[0])
            raise InputError(
                f"series {self.names[i]!r} has {self.lengths[i]} steps, and {n} are to be held "
                "out; leave it out or hold out fewer"
            )
        return self.between(np.zeros(len(self), np.int64), self.lengths - n)

    def tail(self, n: int) -> Panel:
        """Keep the last `n` steps of every series, or all where there are fewer.

        Example:
            >>> from gatewise.data import read_panel
            >>> read_panel([1.0, 2.0, 3.0]).tail(2).starts
            array([1])
        """
        return self.between(np.maximum(self.lengths - n, 0), self.lengths)

    def extended(self, after: Panel) -> Panel:
        """Append what came next, series by series, to what was there.

        What `after` says of future covariates replaces what was known of the same steps.

        Args:
            after: The same series in the same order, starting where these end.

        Example:
            >>> from gatewise.data import read_panel
            >>> read_panel([1.0, 2.0]).extended(read_panel([3.0])).values
            (array([1., 2., 3.]),)
        """

        def longer(mine: tuple, new: tuple) -> tuple:
            parts = zip(mine, new, self.lengths, strict=True)
            return tuple(np.concatenate([a[:n], b, a[n + len(b) :]]) for a, b, n in parts)

        return replace(
            self,
            values=longer(self.values, after.values),
            past={c: longer(a, after.past[c]) for c, a in self.past.items()},
            future={c: longer(a, after.future[c]) for c, a in self.future.items()},
        )

    def between(self, first: np.ndarray, end: np.ndarray) -> Panel:
        """Keep the steps from `first` to before `end`, int64 [series] each, of every series.

        Future covariates stay known to their own end.

        Example:
            >>> from gatewise.data import read_panel
            >>> read_panel([[1, 2, 3], [4, 5]]).between(np.array([1, 0]), np.array([3, 1])).values
            (array([2., 3.]), array([4.]))
        """

        def cut(arrays: tuple, ends: Sequence[int] | np.ndarray | None) -> tuple:
            stops = [None] * len(arrays) if ends is None else ends
            return tuple(a[f:e] for a, f, e in zip(arrays, first, stops, strict=True))

        return replace(
            self,
            values=cut(self.values, end),
            starts=self._after(self.starts, first),
            past={c: cut(a, end) for c, a in self.past.items()},
            future={c: cut(a, None) for c, a in self.future.items()},
        )

    def _after(self, start: np.ndarray, steps: np.ndarray | int) -> np.ndarray:
        """Stamps as in `starts` (UTC where there is a zone), so many steps after others."""
        clock = Clock.parse(self.freq)
        if self.timezone is None or not clock.is_calendar:
            return clock.after(start, steps)
        return from_wall(clock.after(to_wall(start, self.timezone), steps), self.timezone)

    def stamps(self, series: int, first: int, n: int) -> np.ndarray:
        """Give `n` stamps of a series from step `first` on, as a clock on the wall shows them.

        Args:
            series: Place of the series.
            first: 0 is the series' start; `lengths[series]` is the first step after its end.
            n: How many.

        Returns:
            datetime64[ns] in the panel's zone, or int64 step numbers, [n].

        Example:
            >>> from gatewise.data import read_panel
            >>> read_panel([1.0, 2.0, 3.0]).stamps(0, first=3, n=2)
            array([3, 4])
        """
        time = self._after(self.starts[series], np.arange(first, first + n))
        return to_wall(time, self.timezone) if self.timezone else time

    def said(self, series: int, step: int) -> str:
        """Write a step's stamp for a sentence.

        Example:
            >>> from gatewise.data import read_panel
            >>> read_panel([1.0, 2.0]).said(0, 1)
            'step 1'
        """
        stamp = self.stamps(series, step, 1)[0]
        if self.starts.dtype.kind != "M":
            return f"step {stamp}"
        return str(stamp.astype("M8[D]" if self.unit == "date" else "M8[s]")).replace("T", " ")

    def ahead_stamps(self, n: int) -> np.ndarray:
        """Give the `n` stamps after each series' end, UTC where there is a zone; [series, n]."""
        return self._after(self.starts[:, None], self.lengths[:, None] + np.arange(n))

    def answer(self, columns: Mapping[str, np.ndarray]) -> Any:
        """Put an answer for the steps after the end in the form that the data came in.

        Args:
            columns: Name to values [series, horizon]: "forecast", "q0.1", ...

        Returns:
            A long frame of the library the data came from, with the user's names for series and
            time; a dict of such columns for files (`write_table` writes it); for arrays one array
            [series, horizon], or [series, horizon, columns] of several columns.

        Example:
            >>> import numpy as np
            >>> from gatewise.data import read_panel
            >>> read_panel([1.0, 2.0, 3.0]).answer({"forecast": np.array([[4.0, 5.0]])})
            array([[4., 5.]])
        """
        from .answer import build

        return build(self, columns)

    def hash(self) -> str:
        """Give a SHA-256 of all names, stamps and values: the same data, the same text.

        Example:
            >>> from gatewise.data import read_panel
            >>> read_panel([1.0, 2.0]).hash() == read_panel(np.array([1.0, 2.0])).hash()
            True
        """
        return digest(
            self.names,
            self.freq,
            self.timezone,
            self.starts,
            self.values,
            dict(self.past),
            dict(self.future),
            dict(self.static),
        )
