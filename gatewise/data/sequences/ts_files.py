"""The `.ts` files of the UCR and UEA archives of time series."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...errors import InputError
from ..files.text_files import read_lines
from .sequences import Sequences


@dataclass
class _Header:
    """What stands before `@data`.

    Args:
        label: "class", "target" or nothing.
        classes: The classes that are announced.
    """

    label: str | None = None
    classes: tuple[str, ...] = ()
    fields: dict[str, str] = field(default_factory=dict)


def read_ts(path: str | Path) -> Sequences:
    """Read a `.ts` file: a case a line, dimensions parted by `:`, values by `,`, `?` missing.

    The format is the archive's own: Bagnall et al. 2018, The UEA multivariate time series
    classification archive, https://arxiv.org/abs/1811.00075. Steps with stamps are not read.

    Args:
        path: The file, UTF-8.

    Raises:
        InputError: It is no such file, or a line does not fit its header; the line is named.
    """
    path = Path(path)
    lines = read_lines(path)
    header, first = _header(path, lines)
    values, labels, rows = [], [], []
    for number, line in enumerate(lines[first:], first + 1):
        line = line.strip()
        if not line or line.startswith(("#", "%")):
            continue
        parts = line.split(":")
        if header.label:
            labels.append(parts.pop().strip())
        values.append(_case(path, number, parts))
        rows.append(number)
    if not values:
        raise InputError(f"{path} has no cases after @data; it needs one a line")
    dims = values[0].shape[1]
    odd = next((i for i, v in enumerate(values) if v.shape[1] != dims), None)
    if odd is not None:
        raise InputError(
            f"{path}, line {rows[odd]}: {values[odd].shape[1]} dimensions, and line {rows[0]} has "
            f"{dims}; correct the line"
        )
    channels = ("value",) if dims == 1 else tuple(f"dim{i}" for i in range(dims))
    return Sequences(
        tuple(values),
        tuple(range(len(values))),
        channels,
        labels=_labels(path, header, labels, rows),
        kind="ts",
    )


def _header(path: Path, lines: list[str]) -> tuple[_Header, int]:
    header = _Header()
    for number, line in enumerate(lines, 1):
        word, _, rest = line.strip().partition(" ")
        word, rest = word.lower(), rest.strip()
        if word == "@data":
            return header, number
        if word == "@timestamps" and rest.lower() == "true":
            raise InputError(
                f"{path} has stamps (@timeStamps true), which are not read from .ts files; write "
                "a table with columns series, time and label instead"
            )
        if word in ("@classlabel", "@targetlabel") and rest.lower().startswith("true"):
            header.label = word[1:-5]
            header.classes = tuple(rest.split()[1:])
        header.fields[word] = rest
    raise InputError(f"{path} has no line @data; it is no .ts file of the UCR and UEA archives")


def _case(path: Path, number: int, parts: list[str]) -> np.ndarray:
    try:
        dims = [np.array(p.replace("?", "nan").split(","), dtype=np.float32) for p in parts]
    except ValueError as error:
        raise InputError(f"{path}, line {number}: {error}; write ? for a missing value") from None
    steps = max(map(len, dims), default=0)
    case = np.full((steps, len(dims)), np.nan, np.float32)
    for i, values in enumerate(dims):
        case[: len(values), i] = values
    return case


def _labels(path: Path, header: _Header, labels: list[str], rows: list[int]) -> np.ndarray | None:
    if not header.label:
        return None
    if header.label == "target":
        try:
            return np.array(["nan" if v == "?" else v for v in labels], dtype=np.float64)
        except ValueError as error:
            raise InputError(f"{path}: a target is no number: {error}") from None
    for row, label in zip(rows, labels, strict=True):
        if header.classes and label not in (*header.classes, "?"):
            raise InputError(
                f"{path}, line {row}: class {label!r} is not announced in @classLabel "
                f"({', '.join(header.classes[:12])}); correct the line or the header"
            )
    return np.array([*(None if v == "?" else v for v in labels), None], dtype=object)[:-1]
