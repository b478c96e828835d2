"""Forecast the temperature at New York's airports with the `gatewise` command.

`make demo` runs this. It leaves in `demo/` the data, the model with its report, the forecast as
a table and as a picture.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np

from gatewise.datasets.series import weather_csv

HOURS = 24
DEMO = Path("demo")
DATA, MODEL, FORECAST = DEMO / "weather.csv", DEMO / "model", DEMO / "forecast.csv"


def main() -> None:
    """Fit on all but the last day, forecast it, and draw it beside what came."""
    DEMO.mkdir(exist_ok=True)
    rows = list(csv.DictReader(weather_csv().open()))
    last_day = sorted({row["time_hour"] for row in rows})[-HOURS:]
    history = [row for row in rows if row["time_hour"] < last_day[0]]
    write(history, DATA)

    columns = ["--series", "origin", "--time", "time_hour", "--target", "temp"]
    run("fit", "forecaster", DATA, "--horizon", HOURS, *columns, "--out", MODEL, "--overwrite")
    run("predict", MODEL, DATA, "--out", FORECAST)

    draw(history, [row for row in rows if row["time_hour"] in last_day])
    (DEMO / "report.html").write_bytes((MODEL / "report.html").read_bytes())
    print(f"see {DEMO / 'report.html'} and {DEMO / 'forecast.png'}")


def run(*words: object) -> None:
    """Say a command, then run it."""
    print("\n$ gatewise", *words, flush=True)
    subprocess.run([sys.executable, "-m", "gatewise", *map(str, words)], check=True)


def write(rows: list[dict[str, str]], path: Path) -> None:
    """Keep the columns that the forecast is made from."""
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, ["origin", "time_hour", "temp"], extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)


def draw(history: list[dict[str, str]], came: list[dict[str, str]]) -> None:
    """Draw three days of history, the forecast with its 80 % and 95 % intervals, and what came."""
    from matplotlib import pyplot

    matplotlib.use("Agg")
    forecast = list(csv.DictReader(FORECAST.open()))
    airports = sorted({row["origin"] for row in forecast})
    figure, panels = pyplot.subplots(len(airports), figsize=(9, 7), layout="constrained")
    for airport, axes in zip(airports, panels, strict=True):
        x, known = column(history, airport, "temp")
        axes.plot(x[-72:], known[-72:], color="black", linewidth=1)
        axes.plot(*column(came, airport, "temp"), color="black", linewidth=1, label="came")
        x, middle = column(forecast, airport, "forecast")
        axes.plot(x, middle, color="tab:blue", linewidth=2, label="forecast")
        for low, high in (("q0.025", "q0.975"), ("q0.1", "q0.9")):
            bounds = column(forecast, airport, low)[1], column(forecast, airport, high)[1]
            axes.fill_between(x, *bounds, color="tab:blue", alpha=0.15, linewidth=0)
        axes.set_title(airport, loc="left")
        axes.set_ylabel("°F")
    panels[0].legend(frameon=False, ncols=2)
    figure.savefig(DEMO / "forecast.png", dpi=120)


def column(rows: list[dict[str, str]], airport: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """One airport's stamps and values of one column."""
    own = [row for row in rows if row["origin"] == airport]
    stamps = np.array([row["time_hour"][:19] for row in own], dtype="datetime64[s]")
    return stamps, np.array(
        [np.nan if row[name] in ("", "NA") else float(row[name]) for row in own]
    )


if __name__ == "__main__":
    main()
