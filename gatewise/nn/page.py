"""The page of a layer outside the pointwise scheme: what it is, computes, holds and costs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from textwrap import dedent, fill
from typing import TypeAlias

import numpy as np
from torch import nn

from ..compiler import Cell, equations

Build: TypeAlias = Callable[[Mapping[str, int]], nn.Module]
"""From one number for each letter to a layer."""

_MORE = 4
"""Layers that are built beyond the number of terms, to see that the terms are all there are."""


@dataclass(frozen=True)
class Page:
    """What a page says that the layer's docstring does not.

    Attributes:
        layer: Whose docstring the page begins with.
        use: When to use it.
        rows: Rows of LaTeX, aligned at `&=`, each but the last ended by two backslashes.
        chart: A Mermaid flowchart.
        letters: What each letter counts.
        terms: Products of letters, such as `"H^2"`, of which the number of parameters is a sum.
        builds: By what the layer is called, how to build it.
        cost: Sentences on work, memory and what waits for what.
    """

    layer: type[nn.Module]
    use: str
    rows: str
    chart: str
    letters: str
    terms: tuple[str, ...]
    builds: Mapping[str, Build]
    cost: tuple[str, ...]


def text(title: str, page: Page) -> str:
    """Write a page in Markdown.

    Args:
        title: Its heading.
        page: What it says.
    """
    about = inspect.cleandoc(page.layer.__doc__ or "").partition("\n\nArgs:")[0]
    counts = [
        f"Parameters of {called}, with {page.letters}: {parameters(build, page.terms)}."
        for called, build in page.builds.items()
    ]
    points = (fill(f"- {one}", 100, subsequent_indent="  ") for one in (*counts, *page.cost))
    sections = [
        f"# {title}\n\n`gatewise.nn.{page.layer.__name__}`\n\n{about}",
        f"## When to use it\n\n{fill(page.use, 100)}",
        f"## Equations\n\n$$\n\\begin{{aligned}}\n{_block(page.rows)}\n\\end{{aligned}}\n$$",
        f"## Data flow\n\n```mermaid\n{_block(page.chart)}\n```",
        "## What it costs\n\n" + "\n".join(points),
    ]
    return "\n\n".join(sections) + "\n"


def rows(cell: Cell) -> str:
    """A cell's equations as rows of a page."""
    return "\n".join(equations(cell).splitlines()[1:-1])


def above(rows: str, more: str) -> str:
    """Put more rows above others."""
    return f"{_block(more)}\n{rows}"


def parameters(build: Build, terms: tuple[str, ...]) -> str:
    """Count a layer's numbers to learn, as a sum of terms, from layers of several sizes.

    Raises:
        ValueError: The numbers are no such sum.

    Example:
        >>> parameters(lambda n: nn.Linear(n["I"], n["H"]), ("HI", "H^2", "H"))
        '$HI + H$'
    """
    letters = sorted({letter for term in terms for letter in term if letter.isalpha()})
    draw = np.random.default_rng(0)
    values, numbers = [], []
    for _ in range(len(terms) + _MORE):
        sizes = {letter: int(draw.integers(2, 9)) for letter in letters}
        numbers.append(sum(weight.numel() for weight in build(sizes).parameters()))
        values.append([_value(term, sizes) for term in terms])
    counts = np.linalg.lstsq(np.array(values, float), np.array(numbers, float))[0].round()
    if not np.array_equal(np.array(values) @ counts, np.array(numbers)):
        raise ValueError(f"numbers of parameters are no sum of {', '.join(terms)}: {numbers}")
    shown = (f"{int(n) if n > 1 else ''}{term}" for term, n in zip(terms, counts, strict=True) if n)
    return f"${' + '.join(shown)}$"


def _value(term: str, sizes: Mapping[str, int]) -> int:
    """The product that a term writes."""
    powers = re.findall(r"([A-Z])(?:\^(\d))?", term)
    return int(np.prod([sizes[letter] ** int(power or 1) for letter, power in powers]))


def _block(lines: str) -> str:
    """Lines as they are written, all of them moved to the left as far as the first."""
    return dedent(lines).strip("\n")
