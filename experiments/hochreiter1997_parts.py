"""The tasks of 1997: conditions, criteria and what the paper found."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .modern import Recipe
from .networks.memory_blocks import Wiring
from .stopping import Judge, OnSet, OnStrings, Recent
from .tasks.adding import Marked
from .tasks.batch import Task
from .tasks.long_lag import NoiseFree, Noisy
from .tasks.reber import Strings
from .tasks.temporal_order import THREE, TemporalOrder
from .tasks.two_sequence import TwoSequence


@dataclass(frozen=True)
class Original:
    """The network and the training of the paper.

    Attributes:
        wiring: Of the network.
        scale: First weights are uniform between minus and plus this.
        rate: Of learning.
        input_gates: First bias of each block's input gate.
        output_gates: First bias of each block's output gate.
        most: Sequences after which to give up; some four times the paper's median.
    """

    wiring: Wiring
    scale: float
    rate: float
    input_gates: tuple[float, ...] | None = None
    output_gates: tuple[float, ...] | None = None
    most: int = 160_000


@dataclass(frozen=True)
class Part:
    """One task: how it is drawn, when it is learned, and what the paper found.

    Attributes:
        task: Makes it, for a seed.
        judge: Makes who says that it is learned by trying the network, for a seed and the task.
        recent: Makes who says so by the training sequences, for so many runs.
        recipe: Today's training.
        original: The paper's, where it can be run here.
        paper: The paper's median of training sequences until it was learned.
        paper_wrong: Test sequences that were wrong then, of 2,560.
        paper_weights: Weights of the paper's network.
        endless: Whether new sequences can be drawn for ever, to guess on and to test with.
    """

    task: Callable[[int], Task]
    judge: Callable[[int, Task], Judge] | None = None
    recent: Callable[[int], Recent] | None = None
    recipe: Recipe = field(default_factory=Recipe)
    original: Original | None = None
    paper: int | None = None
    paper_wrong: int | None = None
    paper_weights: int | None = None
    endless: bool = True


def _same(task: Task) -> Callable[[int], Task]:
    return lambda seed: task


def _strings(count: int) -> Callable[[int], Task]:
    """Three pairs of sets, ten first weights for each."""
    return lambda seed: Strings.pair(seed // 10, count)[0]


def _on_strings(count: int) -> Callable[[int, Task], Judge]:
    return lambda seed, task: OnStrings(*Strings.pair(seed // 10, count))


def _on_set(count: int, mean: float = math.inf) -> Callable[[int, Task], Judge]:
    def make(seed: int, task: Task) -> Judge:
        return OnSet(task.draw(np.random.default_rng([seed, 1]), count), task.tolerance, mean)

    return make


def _last(count: int, mean: float = math.inf, wrong: int = 0) -> Callable[[int], Recent]:
    return lambda runs: Recent(runs, count, mean, wrong)


ADDING = {"recent": _last(2000, 0.01), "recipe": Recipe(rate=1e-2, updates=6000)}

PARTS = {
    "reber": Part(
        _strings(256),
        judge=_on_strings(256),
        recipe=Recipe(rate=5e-3, batch=16),
        original=Original(
            Wiring(7, 3, 2, 7, bias="gates", output_bias=False),
            0.2, 0.2, output_gates=(-1, -2, -3), most=60_000,
        ),
        paper=14_060, paper_weights=276, endless=False,
    ),
    "reber 4-1": Part(
        _strings(256),
        judge=_on_strings(256),
        original=Original(
            Wiring(7, 4, 1, 7, bias="gates", output_bias=False),
            0.2, 0.1, output_gates=(-1, -2, -3, -4), most=150_000,
        ),
        paper=39_740, paper_weights=264, endless=False,
    ),
    "reber 4-1 biased": Part(
        _strings(256),
        judge=_on_strings(256),
        original=Original(
            Wiring(7, 4, 1, 7, bias="gates"),
            0.2, 0.1, output_gates=(-1, -2, -3, -4), most=150_000,
        ),
        paper=39_740, endless=False,
    ),
    "2a": Part(
        _same(NoiseFree(100)),
        judge=_on_set(64),
        recipe=Recipe(rate=2e-2, batch=8, updates=4000, direct=True),
        paper=5_040, endless=False,
    ),
    "2c": Part(
        _same(Noisy(50, 50)),
        recent=_last(10_000),
        recipe=Recipe(rate=1e-2),
        original=Original(Wiring(54, 2, 1, 2, bias="none", output_bias=False), 0.2, 0.01),
        paper=30_000, paper_weights=364,
    ),
    "3a": Part(
        _same(TwoSequence(100)),
        judge=_on_set(256, 0.01),
        original=Original(
            Wiring(1, 3, 1, 1, output_bias=False), 0.1, 1.0,
            input_gates=(-1, -3, -5), output_gates=(-2, -4, -6),
        ),
        paper=39_850, paper_weights=102,
    ),
    "3c": Part(
        _same(TwoSequence(100, noisy_targets=True)),
        judge=_on_set(256, 0.015),
        paper_weights=102,
    ),
    "adding": Part(
        _same(Marked(100)),
        **ADDING,
        original=Original(
            Wiring(2, 2, 2, 1), 0.1, 0.5, input_gates=(-3, -6), most=300_000
        ),
        paper=74_000, paper_wrong=1, paper_weights=93,
    ),
    "adding 500": Part(_same(Marked(500)), **ADDING, paper=209_000, paper_wrong=0),
    "adding 1000": Part(_same(Marked(1000)), **ADDING, paper=853_000, paper_wrong=1),
    "multiplication": Part(
        _same(Marked(100, product=True)),
        recent=_last(2000, wrong=13),
        recipe=Recipe(rate=1e-2, updates=6000),
        original=Original(Wiring(2, 2, 2, 1), 0.1, 0.1, most=5_000_000),
        paper=1_273_000, paper_wrong=14, paper_weights=93,
    ),
    "6a": Part(
        _same(TemporalOrder()),
        recent=_last(2000, 0.1),
        original=Original(
            Wiring(8, 2, 2, 4), 0.1, 0.5, input_gates=(-2, -4), most=130_000
        ),
        paper=31_390, paper_wrong=1, paper_weights=156,
    ),
    "6b": Part(
        _same(TemporalOrder(THREE)),
        recent=_last(2000, 0.1),
        recipe=Recipe(updates=6000),
        original=Original(
            Wiring(8, 3, 2, 8), 0.1, 0.1, input_gates=(-2, -4, -6), most=1_500_000
        ),
        paper=571_100, paper_wrong=2, paper_weights=308,
    ),
    "small adding": Part(
        _same(Marked(20)),
        recent=_last(200, 0.04),
        recipe=Recipe(hidden=16, rate=2e-2, updates=400),
    ),
    "small 6a": Part(
        _same(TemporalOrder(share=0.3)),
        recent=_last(200, 0.1),
        recipe=Recipe(hidden=16, rate=2e-2, updates=300),
        original=Original(Wiring(8, 2, 2, 4), 0.1, 0.5, input_gates=(-2, -4), most=300),
    ),
}  # fmt: skip
"""All tasks, by the paper's name of them; the small ones are for `smoke`."""
