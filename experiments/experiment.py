"""An experiment as a value: what it repeats, in which budgets, and when it has come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = dict[str, object]
"""What one run found: plain values that JSON can hold. It has a `part`, and a `seed`."""

Rows = Sequence[Row]

BUDGETS = ("smoke", "modern", "exact")
"""Seconds, on small versions; minutes, with today's methods; the paper's own protocol."""


@dataclass(frozen=True)
class Paper:
    """What an experiment repeats.

    Attributes:
        author: As it is cited.
        year: Of publication.
        title: Of the paper or the chapter.
        link: Where to read it.
    """

    author: str
    year: int
    title: str
    link: str

    def __str__(self) -> str:
        return f"{self.author}, [{self.title}]({self.link}), {self.year}"


@dataclass(frozen=True)
class Budget:
    """How much of an experiment is run.

    Attributes:
        about: What is run, in one sentence.
        parts: Its parts, each of which can be run alone.
        seeds: How many runs of each, unless the command says otherwise.
    """

    about: str
    parts: tuple[str, ...]
    seeds: int


@dataclass(frozen=True)
class Setting:
    """What the command line asked for.

    Attributes:
        budget: One of `BUDGETS`.
        parts: Some of that budget's parts.
        seeds: One run each.
        data: Folder with the data sets.
    """

    budget: str
    parts: tuple[str, ...]
    seeds: tuple[int, ...]
    data: Path = Path("../shared/data")


@dataclass(frozen=True)
class Experiment:
    """A comparison from the literature that can be run again.

    Attributes:
        name: As the command line calls it.
        title: The question that it answers.
        papers: What it repeats.
        budgets: What can be run, by one of `BUDGETS`.
        run: Does the work.
        summary: The rows of many seeds as the table that is shown.
        criteria: What has to come out, each as a sentence with numbers and whether it holds; only
            what the rows are about.
        deviations: Where the protocol is not the paper's.
        draw: The figure for the page, or nothing.
        listing: Text to show as it is, or nothing.
        reading: What the table says, in words that hold whatever the numbers are.
    """

    name: str
    title: str
    papers: tuple[Paper, ...]
    budgets: Mapping[str, Budget]
    run: Callable[[Setting], list[Row]]
    summary: Callable[[Rows], list[Row]]
    criteria: Callable[[Rows], list[tuple[str, bool]]]
    deviations: tuple[str, ...] = ()
    draw: Callable[[Rows], Figure | None] = field(default=lambda rows: None)
    listing: Callable[[Rows], str] = field(default=lambda rows: "")
    reading: str = ""


@contextmanager
def seeded(*numbers: int) -> Iterator[np.random.Generator]:
    """Seed torch for a while and give a NumPy generator; the same numbers, the same run.

    Example:
        >>> with seeded(0, 1) as rng:
        ...     first = rng.random(), torch.rand(1).item()
        >>> with seeded(0, 1) as rng:
        ...     first == (rng.random(), torch.rand(1).item())
        True
    """
    sequence = np.random.SeedSequence(numbers)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(sequence.generate_state(1)[0]))
        yield np.random.default_rng(sequence)


def where(rows: Rows, **wanted: object) -> list[Row]:
    """The rows that hold these values.

    Example:
        >>> where([{"model": "lstm", "seed": 0}, {"model": "rnn", "seed": 0}], model="rnn")
        [{'model': 'rnn', 'seed': 0}]
    """
    return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]


def distinct(rows: Rows, *names: str) -> list[tuple]:
    """The combinations of some columns that rows have, in the rows' order.

    Example:
        >>> distinct([{"a": 1, "seed": 0}, {"a": 1, "seed": 1}, {"a": 2, "seed": 0}], "a")
        [(1,), (2,)]
    """
    return list(dict.fromkeys(tuple(row[name] for name in names) for row in rows))
