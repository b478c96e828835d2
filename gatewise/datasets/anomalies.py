"""Series with labelled anomalies: NAB's 14, and one of the KDD cup's that comes with aeon."""

from __future__ import annotations

import csv
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from .fetch import find

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class LabelledSeries:
    """A series and the windows in which something was wrong.

    Args:
        name: Folder and file in the collection, such as "realKnownCause/nyc_taxi".
        values: float64, [steps].
        windows: First and last step of each anomaly, int, [windows, 2].
        stamps: datetime64[s], [steps], as given: a few repeat or step back; None without a clock.
        train: Steps at the start that are said to be normal; None where nothing is said.

    Example:
        >>> LabelledSeries("made", np.zeros(5), np.array([[1, 2]])).labels.astype(int)
        array([0, 1, 1, 0, 0])
    """

    name: str
    values: np.ndarray
    windows: np.ndarray
    stamps: np.ndarray | None = None
    train: int | None = None

    @property
    def labels(self) -> np.ndarray:
        """True within a window, bool [steps]."""
        steps = np.arange(len(self.values))[:, None]
        inside = (steps >= self.windows[:, 0]) & (steps <= self.windows[:, 1])
        return np.any(inside, axis=1)

    @property
    def step_seconds(self) -> float | None:
        """The usual time from one step to the next; None without a clock."""
        if self.stamps is None:
            return None
        return float(np.median(np.diff(self.stamps).astype(np.int64)))

    @property
    def day(self) -> int | None:
        """Steps of a day; None without a clock."""
        step = self.step_seconds
        return None if step is None else max(1, round(DAY_SECONDS / step))


def nab(root: str | Path | None = None, part: str | None = None) -> list[LabelledSeries]:
    """The 14 real series of the Numenta Anomaly Benchmark that lie in the data set "nab".

    Lavin & Ahmad 2015, https://arxiv.org/abs/1510.03336.

    Args:
        root: Folder of the data sets, as in `find`.
        part: "realKnownCause" (7 series) or "realTraffic" (7); both when left out.

    Raises:
        InputError: The set is not there, or has no such part.
    """
    folder = find("nab", root)
    text = (folder / "labels" / "combined_windows.json").read_text(encoding="utf-8")
    windows = json.loads(text)
    parts = sorted({name.split("/")[0] for name in windows})
    if part is not None and part not in parts:
        raise InputError(f"nab has no part {part!r}; it has {' and '.join(parts)}")
    names = sorted(name for name in windows if part in (None, name.split("/")[0]))
    return [_nab_series(folder, name, windows[name]) for name in names]


def _nab_series(folder: Path, name: str, windows: list[list[str]]) -> LabelledSeries:
    with (folder / "data" / name).open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    stamps = [row[0] for row in rows]
    # As in NAB, a stamp that occurs twice is its first row.
    edges = [[stamps.index(edge[:19]) for edge in window] for window in windows]
    return LabelledSeries(
        name.removesuffix(".csv"),
        np.array([float(row[1]) for row in rows]),
        np.array(edges, dtype=int),
        np.array(stamps, dtype="datetime64[s]"),
    )


def internal_bleeding() -> LabelledSeries:
    """Number 135 of the KDD cup 2021: blood pressure, 7,501 steps, the first 1,200 normal.

    One anomaly, steps 4187 to 4198. Wu & Keogh 2021, https://arxiv.org/abs/2009.13807. It lies in
    the package aeon, of which only the file is needed: `pip install --no-deps aeon==1.6.0`. The
    package itself is not imported.

    Raises:
        InputError: The package is not installed.
    """
    spec = importlib.util.find_spec("aeon")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    name = "135_UCR_Anomaly_InternalBleeding16"
    paths = [Path(f) / "datasets" / "data" / "KDD-TSAD_135" for f in folders]
    if not paths or not (paths[0] / f"{name}_TEST.csv").is_file():
        raise InputError(
            "the KDD-TSAD series lies in a package that is not installed: "
            "pip install --no-deps aeon==1.6.0"
        )
    # The file called the test part holds the whole series, and the other its first 1,200 steps.
    whole, train = (_columns(paths[0] / f"{name}_{part}.csv") for part in ("TEST", "TRAIN"))
    found = np.flatnonzero(whole[:, 2])
    window = np.array([[found[0], found[-1]]])
    return LabelledSeries("KDD-TSAD_135", whole[:, 1], window, train=len(train))


def _columns(path: Path) -> np.ndarray:
    return np.loadtxt(path, delimiter=",", skiprows=1)
