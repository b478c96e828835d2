"""`gatewise backtest`: how a saved model would have done."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..errors import InputError
from .output import check_file, tell


def backtest(
    model: Path,
    data: Path,
    *,
    windows: int | None = None,
    step: int | None = None,
    refit: bool = False,
    by: Literal["step", "series"] | None = None,
    out: Path | None = None,
) -> None:
    """Forecast from many past points, and compare with what came.

    Args:
        model: Folder of a model that `gatewise fit` saved.
        data: Table with the history to forecast within.
        windows: How many points to forecast from.
        step: Steps from one of them to the next; the horizon where it is left out.
        refit: Fit anew before each of them: slow, and the sternest test.
        by: Also print MASE for each step ahead, or for each series.
        out: File for what was forecast and what came, .csv or .parquet, a row for each step.

    Example:
        $ gatewise backtest weather.model weather.csv --windows 10
    """
    if out is not None:
        check_file(out)
    from ..tasks import load

    loaded = load(model)
    if not hasattr(loaded, "backtest"):
        raise InputError(f"{model} holds a {type(loaded).__name__}, which makes no forecasts")
    asked = {"windows": windows, "step": step}
    found = loaded.backtest(data, refit=refit, **{k: v for k, v in asked.items() if v is not None})
    print(found)
    if by is not None:
        from ..data.files.writing import csv_text

        print()
        print(csv_text(found.steps if by == "step" else found.each), end="")
    if out is not None:
        from ..data.files.writing import write_table

        write_table(found.errors, out)
        tell(f"wrote {out}")
