"""Lines of CSV or JSON as they come, one reading each."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError

WAIT = 0.2
"""Seconds between two looks at a file that is followed."""


@dataclass
class Lines:
    """Reads lines of one stream of text: JSON where the first one begins with a bracket, else CSV.

    Args:
        expected: Columns in their order, for CSV without a header; of several such rows the one
            that has as many names as there are cells is taken.
    """

    expected: Sequence[Sequence[str]] = ()
    names: list[str] | None = field(default=None, init=False)
    kind: str | None = field(default=None, init=False)
    delimiter: str = field(default=",", init=False)

    def read(self, line: str) -> dict[str, Any] | list[Any] | None:
        """Read a line: column to value, or values in order; None for one that holds no reading.

        Raises:
            InputError: It is neither; the sentence says what it is.

        Example:
            >>> lines = Lines()
            >>> lines.read("time;flow"), lines.read("2024-01-01;1,5")
            (None, {'time': '2024-01-01', 'flow': 1.5})
            >>> Lines().read('{"flow": 1.5}')
            {'flow': 1.5}
        """
        text = line.strip().removeprefix("\ufeff")
        if not text:
            return None
        if self.kind is None:
            self.kind = "json" if text[0] in "{[" else "csv"
        return self._json(text) if self.kind == "json" else self._csv(text)

    def _json(self, text: str) -> dict[str, Any] | list[Any]:
        try:
            found = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(f"{_short(text)} is no JSON ({error.msg})") from None
        if not isinstance(found, dict | list):
            raise InputError(f"{_short(text)} is neither an object nor a list")
        return found

    def _csv(self, text: str) -> dict[str, Any] | None:
        if self.names is None:
            self.delimiter = max(",;\t|", key=text.count)
            cells = [c.strip() for c in _cells(text, self.delimiter)]
            if not all(_is_value(c) for c in cells):
                self.names = cells
                return None
            fitting = [list(names) for names in self.expected if len(names) == len(cells)]
            if not fitting:
                raise InputError(
                    f"{_short(text)} holds values and not column names, and they are not as many "
                    "as the channels: begin with a row of names"
                )
            self.names = fitting[0]
        cells = _cells(text, self.delimiter)
        if len(cells) != len(self.names):
            raise InputError(f"{len(cells)} cells under {len(self.names)} column names")
        values = (_value(c.strip(), self.delimiter) for c in cells)
        return dict(zip(self.names, values, strict=True))


def followed(path: Path) -> Iterator[bytes]:
    """Give the lines of a file, then those that are added to it, without end.

    A file that has become shorter has been begun anew, and is read from its start.
    """
    at, kept = 0, b""
    while True:
        if path.stat().st_size < at:
            at, kept = 0, b""
        with path.open("rb") as file:
            file.seek(at)
            for line in file:
                at += len(line)
                kept += line
                if kept.endswith(b"\n"):
                    yield kept
                    kept = b""
        time.sleep(WAIT)


def decoded(lines: Iterable[bytes]) -> Iterator[tuple[int, str | InputError]]:
    """Number lines from 1, as text; one that is not UTF-8 as what is wrong with it."""
    for number, line in enumerate(lines, 1):
        try:
            yield number, line.decode("utf-8")
        except UnicodeDecodeError as error:
            yield number, InputError(f"byte {error.start} is not UTF-8")


def _cells(text: str, delimiter: str) -> list[str]:
    return next(csv.reader([text], delimiter=delimiter))


def _value(cell: str, delimiter: str) -> Any:
    """A number, None for an empty cell, or the text."""
    # It brings NumPy along, which help does without.
    from ..data.files.csv_table import MISSING

    if cell in MISSING:
        return None
    try:
        return float(cell)
    except ValueError:
        pass
    try:
        return float(cell.replace(",", ".")) if delimiter != "," else cell
    except ValueError:
        return cell


def _is_value(cell: str) -> bool:
    return not cell or cell[0].isdigit() or not isinstance(_value(cell, ","), str)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
