"""Hochreiter & Schmidhuber 1997: six experiments on long time lags."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from . import chart, modern, online
from .experiment import Budget, Experiment, Paper, Row, Rows, Setting, distinct, seeded, where
from .hochreiter1997_parts import PARTS, Part
from .networks.guess import guess
from .networks.memory_blocks import MemoryBlocks
from .statistics import median, share
from .stopping import Answers
from .tasks.batch import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODELS = {"lstm": "lstm", "tanh rnn": "elman"}
GUESSES = {"smoke": 400, "modern": 20_000}
TEST = 2560

SMOKE = ("small adding", "small 6a")
MODERN = ("reber", "2a", "2c", "3a", "3c", "adding", "adding 500", "adding 1000",
          "multiplication", "6a", "6b")  # fmt: skip
EXACT = tuple(name for name in PARTS if name not in SMOKE and PARTS[name].original)


def run(setting: Setting) -> list[Row]:
    """Run tasks: the network of 1997 for all seeds at once, or today's one by one."""
    rows: list[Row] = []
    for name in setting.parts:
        part = PARTS[name]
        if part.original and setting.budget != "modern":
            rows += _original(name, part, setting.seeds)
        if setting.budget != "exact":
            for seed in setting.seeds:
                rows += [_today(name, part, model, seed) for model in MODELS]
        if part.endless and setting.budget != "exact":
            rows.append(_guessed(name, part, GUESSES[setting.budget]))
    return rows


def _today(name: str, part: Part, model: str, seed: int) -> Row:
    with seeded(seed) as rng:
        task = part.task(seed)
        judge = part.judge(seed, task) if part.judge else None
        recent = part.recent(1) if part.recent else None
        found = modern.train(MODELS[model], task, part.recipe, rng, recent, judge)
    wrong = _wrong(part, task, found.network.answers)
    row = _row(name, model, seed, found.sequences)
    return row | {"weights": found.network.weights, "test_wrong": wrong}


def _original(name: str, part: Part, seeds: tuple[int, ...]) -> list[Row]:
    """All seeds side by side, each with weights and sequences of its own."""
    original = part.original
    if original is None:
        return []
    rngs = [np.random.default_rng([seed, 1997]) for seed in seeds]
    network = MemoryBlocks(original.wiring, rngs, original.scale)
    network.set_gate_biases(original.input_gates, original.output_gates)
    tasks = [part.task(seed) for seed in seeds]
    judge = part.judge
    found = online.learn(
        network,
        tasks,
        rngs,
        original.rate,
        original.most,
        recent=part.recent(len(seeds)) if part.recent else None,
        judges=[judge(s, t) for s, t in zip(seeds, tasks, strict=True)] if judge else (),
    )
    rows = []
    for place, (seed, task) in enumerate(zip(seeds, tasks, strict=True)):
        one = found.network.only(place)
        row = _row(name, "lstm of 1997", seed, found.sequences[place])
        wrong = _wrong(part, task, lambda batch, one=one: online.answers(one, batch))
        rows.append(row | {"weights": original.wiring.weights, "test_wrong": wrong})
    return rows


def _guessed(name: str, part: Part, trials: int) -> Row:
    with seeded(0) as rng:
        needed, _ = guess(part.task(0), rng, trials)
    return _row(name, "guess", 0, needed) | {"trials": trials}


def _row(part: str, model: str, seed: int, sequences: int | None) -> Row:
    solved = sequences is not None
    return {"part": part, "model": model, "seed": seed, "solved": solved, "sequences": sequences}


