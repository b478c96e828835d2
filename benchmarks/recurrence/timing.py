"""Times of calls that take turns, so that a busy second of the machine falls on all of them."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

Call = Callable[[], object]

SAMPLE = 1e-3
"""Seconds that a sample lasts at least: quick calls are repeated within it."""

WARM = 0.02
"""Seconds of calls before the first sample that counts."""

LEAST_ROUNDS = 3
PATIENCE = 10
"""Budgets after which even the least number of rounds is given up."""

SPIN = 0.01
"""Seconds for which the threads of a pool keep turning after its last call."""


@dataclass(frozen=True)
class Times:
    """Seconds of one call of each peer, a sample a round.

    Example:
        >>> times = Times({"ours": [1.0, 2.0, 1.0], "theirs": [2.0, 6.0, 3.0]})
        >>> times.ratio("theirs", "ours"), times.ratio_of_minima("theirs", "ours")
        (3.0, 2.0)
    """

    seconds: dict[str, list[float]]

    @property
    def rounds(self) -> int:
        """Samples of each peer."""
        return len(next(iter(self.seconds.values())))

    def median(self, name: str) -> float:
        """The middle sample of a peer."""
        return statistics.median(self.seconds[name])

    def least(self, name: str) -> float:
        """The quickest sample of a peer."""
        return min(self.seconds[name])

    def ratio(self, name: str, to: str) -> float:
        """Median over the rounds of one peer's time over another's in the same round."""
        pairs = zip(self.seconds[name], self.seconds[to], strict=True)
        return statistics.median(one / other for one, other in pairs)

    def ratio_of_minima(self, name: str, to: str) -> float:
        """Quickest over quickest."""
        return self.least(name) / self.least(to)


def take_turns(calls: Mapping[str, Call], budget: float, *, own_pools: bool = False) -> Times:
    """Time calls in rounds, each once a round, until the budget is spent.

    Args:
        calls: What to call, by the peer's name.
        budget: Seconds; calls that take longer get a few rounds more than fit into it.
        own_pools: Whether the calls use different pools of threads. The threads of a pool spin
            for a while after a call and would slow down whoever comes next, so each sample is
            then led in by calls of the same peer that do not count.
    """
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        warm = {name: _warm_up(call) for name, call in calls.items()}
        repeats = {name: max(1, round(SAMPLE / seconds)) for name, seconds in warm.items()}
        lead_in = {name: _lead_in(seconds) if own_pools else 0 for name, seconds in warm.items()}
        taken: dict[str, list[float]] = {name: [] for name in calls}
        if sum(warm.values()) > budget:
            # The check before has run them once already: a call this long is warm.
            taken = {name: [seconds] for name, seconds in warm.items()}
        else:
            start = time.perf_counter()
        while not _is_enough(time.perf_counter() - start, len(next(iter(taken.values()))), budget):
            for name, call in calls.items():
                _repeat(call, lead_in[name])
                taken[name].append(_repeat(call, repeats[name]) / repeats[name])
    finally:
        gc.enable()
    return Times(taken)


def geometric_mean(values: Iterable[float]) -> float:
    """Mean of ratios.

    Example:
        >>> round(geometric_mean([0.5, 2.0]), 6)
        1.0
    """
    logs = [math.log(value) for value in values]
    return math.exp(statistics.fmean(logs))


def _is_enough(elapsed: float, rounds: int, budget: float) -> bool:
    if rounds >= LEAST_ROUNDS:
        return elapsed >= budget
    return rounds > 0 and elapsed >= PATIENCE * budget


def _warm_up(call: Call) -> float:
    """Seconds of the quickest of a few calls."""
    start = time.perf_counter()
    least = _repeat(call, 1)
    while time.perf_counter() - start < WARM:
        least = min(least, _repeat(call, 1))
    return least


def _lead_in(seconds: float) -> int:
    """Calls that last until the other pools are at rest; none where that hardly shows."""
    return 0 if seconds > 10 * SPIN else math.ceil(SPIN / seconds)


def _repeat(call: Call, times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        call()
    return time.perf_counter() - start
