"""Tables of text: CSV whose cells are taken as they are written, digits and "null" too."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from ...errors import InputError
from .csv_table import delimiter_of
from .frames import Table
from .text_files import read_text


def read_text_table(path: str | Path) -> Table:
    r"""Read a CSV file, plain or gzip, with a header; every column is text.

    Raises:
        InputError: The file cannot be read, has no rows, two columns of one name, or a row that is
            longer or shorter than the header.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a.csv").write_text("source,target\nnull,0\nsieben,007\n")
        ...     read_text_table(Path(folder, "a.csv")).load("target").tolist()
        ['0', '007']
    """
    path = Path(path)
    text = read_text(path)
    header = text.lstrip("\n").partition("\n")[0]
    try:
        read = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(header))
        rows = [(read.line_num, row) for row in read if row]
    except csv.Error as error:
        raise InputError(f"{path} cannot be read as a table ({error}); correct the file") from None
    names = [name.strip() for name in rows[0][1]] if rows else []
    if len(rows) < 2:
        raise InputError(f"{path} has no rows below a header; add some")
    if twice := next((n for i, n in enumerate(names) if n in names[:i]), None):
        raise InputError(f"{path} has two columns called {twice!r}; rename one")
    for line, row in rows[1:]:
        if len(row) != len(names):
            raise InputError(
                f"{path}, line {line}: {len(row)} cells under {len(names)} column names; correct "
                "the row"
            )
    columns = zip(*(row for _, row in rows[1:]), strict=True)
    held = {name: np.array(cells, dtype=object) for name, cells in zip(names, columns, strict=True)}
    return Table("csv", len(rows) - 1, dict.fromkeys(names, "text"), held.__getitem__)