def _wrong(part: Part, task: Task, answers: Answers) -> int | None:
    """How many of new sequences are wrong; None where the task has but its own."""
    if not part.endless:
        return None
    rng, found = np.random.default_rng(TEST), 0
    for _ in range(TEST // 256):
        batch = task.draw(rng, 256)
        found += int((batch.errors(answers(batch)) >= task.tolerance).sum())
    return found


def summary(rows: Rows) -> list[Row]:
    """A line a task and network."""
    return [
        {"task": part, "network": model, **_line(where(rows, part=part, model=model), part, model)}
        for part, model in distinct(rows, "part", "model")
    ]


def _line(own: Rows, part: str, model: str) -> Row:
    if model == "guess":
        needed, trials = own[0]["sequences"], own[0]["trials"]
        return {"solved": f"at guess {needed:,}" if needed else f"not in {trials:,} guesses"}
    line: Row = {
        "weights": own[0]["weights"],
        "solved": share([row["solved"] for row in own]),
        "median sequences": _count(median([cast("int | None", row["sequences"]) for row in own])),
    }
    wrong = [cast(int, row["test_wrong"]) for row in own if row["test_wrong"] is not None]
    line[f"wrong of {TEST}, median"] = _count(median(wrong))
    if model.startswith("lstm"):
        line["paper: sequences"] = _count(PARTS[part].paper)
        line["paper: wrong"] = _count(PARTS[part].paper_wrong)
    return line


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def criteria(rows: Rows) -> list[tuple[str, bool]]:
    """What the paper claims, task by task."""
    found = []
    for (part,) in distinct(rows, "part"):
        for model in ("lstm", "lstm of 1997"):
            own = where(rows, part=part, model=model)
            if own and not (part.startswith("small") and model == "lstm of 1997"):
                solved = [row["solved"] for row in own]
                sentence = f"{part}: the {model} solves at least 9 of 10 runs ({share(solved)})"
                found.append((sentence, sum(map(bool, solved)) >= 0.9 * len(solved)))
        paper, own = PARTS[part].paper, where(rows, part=part, model="lstm of 1997")
        middle = median([cast("int | None", row["sequences"]) for row in own])
        if paper and middle and not part.startswith("small"):
            sentence = (
                f"{part}: its median of {middle:,.0f} sequences is within twice the paper's "
                f"{paper:,}"
            )
            found.append((sentence, paper / 2 <= middle <= 2 * paper))
        rnn = where(rows, part=part, model="tanh rnn")
        easy = any(row["solved"] for row in where(rows, part=part, model="guess"))
        if rnn and part in MODERN and part != "reber" and not easy:
            solved = [row["solved"] for row in rnn]
            sentence = f"{part}: the tanh rnn solves none ({share(solved)})"
            found.append((sentence, not any(solved)))
    return found


def draw(rows: Rows) -> Figure | None:
    """Sequences until a task is learned, ours beside the paper's."""
    tasks = [part for (part,) in distinct(rows, "part") if not part.startswith("small")]
    if not tasks:
        return None
    figure, (axes,) = chart.canvas(7.6, 0.6 + 0.32 * len(tasks))
    marks = {"lstm": ("today", "o"), "lstm of 1997": ("network of 1997", "s")}
    for colour, (model, (label, mark)) in zip(chart.COLOURS, marks.items(), strict=False):
        points = [
            (row["sequences"], tasks.index(str(row["part"])))
            for row in where(rows, model=model)
            if row["part"] in tasks and row["solved"]
        ]
        if points:
            x, y = zip(*points, strict=True)
            axes.plot(x, y, mark, color=colour, alpha=0.6, markersize=5, label=label)
    paper = [(PARTS[task].paper, k) for k, task in enumerate(tasks) if PARTS[task].paper]
    if paper:
        x, y = zip(*paper, strict=True)
        axes.plot(x, y, "|", color=chart.PALETTE["actual"], markersize=14, label="paper")
    chart.logarithmic(axes.xaxis)
    axes.set_ylim(-0.5, len(tasks) - 0.5)
    axes.set_yticks(range(len(tasks)), tasks)
    axes.invert_yaxis()
    axes.set_xlabel("training sequences until learned")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3)
    return figure


EXPERIMENT = Experiment(
    name="hochreiter1997",
    title="Does an LSTM bridge time lags that a recurrent network does not?",
    papers=(
        Paper(
            "Hochreiter & Schmidhuber",
            1997,
            "Long Short-Term Memory",
            "https://doi.org/10.1162/neco.1997.9.8.1735",
        ),
        Paper(
            "Hochreiter & Schmidhuber",
            1996,
            "LSTM Can Solve Hard Long Time Lag Problems",
            "https://papers.nips.cc/paper/1996/hash/a4d2f0d23dcc84ce983ff9157f8b7f88-Abstract.html",
        ),
    ),
    budgets={
        "smoke": Budget("Short versions of two tasks, and the network of 1997 at work.", SMOKE, 1),
        "modern": Budget(
            "The tasks at the paper's length with its criteria, learned by `Recurrent` and Adam; a "
            "tanh RNN trained alike and random weights beside it.",
            MODERN,
            5,
        ),
        "exact": Budget(
            "The network of 1997 (gates see gates, no forget gate, truncated gradient), one "
            "sequence a step of gradient descent, learning rates and biases of the paper.",
            EXACT,
            10,
        ),
    },
    run=run,
    summary=summary,
    criteria=criteria,
    draw=draw,
    reading=(
        "Each task hides what counts many steps before it is wanted. `sequences` is how many were "
        "seen until the paper's own criterion held; the test is 2,560 new ones. A guess is a small "
        "tanh network with random weights: a task that guesses solve says nothing about learning."
    ),
    deviations=(
        "Weights change after each sequence, in Reber strings too.",
        "Modern: Adam on batches, chrono biases, cross-entropy. The tanh RNN has the same units, "
        "rate and updates, so a quarter of the weights.",
        "2a: inputs reach the outputs directly, too; so each next symbol is soon learned, and what "
        "is left to the recurrent layer is the first.",
        "`reber 4-1 biased` gives the output units a bias, for which the paper's 264 weights leave "
        "no room; without it the network seldom learns here.",
        "Exact runs are compiled by numba where it is installed, computed by NumPy where not; sums "
        "round differently, so a run of the same seed may take another number of sequences.",
        "Test strings of the Reber grammar are none of the training strings; runs 0 to 9 share the "
        "first pair of sets, 10 to 19 the second.",
        "The network of 2a with its later added memory cell, 2b, 3b and the longer lags of 2c and "
        "3a are not run in their exact form.",
    ),
)
