"""Rows of anything as a table of a page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


def rows(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    """Write a table; texts are escaped, numbers shown with three digits, NaN as nothing.

    Example:
        >>> "<td>&lt;a&gt;</td><td>0.25</td>" in rows(["name", "share"], [["<a>", 0.25]])
        True
    """
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(c)}</td>' for c in line)}</tr>" for line in lines)
    return (
        f"<div class='wide'><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.3g}"
    return escape(str(value))
