"""Made pairs of sequences whose right answer is known: numbers, dates, reversal."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable

Pair = tuple[str, str]

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def spelled(number: int) -> str:
    """Write a number below a million in words.

    Example:
        >>> spelled(207_340)
        'two hundred seven thousand three hundred forty'
    """
    if number >= 1000:
        high, low = divmod(number, 1000)
        return f"{spelled(high)} thousand{f' {spelled(low)}' if low else ''}"
    if number >= 100:
        high, low = divmod(number, 100)
        return f"{_ONES[high]} hundred{f' {spelled(low)}' if low else ''}"
    if number >= 20:
        high, low = divmod(number, 10)
        return _TENS[high - 2] + (f" {_ONES[low]}" if low else "")
    return _ONES[number]


def numbers(count: int, rng: random.Random) -> list[Pair]:
    """Number words and digits; no number twice, all lengths alike."""
    chosen: dict[int, None] = {}
    while len(chosen) < count:
        digits = rng.randint(3, 6)
        chosen[rng.randint(0 if digits == 3 else 10 ** (digits - 1), 10**digits - 1)] = None
    return [(spelled(number), str(number)) for number in chosen]


def dates(count: int, rng: random.Random) -> list[Pair]:
    """Dates as people write them, and as ISO 8601 has them; no day twice."""
    first = datetime.date(1950, 1, 1).toordinal()
    last = datetime.date(2049, 12, 31).toordinal()
    days = rng.sample(range(first, last + 1), count)
    return [_dated(datetime.date.fromordinal(day), rng) for day in days]


def _dated(day: datetime.date, rng: random.Random) -> Pair:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(
        day.day % 10 if day.day not in (11, 12, 13) else 0, "th"
    )
    forms = (
        f"{day:%B} {day.day}, {day.year}",
        f"{day.day}{ending} of {day:%B} {day.year}",
        f"{day:%A}, {day.day} {day:%B} {day.year}",
        f"{day.day}. {day:%b} {day.year}",
        f"{day:%a} {day:%b} {day.day} '{day:%y}",
        f"{day:%d.%m.%Y}",
        f"{day.month}/{day.day}/{day.year}",
        f"{day:%b} {day.day}{ending} {day.year}",
    )
    return rng.choice(forms), day.isoformat()


def reversal(count: int, rng: random.Random) -> list[Pair]:
    """Letters, and the same from the last to the first; 1 to 20 of them, none twice."""
    chosen: dict[str, None] = {}
    while len(chosen) < count:
        letters = rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(1, 20))
        chosen["".join(letters)] = None
    return [(text, text[::-1]) for text in chosen]


MADE: dict[str, Callable[[int, random.Random], list[Pair]]] = {
    "numbers": numbers,
    "dates": dates,
    "reversal": reversal,
}
"""The tasks by name."""


def parts(name: str, train: int, test: int, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Pairs to train on and others to test on; what is tested was not trained on in any form."""
    pairs = MADE[name](train + test, random.Random(f"{name}/{seed}"))
    return pairs[:train], pairs[train:]
