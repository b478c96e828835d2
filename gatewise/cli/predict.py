"""`gatewise predict`: what a saved model answers for a table."""

from __future__ import annotations

import sys
from pathlib import Path

from .output import check_file


def predict(model: Path, data: Path, *, out: Path | None = None) -> None:
    """Answer for new data with a saved model.

    Args:
        model: Folder of a model that `gatewise fit` saved.
        data: Table that the answer starts from: for a forecast, the history.
        out: File to write, .csv or .parquet; as CSV to standard output where it is left out.

    Example:
        $ gatewise predict weather.model weather.csv --out forecast.csv
    """
    if out is not None:
        check_file(out)
    from ..data.files.writing import csv_text, write_table
    from ..tasks import load

    answer = load(model).predict(data)
    if out is None:
        sys.stdout.write(csv_text(answer))
    else:
        write_table(answer, out)
